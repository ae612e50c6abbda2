// The log's loops around its plain parts: attach, outbox, heartbeat, read_sequence, replay_buffer
// and log_wire.
//
//   append() ─▶ outbox ─▶ keep_commands: attach, append batches, beat, answer queries (connection)
//                ▲             │ state: connecting, open, refusing
//                └──────── keep_reader: attach, XREAD ─▶ subscriber (connection)
//   watch: what time alone decides (echo overdue, senders that waited long enough, readiness)
//
// One thread. Private to this folder; others use chat_log.h.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "net/async/clock.h"
#include "net/async/condition.h"
#include "net/redis/connection.h"
#include "reference-server/log/attach.h"
#include "reference-server/log/backoff.h"
#include "reference-server/log/chat_log.h"
#include "reference-server/log/heartbeat.h"
#include "reference-server/log/log_wire.h"
#include "reference-server/log/outbox.h"
#include "reference-server/log/replay_buffer.h"

namespace ordeal::chat {

class redis_log final : public chat_log {
 public:
  redis_log(asio::any_io_executor ex, log_options options);

  asio::awaitable<void> run(log_subscriber& subscriber) override;
  void stop(std::chrono::milliseconds drain) override;
  asio::awaitable<append_outcome> append(std::string room, std::string client_message_id,
                                         std::string text) override;
  bool is_congested() const override { return waiting_for_room_ > 0 || !outbox_.has_room(); }
  asio::awaitable<range_result> range(cursor after, position upto, std::string room) override;
  asio::awaitable<range_status> check_cursor(cursor at) override;
  const log_health& health() const override;

 private:
  using connection_ptr = std::unique_ptr<net::redis::connection>;

  // A sender in append(). Registered under its seq as long as its frame lives.
  struct waiting_sender {
    explicit waiting_sender(asio::any_io_executor ex) : changed(ex) {}
    net::condition changed;
    std::optional<append_outcome> outcome;
  };
  // A question that is asked between two batches.
  struct query {
    query(asio::any_io_executor ex, net::redis::request asked)
        : what(std::move(asked)), answered(ex) {}
    net::redis::request what;
    net::redis::exec_result result;
    net::stop_event answered;
  };
  enum class attach_outcome { open, again, failed };

  // redis_log.cpp: senders, state, stopping
  asio::awaitable<void> watch();
  asio::awaitable<void> drain();
  std::string hopeless_reason(net::time_point at) const;
  std::string refusal(const std::string& client_message_id, std::size_t bytes) const;
  void settle(std::vector<settlement>& settled);
  void set_state(log_state state, std::string reason);
  void announce();

  // command_loop.cpp
  asio::awaitable<void> keep_commands();
  asio::awaitable<void> serve(backoff& pause);
  asio::awaitable<bool> serve_once();
  asio::awaitable<attach_outcome> attach();
  attach_outcome enter_open(attach_answer found);
  asio::awaitable<attach_outcome> change_log(net::redis::request change, std::string_view what);
  asio::awaitable<bool> append_batch(bool has_beat);
  bool take_append_answer(append_answer answer, bool has_beat);
  void on_append_error(const wire_error& error);
  asio::awaitable<void> answer_query();
  void on_commands_lost(std::string reason);
  void fail_queries();
  bool has_waited_for_history(const attach_answer& found);

  // reader_loop.cpp
  asio::awaitable<void> keep_reader();
  asio::awaitable<void> read();
  asio::awaitable<bool> attach_reader();
  bool take_read_answer(read_answer answer, class read_sequence& sequence);
  void take_entry(const entry_ptr& each, std::vector<settlement>& settled);

  // history.cpp: old messages
  asio::awaitable<net::redis::exec_result> ask(net::redis::request what);
  asio::awaitable<range_status> collect_from_redis(position& after, position upto,
                                                   const std::string& room,
                                                   std::vector<entry_ptr>& into);

  net::redis::connection_options connection_options(std::string_view role) const;
  backoff make_backoff(std::string_view name) const;

  asio::any_io_executor ex_;
  log_options options_;
  log_wire wire_;
  outbox outbox_;
  heartbeat heartbeat_;
  replay_buffer replay_;
  log_subscriber* subscriber_ = nullptr;

  log_identity identity_;    // of the log read; log_id empty before the first attach
  entry_ptr last_;           // the newest entry read; null before the first attach
  std::uint64_t floor_ = 0;  // of the log, as last heard
  std::string append_sha_;
  bool is_attached_ = false;                          // on the command connection as it is now
  std::optional<net::time_point> trouble_since_;      // no append has worked since
  std::string trouble_;                               // why; logged when it changes
  std::optional<net::time_point> unconfirmed_since_;  // see attach_step::wait

  connection_ptr commands_;
  connection_ptr reader_;
  std::deque<std::shared_ptr<query>> queries_;
  std::unordered_map<std::uint64_t, waiting_sender*> senders_;
  std::size_t waiting_for_room_ = 0;

  net::condition work_;      // something to send or to ask
  net::condition attached_;  // state became open
  net::condition room_;      // room in the outbox, or no hope
  net::condition settled_;   // no message is undecided
  net::stop_event stop_;
  net::stop_event ended_;  // a loop ended: the others must too
  std::chrono::milliseconds drain_{0};

  mutable log_health health_;  // times in it are brought up to date when it is read
  bool was_ready_ = false;
};

}  // namespace ordeal::chat
