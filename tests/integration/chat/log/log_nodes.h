// Nodes of a log over a real redis-server, driven from a plain test: every wait is for a condition,
// with a deadline.
#pragma once

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/async/condition.h"
#include "reference-server/log/chat_log.h"
#include "tests/support/redis_server.h"

namespace ordeal::test {

namespace asio = boost::asio;

// A node with one client that is in every room and there all along: what it gets is in `read`.
struct log_node final : chat::log_subscriber {
  struct fork {
    chat::position common, from, to;
  };
  struct gap {
    std::uint64_t from = 0, to = 0;
  };

  void on_entries(const std::vector<chat::entry_ptr>& batch) override;
  void on_gap(std::uint64_t from, std::uint64_t to) override { gaps.push_back(gap{from, to}); }
  void on_fork(chat::position common, chat::position from, chat::position to) override {
    forks.push_back(fork{common, from, to});
  }
  void on_state_change() override { ++state_changes; }

  std::size_t part_bytes_max() const override { return part_bytes; }
  asio::awaitable<void> wait_for_clients() override;

  bool is_ready() const { return log->health().is_ready; }
  chat::log_state state() const { return log->health().state; }
  // The client message ids in the order read.
  std::vector<std::string> ids() const;

  std::unique_ptr<chat::chat_log> log;
  std::vector<chat::entry_ptr> read;
  std::vector<chat::entry_ptr>
      repeated;  // had been read on a lost branch: not given to the client again
  std::vector<gap> gaps;
  std::vector<fork> forks;
  std::size_t part_bytes = 1U << 20;
  int parts_waited = 0;
  // While set, no further part of a backlog is taken.
  bool is_crowded = false;
  void take_on() {
    is_crowded = false;
    taken->notify_all();
  }
  std::unique_ptr<net::condition> taken;
  int state_changes = 0;
  bool has_ended = false;
};

class LogNodes : public testing::Test {
 protected:
  using outcome_ptr = std::shared_ptr<std::optional<chat::append_outcome>>;

  ~LogNodes() override;

  // Short intervals, so that tests take no longer than what they wait for.
  static chat::log_options options_for(const redis_server& server);
  log_node& add_node(chat::log_options options);
  log_node& add_ready_node(chat::log_options options);

  // Runs the io_context until `is_true`; fails the test, naming `what`, when that takes too long.
  [[nodiscard]] bool until(std::string_view what, const std::function<bool()>& is_true,
                           std::chrono::seconds limit = std::chrono::seconds(15));

  // Starts an append; the outcome appears there.
  outcome_ptr append(log_node& node, std::string id, std::string room = "room",
                     std::string text = "text");
  // Appends again with the same id, here or there, until it is in the log.
  outcome_ptr append_surely(std::vector<log_node*> nodes, std::string id,
                            std::string text = "text");
  chat::append_outcome append_now(log_node& node, std::string id);
  chat::range_result range(log_node& node, chat::cursor after, std::string room = "room",
                           std::size_t bytes_max = SIZE_MAX);
  chat::cursor_place check(log_node& node, chat::cursor at);
  chat::cursor cursor_at(log_node& node, chat::position at);
  void stop(log_node& node, std::chrono::milliseconds drain);

  boost::asio::io_context io_{1};

 private:
  std::vector<std::unique_ptr<log_node>> nodes_;
};

}  // namespace ordeal::test
