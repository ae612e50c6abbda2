// One client's connection: handshake, one reader that dispatches, one writer that sends what is
// queued. The hub keeps a plain pointer while run() is on its way. One thread.
//
//      socket ──▶ reader ──▶ Send ──▶ log.append ─┐ completion
//             │         └──▶ Join/Leave ──▶ rooms │
//             ◀── writer ◀── queue ◀── fan-out ◀──┘
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "net/async/task_group.h"
#include "net/hub/codec.h"
#include "net/websocket.h"
#include "reference-server/hub/keepalive.h"
#include "reference-server/hub/subscriptions.h"
#include "reference-server/hub/wake_slot.h"

namespace ordeal::chat {

class session final : public client_link {
 public:
  session(asio::any_io_executor ex, hub_context& context, std::unique_ptr<net::websocket> socket);
  session(const session&) = delete;
  session& operator=(const session&) = delete;
  ~session() override;

  // Serves the client until the connection is over; returns with nothing of it left.
  asio::awaitable<void> run();

  // Once in a while: pings, timeouts, the end of a close that takes too long.
  void tick(net::time_point now);

  // Takes no more calls; closes when every Send on its way is answered.
  void drain();
  void abort() noexcept { socket_->abort(); }

  void on_gap(position to) { rooms_.on_gap(to); }
  void on_fork(position common, position to) { rooms_.on_fork(common, to); }

  void flush() override;
  void send(record_ptr record) override;
  asio::awaitable<void> wait_for_room() override;
  void end_for_resume(end_cause cause, std::string reason) override;

 private:
  asio::awaitable<void> read_loop();
  asio::awaitable<void> read_to_the_end();
  asio::awaitable<void> write_loop();
  asio::awaitable<void> write_frames();
  void write_at_once();
  void next_frame();
  void on_frame_written();
  asio::awaitable<void> take_records(std::string_view frame);
  asio::awaitable<void> wait_until_unsaturated();
  asio::awaitable<void> append(std::string invocation_id, send_call wanted);

  void take_record(std::string_view record);
  void take_handshake(std::string_view record);
  void take_invocation(const net::hub::message& invocation);
  void answer(const std::string& invocation_id, const append_outcome& outcome);
  void answer_error(std::string_view invocation_id, std::string_view error);
  bool is_saturated() const;
  void end(end_cause cause, net::close_code code, std::string reason, bool allow_reconnect);
  void end_with(record_ptr last, end_cause cause, net::close_code code, std::string reason);
  void end_broken(std::string reason);

  hub_context& context_;
  std::unique_ptr<net::websocket> socket_;
  net::task_group tasks_;
  net::condition changed_;  // the reader and replays wait here
  wake_slot writable_;      // the writer waits here
  subscriptions rooms_;
  net::hub::record_splitter splitter_;
  std::vector<record_ptr> frame_;  // being written
  std::vector<asio::const_buffer> parts_;
  keepalive_state alive_;
  std::size_t sends_in_flight_ = 0;
  bool is_flush_due_ = false;
  bool has_rest_ = false;  // the socket took a part of frame_
  bool is_draining_ = false;
  bool is_ending_ = false;
  bool is_writer_done_ = false;
  bool is_over_ = false;  // the connection is gone: nobody writes any more
  end_cause cause_ = end_cause::peer;
  net::close_code close_code_ = net::close_code::normal;
  std::string close_reason_;
  net::time_point close_deadline_{};
};

}  // namespace ordeal::chat
