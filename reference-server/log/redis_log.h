// The log's loops around log_machine: they connect, send what it says, hand it the answers, wait,
// and pass on what comes out.
//
//   append() ─▶ machine ─▶ keep_commands: a command at a time, or appends in a row; queries (connection)
//                 │ ▲
//                 │ └──── keep_reader: XREAD (connection)
//                 └─▶ pump: answers for senders, entries for the subscriber, state, log lines
//   a backlog goes on part by part, as fast as the subscriber's clients take it
//   master_watch: through sentinels, that the master is another one now
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
#include "net/async/turnstile.h"
#include "net/redis/connection.h"
#include "net/redis/master_watch.h"
#include "reference-server/log/backoff.h"
#include "reference-server/log/chat_log.h"
#include "reference-server/log/heartbeat.h"
#include "reference-server/log/log_machine.h"
#include "reference-server/log/log_wire.h"
#include "reference-server/log/room_index.h"
#include "reference-server/log/uplink.h"
#include "reference-server/log/window.h"

namespace ordeal::chat {

inline constexpr std::size_t read_count_first = 16;

class redis_log final : public chat_log {
 public:
  redis_log(asio::any_io_executor ex, log_options options);

  asio::awaitable<void> run(log_subscriber& subscriber) override;
  void stop(std::chrono::milliseconds drain) override;
  asio::awaitable<append_outcome> append(std::string room, std::string client_message_id,
                                         std::string text) override;
  bool is_congested() const override { return waiting_for_room_ > 0 || !machine_.has_room(); }
  asio::awaitable<range_result> range(cursor after, position upto, std::string room,
                                      std::size_t bytes_max) override;
  cursor_place place_of(const cursor& at) const override;
  asio::awaitable<cursor_place> check_cursor(cursor at) override;
  const log_health& health() const override;

  // Between two looks at a recovery round.
  static std::chrono::milliseconds look_pause(const log_options& options);

 private:
  using connection_ptr = std::unique_ptr<net::redis::connection>;

  // A sender in append(). Registered under the seq of its message as long as its frame lives; several wait for one that
  // was sent again meanwhile.
  struct waiting_sender {
    explicit waiting_sender(asio::any_io_executor ex) : changed(ex) {}
    net::condition changed;
    std::optional<append_outcome> outcome;
  };
  // A command on its way.
  struct asked_command {
    command what;
    bool is_append() const { return std::holds_alternative<append_command>(what); }
  };
  // A question that is asked between two batches.
  struct query {
    query(asio::any_io_executor ex, net::redis::request asked)
        : what(std::move(asked)), answered(ex) {}
    net::redis::request what;
    net::redis::exec_result result;
    net::stop_event answered;
  };

  // redis_log.cpp: senders, what comes out of the machine, stopping
  asio::awaitable<void> watch();
  asio::awaitable<void> drain();
  std::string hopeless_reason(net::time_point at) const;
  std::string refusal(const std::string& client_message_id, std::size_t bytes) const;
  void pump();
  void settle();
  void pass_on_reads();
  void tell_events();
  void tell_state();
  void stop_accepting();
  void announce();
  void watch_progress();
  bool is_hearing(net::time_point at) const;
  void tell_undelivered() const;
  void tell_trimmed(const append_answer& appended);

  // command_loop.cpp
  asio::awaitable<void> keep_commands();
  void on_other_master(const net::redis::server_address& master);
  asio::awaitable<void> serve(backoff& pause);
  bool may_send() const;
  asio::awaitable<void> send_command();
  asio::awaitable<bool> hear_answer();
  void limit_appends();
  void on_unanswered(const command& asked, const net::error_code& ec);
  std::string why_unanswered(const command& asked, const net::error_code& ec);
  bool take_answer(const command& asked, const net::redis::exec_result& result);
  asio::awaitable<void> answer_query();
  void on_commands_lost(std::string reason);
  void fail_queries();

  // reader_loop.cpp
  asio::awaitable<void> keep_reader();
  asio::awaitable<void> read();
  asio::awaitable<bool> is_same_server();
  std::optional<read_answer> take_read(const net::redis::exec_result& result);
  asio::awaitable<bool> hand_over(read_answer heard, bool has_more);
  bool hand_over_part(const read_answer& part);
  void on_reader_trouble(std::string why);
  std::size_t read_count() const;
  void learn_sizes(std::size_t entries, std::size_t bytes);
  std::string why_not_read(const net::error_code& ec);
  void watch_arrival(net::time_point at);

  // history.cpp: old messages
  asio::awaitable<net::redis::exec_result> ask(net::redis::request what);
  asio::awaitable<range_status> collect_from_redis(position upto, const std::string& room,
                                                   std::size_t bytes_max, range_result& into);
  void collect_from_memory(position upto, const std::string& room, std::size_t bytes_max,
                           range_result& into) const;
  void skip_others(position upto, const std::string& room, range_result& into) const;
  range_status take_history(const read_answer& found, const std::string& room,
                            std::size_t bytes_max, range_result& into);
  std::size_t history_count(position upto, const std::string& room, position after) const;
  void learn_history_sizes(std::size_t asked, const std::vector<entry_ptr>& entries);

  net::redis::connection_options connection_options(std::string_view role) const;
  backoff make_backoff(std::string_view name) const;

  asio::any_io_executor ex_;
  log_options options_;
  log_machine machine_;
  log_wire wire_;
  heartbeat heartbeat_;
  log_subscriber* subscriber_ = nullptr;
  std::optional<net::time_point> trouble_since_;  // no append could work since
  std::string trouble_;                           // of the connection; empty while there is one
  unsigned closed_looks_ = 0;                     // attaches in a row that ended their connection

  connection_ptr commands_;
  connection_ptr reader_;
  net::redis::master_watch master_watch_;         // idle without sentinels
  std::deque<asked_command> asked_;               // on their way, the oldest first
  std::optional<net::time_point> asked_at_;       // since then the oldest one waits
  std::optional<net::time_point> reading_since_;  // the reader connection
  bool has_read_ = false;                         // something, over it
  // What was the top at some time, and when: as soon as it is read the next one is taken.
  std::uint64_t milestone_ = 0;
  window read_window_{1, read_count_max};  // entries
  uplink uplink_;
  std::size_t next_read_count_ = read_count_first;
  std::size_t next_history_count_ = read_count_first;
  room_index rooms_;
  net::time_point history_due_{};
  net::turnstile history_turns_;  // one read at a time: what it brings is a node's, not a client's
  // Of the reader, when it was looked at last.
  std::uint64_t arrived_bytes_ = 0;
  std::uint64_t arrived_index_ = 0;
  bool is_arriving_ = false;  // what the log holds, if slowly
  net::time_point milestone_at_;
  std::deque<std::shared_ptr<query>> queries_;
  std::unordered_multimap<std::uint64_t, waiting_sender*> senders_;
  std::size_t waiting_for_room_ = 0;

  net::condition work_;      // something to send or to ask
  net::condition attached_;  // there is something to read
  net::condition room_;      // room in the outbox, or no hope
  net::condition settled_;   // no message is undecided
  net::stop_event stop_;
  net::stop_event ended_;  // a loop ended: the others must too
  std::chrono::milliseconds drain_{0};

  std::optional<net::time_point> told_trimmed_at_;
  std::uint64_t told_trimmed_ = 0;  // entries, of health_.trimmed_early

  mutable log_health health_;  // times in it are brought up to date when it is read
  bool was_ready_ = false;
};

}  // namespace ordeal::chat
