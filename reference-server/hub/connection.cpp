#include "reference-server/hub/connection.h"

#include <exception>
#include <span>
#include <utility>

namespace ordeal::chat {

connection::connection(connection_owner& owner, hub_counters& count, std::size_t record_bytes_max,
                       std::unique_ptr<net::websocket> socket)
    : owner_(owner), count_(count), socket_(std::move(socket)), splitter_(record_bytes_max) {
  alive_.opened = alive_.received = alive_.sent = net::now();
}

asio::awaitable<void> connection::read_loop() {
  std::exception_ptr failure;
  try {
    co_await read_to_the_end();
  } catch (...) {
    failure = std::current_exception();
  }
  if (failure || !owner_.is_ending()) abort();
  is_reader_done_ = true;
  // The writer finds out at once, without the flusher: that one may have stopped for good.
  is_flush_due_ = true;
  writable_.wake();
  owner_.on_connection_change();
  if (failure) std::rethrow_exception(failure);
}

asio::awaitable<void> connection::read_to_the_end() {
  for (;;) {
    const auto received = co_await socket_->read_some();
    if (received.ec) co_return;
    alive_.received = net::now();
    count_.received_bytes += received.message.size();
    co_await take_records(received.message);
  }
}

asio::awaitable<void> connection::take_records(std::string_view frame) {
  splitter_.feed(frame);
  while (const auto record = splitter_.take()) {
    if (owner_.is_saturated()) {
      alive_.is_reading = false;
      co_await owner_.wait_until_unsaturated();
      alive_.is_reading = true;
      alive_.received = net::now();
    }
    // The session may go on with another socket by now, where the client sends the rest again.
    if (is_over_) co_return;
    owner_.take_record(*record);
  }
  if (splitter_.is_overflown()) owner_.on_record_too_long();
}

void connection::flush() {
  is_flush_due_ = true;
  const bool is_writer_idle = writable_.is_waiting() && frame_.empty();
  if (is_writer_idle && !owner_.is_ending()) write_at_once();
  if (is_flush_due_) writable_.wake();
}

// What the socket takes without waiting goes out from here, without resuming the writer: a broadcast
// costs one system call a socket and little else. The writer gets what is left.
void connection::write_at_once() {
  is_flush_due_ = false;
  for (;;) {
    next_frame();
    if (frame_.empty()) return;
    const auto result = socket_->try_write(parts_);
    if (result != net::websocket::try_result::sent) {
      has_rest_ = result == net::websocket::try_result::partly;
      is_flush_due_ = true;
      return;
    }
    on_frame_written();
  }
}

asio::awaitable<void> connection::write_loop() {
  std::exception_ptr failure;
  try {
    co_await write_to_the_end();
  } catch (...) {
    failure = std::current_exception();
    abort();
  }
  is_writer_done_ = true;
  owner_.on_connection_change();
  if (failure) std::rethrow_exception(failure);
}

asio::awaitable<void> connection::write_to_the_end() {
  co_await write_frames();
  if (owner_.is_ending() && !is_over_) co_await owner_.say_goodbye(*socket_);
}

// Until the last record is out, or the connection is broken: the reader sees that as well.
asio::awaitable<void> connection::write_frames() {
  for (;;) {
    while (!is_flush_due_ && !is_over_) co_await writable_.wait();
    if (is_over_) co_return;
    if (frame_.empty()) next_frame();
    is_flush_due_ = !frame_.empty();
    if (!frame_.empty()) {
      const net::error_code ec = co_await write_frame();
      if (ec) {
        abort();
        co_return;
      }
      on_frame_written();
    }
    if (owner_.has_sent_everything()) co_return;
  }
}

asio::awaitable<net::error_code> connection::write_frame() {
  if (std::exchange(has_rest_, false)) co_return co_await socket_->write_rest();
  const std::span<const asio::const_buffer> parts(parts_);
  co_return co_await socket_->write(parts);
}

void connection::next_frame() {
  owner_.next_frame(frame_);
  parts_.clear();
  for (const auto& record : frame_) parts_.push_back(asio::buffer(*record));
}

void connection::on_frame_written() {
  owner_.on_frame_written();
  alive_.sent = net::now();
  for (const auto& record : frame_) count_.sent_bytes += record->size();
  count_.frames.observe(frame_.size());
  frame_.clear();
}

void connection::abort() noexcept {
  is_over_ = true;
  socket_->abort();
  owner_.on_connection_change();
}

}  // namespace ordeal::chat
