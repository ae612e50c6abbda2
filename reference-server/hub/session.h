// One client: its rooms, its queue, its calls, and the connection that it has at the moment. The
// hub keeps a plain pointer while run() is on its way. One thread.
//
//      connection ──▶ take_record ──▶ Send ──▶ log.append ─┐ completion
//                 │              └──▶ Join/Leave ──▶ rooms │
//                 ◀── next_frame ◀── queue ◀── fan-out ◀───┘
//
// With stateful reconnect the session outlives its connection for a while: calls and replays go on,
// the queue fills, and the next socket with the same id gets what the client has not acknowledged.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/async/clock.h"
#include "net/async/task_group.h"
#include "net/hub/codec.h"
#include "net/hub/message_buffer.h"
#include "net/websocket.h"
#include "reference-server/hub/connection.h"
#include "reference-server/hub/subscriptions.h"

namespace ordeal::chat {

class session final : public client_link, private connection_owner {
 public:
  // `wants_resume`: stateful reconnect was negotiated. `sender`: whose its message ids are (sender.h).
  session(asio::any_io_executor ex, hub_context& context, bool wants_resume, std::string sender);
  session(const session&) = delete;
  session& operator=(const session&) = delete;
  ~session() override;

  // Serves the client until the session is over; returns with nothing of it left.
  asio::awaitable<void> run(std::unique_ptr<net::websocket> socket);

  // Another socket of the same client: the present one, if there is still one, is aborted.
  bool may_take_over() const {
    return buffer_.has_value() && !is_ending_ && !is_draining_ && !is_over_;
  }
  void take_over(std::unique_ptr<net::websocket> socket);

  // Without a connection, until a given time.
  bool is_waiting() const { return is_waiting_; }
  net::time_point waiting_until() const { return waiting_until_; }
  // What it keeps for its client.
  std::size_t kept_bytes() const { return queue.bytes() + (buffer_ ? buffer_->bytes() : 0); }
  void stop_waiting();

  // For what all clients have waiting together: the memory of its part that is its own, and its end.
  std::size_t slot_bytes() const { return queue.count() * sizeof(record_ptr); }
  bool is_leaving() const { return is_ending_; }
  bool may_be_cut_off() const { return !is_ending_ && queue.bytes() > 0; }
  void cut_off_for_memory(net::time_point now);

  // Once in a while: pings, acks, timeouts, the end of a close that takes too long.
  void tick(net::time_point now);

  // Takes no more calls; closes when every Send on its way is answered.
  void drain();
  void abort() noexcept;

  void on_gap(position to) { rooms_.on_gap(to); }
  void on_fork(position common, position to) { rooms_.on_fork(common, to); }

  void flush() override;
  void send(std::string record) override;
  bool has_room() const override;
  asio::awaitable<void> wait_for_room() override;
  void end_for_resume(end_cause cause, std::string reason) override;

 private:
  void next_frame(std::vector<record_ptr>& frame) override;
  void on_frame_written() override;
  void take_record(std::string_view record) override;
  void on_record_too_long() override;
  bool is_saturated() const override;
  asio::awaitable<void> wait_until_unsaturated() override;
  bool is_ending() const override { return is_ending_; }
  bool has_sent_everything() const override;
  asio::awaitable<void> say_goodbye(net::websocket& socket) override;
  void on_connection_change() override;

  asio::awaitable<void> serve_socket();
  asio::awaitable<void> wait_for_socket();
  bool may_wait_for_socket() const;
  void go_on_with_new_socket();
  asio::awaitable<void> append(std::string invocation_id, send_call wanted);
  asio::awaitable<void> join(std::string invocation_id, join_call wanted);

  void take_handshake(std::string_view record);
  void take_message(const net::hub::message& message);
  void take_ack(std::uint64_t sequence_id);
  void take_sequence(std::uint64_t sequence_id);
  void take_invocation(const net::hub::message& invocation);
  void start_join(std::string invocation_id, join_call wanted);
  void answer(const std::string& invocation_id, const append_outcome& outcome);
  void answer_error(std::string_view invocation_id, std::string_view error);
  void send_control(std::string record);
  void watch_queue();
  void send_ack();
  void end(end_cause cause, net::close_code code, std::string reason, bool allow_reconnect);
  void end_with(std::string last, end_cause cause, net::close_code code, std::string reason);
  void end_broken(std::string reason);

  hub_context& context_;
  net::task_group tasks_;              // the loops of the connection, Sends, Joins
  net::condition changed_;             // the reader and replays wait here
  net::condition connection_changed_;  // run() waits here
  subscriptions rooms_;
  std::optional<connection> connection_;
  std::unique_ptr<net::websocket> next_socket_;
  std::optional<net::hub::message_buffer>
      buffer_;                       // from the handshake on, with stateful reconnect
  std::vector<record_ptr> control_;  // untracked records: they go before everything in the queue
  net::time_point acked_ = net::now();
  net::time_point waiting_until_{};
  std::size_t sends_in_flight_ = 0;
  std::size_t joins_in_flight_ = 0;
  bool wants_resume_;
  std::string sender_;
  bool has_handshaken_ = false;
  bool has_client_left_ = false;
  bool is_waiting_ = false;
  bool is_draining_ = false;
  bool is_ending_ = false;
  bool is_over_ = false;  // nothing is served any more
  end_cause cause_ = end_cause::peer;
  net::close_code close_code_ = net::close_code::normal;
  std::string close_reason_;
  net::time_point close_deadline_{};
};

}  // namespace ordeal::chat
