// The hub /chat of one node: its sessions, its rooms, and the fan-out from the log to both. One
// thread.
//
//      log ──▶ on_entries ──▶ room ──▶ members' queues ──▶ flusher ──▶ sessions write
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <unordered_map>

#include "net/async/condition.h"
#include "net/http.h"
#include "reference-server/hub/hub_context.h"
#include "reference-server/hub/negotiated_ids.h"
#include "reference-server/hub/origins.h"

namespace ordeal::chat {

class session;

class chat_hub final : public log_subscriber {
 public:
  chat_hub(asio::any_io_executor ex, hub_limits limits, chat_log& log);
  ~chat_hub() override;  // no session is left, run() has ended

  // Flushes, pings, times out, until stop().
  asio::awaitable<void> run();
  void stop();

  // POST and OPTIONS /chat/negotiate.
  net::http_response negotiate(const net::http_request& request);
  // GET /chat with an upgrade: 101, or the refusal.
  net::http_response admit(const net::http_request& request);
  // A child of the HTTP server: returns when the session is over, or has taken over the socket.
  asio::awaitable<void> serve(net::http_request request, std::unique_ptr<net::websocket> socket);

  // Admits nobody any more, answers what is on its way and closes every connection; returns when
  // none is left, or at `deadline` with the rest aborted.
  asio::awaitable<void> drain(net::time_point deadline);
  bool is_draining() const { return is_draining_; }

  void on_entries(const std::vector<entry_ptr>& batch) override;
  void on_gap(std::uint64_t from, std::uint64_t to) override;
  void on_fork(position common, position from, position to) override;
  void on_state_change() override;
  std::size_t part_bytes_max() const override { return context_.limits.part_bytes_max(); }
  asio::awaitable<void> wait_for_clients() override { return pace_.wait_for_clients(); }

  // The HTTP server refused a request, or a connection, by itself.
  void count_refusal(unsigned status);
  // Connections cannot be accepted for lack of descriptors, or can be again.
  void out_of_descriptors(bool is_out) { is_out_of_descriptors_ = is_out; }
  // Why there is no descriptor for another client, one sentence; empty when there is.
  std::string descriptor_trouble() const;
  std::size_t connections_max() const { return context_.limits.connections_max; }

  const hub_counters& counters() const { return count_; }
  std::size_t session_count() const { return sessions_.size(); }
  std::size_t waiting_count() const { return context_.sessions_waiting; }
  std::size_t room_count() const { return rooms_.size(); }
  net::nanoseconds replay_work() const { return replays_.spent(); }
  std::size_t out_bytes() const;  // of what waits for clients
  std::uint64_t flush_count() const { return flusher_.flush_count(); }

 private:
  asio::awaitable<void> watch_clients();
  asio::awaitable<void> serve_session(std::string token, std::string sender,
                                      std::unique_ptr<net::websocket> socket);
  net::http_response grant_id(const net::http_request& request);
  net::http_response admit_id(std::string_view token);
  net::http_response admit_new();
  net::http_response refuse_origin(const net::http_request& request);
  session* session_of(const std::string& token) const;
  void keep_waiting_within_limit();
  void keep_out_bytes_within_limit();

  asio::any_io_executor ex_;
  chat_log& log_;
  flusher flusher_;
  room_table rooms_;
  hub_counters count_;
  record_ledger ledger_;
  catch_up pace_;
  replay_gate replays_;
  hub_context context_;
  negotiated_ids ids_;
  origin_policy origins_;
  std::set<session*> sessions_;
  std::unordered_map<std::string, session*> resumable_;  // by token, with stateful reconnect
  net::condition session_gone_;
  net::stop_event stopping_;
  bool is_draining_ = false;
  bool is_out_of_descriptors_ = false;
  net::time_point next_origin_complaint_{}, next_memory_complaint_{};
};

// The value of a query parameter, not decoded; empty when it is not there.
std::string_view query_parameter(std::string_view query, std::string_view name);

}  // namespace ordeal::chat
