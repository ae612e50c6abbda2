// One WebSocket of a session, from its upgrade to its end: one reader that hands records to the
// session, one writer that takes frames from it. A session with stateful reconnect has several, one
// after the other. One thread.
//
//      socket ──▶ reader ──▶ session.take_record
//             ◀── writer ◀── session.next_frame
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "net/hub/codec.h"
#include "net/websocket.h"
#include "reference-server/hub/counters.h"
#include "reference-server/hub/keepalive.h"
#include "reference-server/hub/out_queue.h"
#include "reference-server/hub/wake_slot.h"

namespace ordeal::chat {

// The session as its connection sees it.
class connection_owner {
 public:
  // What goes out next; empties `frame` when there is nothing for now.
  virtual void next_frame(std::vector<record_ptr>& frame) = 0;
  virtual void on_frame_written() = 0;

  // One record of the client, without its separator.
  virtual void take_record(std::string_view record) = 0;
  virtual void on_record_too_long() = 0;
  // Backpressure: while a client asks for too much, its socket is not read.
  virtual bool is_saturated() const = 0;
  virtual asio::awaitable<void> wait_until_unsaturated() = 0;

  // Closing: the queue has its last record, nothing that arrives counts any more.
  virtual bool is_ending() const = 0;
  virtual bool has_sent_everything() const = 0;
  virtual asio::awaitable<void> say_goodbye(net::websocket& socket) = 0;

  // The reader or the writer is done, or the connection was aborted.
  virtual void on_connection_change() = 0;

 protected:
  ~connection_owner() = default;
};

class connection {
 public:
  connection(connection_owner& owner, hub_counters& count, std::size_t record_bytes_max,
             std::unique_ptr<net::websocket> socket);
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;

  // Both are children of the owner's group; the connection stays until is_done().
  asio::awaitable<void> read_loop();
  asio::awaitable<void> write_loop();
  bool is_done() const { return is_reader_done_ && is_writer_done_; }

  // Writes what the owner has, without waiting as far as the socket takes it.
  void flush();

  // Both loops end soon.
  void abort() noexcept;
  bool is_aborted() const { return is_over_; }

  keepalive_state& alive() { return alive_; }
  const net::websocket& socket() const { return *socket_; }

 private:
  asio::awaitable<void> read_to_the_end();
  asio::awaitable<void> take_records(std::string_view frame);
  asio::awaitable<void> write_to_the_end();
  asio::awaitable<void> write_frames();
  asio::awaitable<net::error_code> write_frame();
  void write_at_once();
  void next_frame();
  void on_frame_written();

  connection_owner& owner_;
  hub_counters& count_;
  std::unique_ptr<net::websocket> socket_;
  wake_slot writable_;  // the writer waits here
  net::hub::record_splitter splitter_;
  std::vector<record_ptr> frame_;  // being written
  std::vector<asio::const_buffer> parts_;
  keepalive_state alive_;
  bool is_flush_due_ = false;
  bool has_rest_ = false;  // the socket took a part of frame_
  bool is_over_ = false;   // nobody writes any more
  bool is_reader_done_ = false;
  bool is_writer_done_ = false;
};

}  // namespace ordeal::chat
