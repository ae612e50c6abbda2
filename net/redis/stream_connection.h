// The connection over any Asio stream: a plain socket in open_stream.cpp, TLS in tls.cpp. Private to this folder.
#pragma once

#include <linux/sockios.h>
#include <sys/ioctl.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/completion_condition.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <deque>
#include <utility>
#include <vector>

#include "net/async/assert.h"
#include "net/async/deadline.h"
#include "net/redis/connection.h"
#include "net/redis/reply_reader.h"

namespace ordeal::net::redis {

// What this folder needs of its connections besides.
class raw_connection : public connection {
 public:
  // As exec, but without a limit, and a failure does not close: for whoever holds a deadline around more than this.
  virtual asio::awaitable<exec_result> exchange(const request& what) = 0;
  // Waits for what comes unasked (the messages of a subscriber), one at least; without a limit, until close().
  virtual asio::awaitable<exec_result> receive() = 0;
};

// An error of the stream in the words of this folder: the ways in which it can end are errc::closed.
using translate_error = error_code (*)(error_code);

// A peer that was spoken to without TLS answers with an alert of TLS 1.x.
inline bool is_tls_alert(std::string_view bytes) {
  return bytes.size() >= 2 && bytes[0] == '\x15' && bytes[1] == '\x03';
}

template <class Stream>
class stream_connection final : public raw_connection {
 public:
  template <class... Arguments>
  explicit stream_connection(translate_error translate, Arguments&&... arguments)
      : stream_(std::forward<Arguments>(arguments)...),
        translate_(translate),
        input_(read_chunk_bytes) {}

  Stream& stream() { return stream_; }

  asio::awaitable<exec_result> exec(const request& what, std::chrono::milliseconds limit) override;
  asio::awaitable<error_code> send(const request& what, std::chrono::milliseconds limit) override;
  asio::awaitable<exec_result> hear(std::chrono::milliseconds limit) override;
  asio::awaitable<exec_result> exchange(const request& what) override;
  asio::awaitable<exec_result> receive() override;

  // The connection is given up: whether closing worked, and what TLS would say in farewell, does not matter.
  void close() noexcept override {
    error_code ignored;
    stream_.lowest_layer().close(ignored);
  }
  bool is_open() const override { return stream_.lowest_layer().is_open(); }
  std::uint64_t bytes_moved() const override { return moved_; }

 private:
  static constexpr std::size_t read_chunk_bytes = 64U << 10;
  // Of the replies to one request: the reader holds them whole.
  static constexpr std::uint64_t reply_bytes_max = 256U << 20;

  static error_code& error_of(exec_result& result) { return result.ec; }
  static error_code& error_of(error_code& result) { return result; }

  // A call of the caller: one at a time, as long as it moves; what fails ends the connection.
  template <class Result>
  asio::awaitable<Result> limited(asio::awaitable<Result> call, std::chrono::milliseconds limit);
  asio::awaitable<error_code> write(const request& what);
  asio::awaitable<exec_result> read_next();
  asio::awaitable<error_code> read_replies(std::size_t count_min, std::size_t count_max,
                                           std::vector<reply>& replies);
  error_code take_replies(std::size_t count_max, std::vector<reply>& replies);
  std::uint64_t passed();

  Stream stream_;
  translate_error translate_;
  reply_reader reader_;
  std::vector<char> input_;
  std::uint64_t moved_ = 0;
  std::deque<std::size_t> expected_;  // replies to each request without one
  error_code write_failure_;
  bool has_replied_ = false;
  bool is_busy_ = false;
};

// Changes when the peer has taken something, or something has come: what lies in the system's buffer has not gone far.
template <class Stream>
std::uint64_t stream_connection<Stream>::passed() {
  int waiting = 0;
  if (::ioctl(stream_.lowest_layer().native_handle(), SIOCOUTQ, &waiting) != 0) waiting = 0;
  return moved_ - static_cast<std::uint64_t>(waiting);
}

template <class Stream>
template <class Result>
asio::awaitable<Result> stream_connection<Stream>::limited(asio::awaitable<Result> call,
                                                           std::chrono::milliseconds limit) {
  ORDEAL_ASSERT(!is_busy_);
  Result result;
  error_code& ec = error_of(result);
  if (!is_open()) {
    ec = make_error_code(errc::closed);
    co_return result;
  }
  is_busy_ = true;
  const auto moved = [this] { return passed(); };
  auto finished = co_await net::while_moving(std::move(call), limit, moved);
  is_busy_ = false;
  if (finished) {
    result = std::move(*finished);
  } else {
    ec = make_error_code(errc::command_timeout);
  }
  // After a failure a late reply would be taken for the answer to the next request.
  if (ec) close();
  co_return result;
}

template <class Stream>
asio::awaitable<exec_result> stream_connection<Stream>::exec(const request& what,
                                                             std::chrono::milliseconds limit) {
  ORDEAL_ASSERT(!is_open() || expected_.empty());
  return limited(exchange(what), limit);
}

template <class Stream>
asio::awaitable<error_code> stream_connection<Stream>::send(const request& what,
                                                            std::chrono::milliseconds limit) {
  return limited(write(what), limit);
}

template <class Stream>
asio::awaitable<exec_result> stream_connection<Stream>::hear(std::chrono::milliseconds limit) {
  return limited(read_next(), limit);
}

template <class Stream>
asio::awaitable<exec_result> stream_connection<Stream>::exchange(const request& what) {
  exec_result result;
  result.ec = co_await write(what);
  if (!result.ec) result = co_await read_next();
  co_return result;
}

// Fails only when it was given up: a server that is full says so, closes, and resets what we send. What it says is
// read first.
template <class Stream>
asio::awaitable<error_code> stream_connection<Stream>::write(const request& what) {
  const std::string_view bytes = what.bytes();
  const auto buffer = asio::buffer(bytes.data(), bytes.size());
  const auto token = asio::as_tuple(asio::use_awaitable);
  const std::uint64_t before = moved_;
  const auto count = [this, before](const error_code& ec, std::size_t size) {
    moved_ = before + size;
    return asio::transfer_all()(ec, size);
  };
  expected_.push_back(what.size());
  const auto [ec, written] = co_await asio::async_write(stream_, buffer, count, token);
  if (ec == asio::error::operation_aborted) co_return ec;
  if (ec && !write_failure_) write_failure_ = ec;
  co_return error_code();
}

template <class Stream>
asio::awaitable<exec_result> stream_connection<Stream>::read_next() {
  exec_result result;
  const std::size_t count = expected_.front();
  expected_.pop_front();
  result.ec = take_replies(count, result.replies);
  if (!result.ec && result.replies.size() < count)
    result.ec = co_await read_replies(count, count, result.replies);
  // More replies than requests: this is no longer a conversation.
  if (!result.ec && expected_.empty() && reader_.take())
    result.ec = make_error_code(errc::protocol_error);
  if (!result.ec && write_failure_) result.ec = translate_(write_failure_);
  co_return result;
}

template <class Stream>
asio::awaitable<exec_result> stream_connection<Stream>::receive() {
  exec_result result;
  const std::size_t all = result.replies.max_size();
  result.ec = take_replies(all, result.replies);
  if (result.ec || !result.replies.empty()) co_return result;
  result.ec = co_await read_replies(1, all, result.replies);
  co_return result;
}

template <class Stream>
asio::awaitable<error_code> stream_connection<Stream>::read_replies(std::size_t count_min,
                                                                    std::size_t count_max,
                                                                    std::vector<reply>& replies) {
  const auto token = asio::as_tuple(asio::use_awaitable);
  const auto buffer = asio::buffer(input_);
  const std::uint64_t begun = moved_;
  while (replies.size() < count_min) {
    if (moved_ - begun > reply_bytes_max) co_return make_error_code(errc::reply_too_large);
    const auto [ec, size] = co_await stream_.async_read_some(buffer, token);
    if (ec) co_return translate_(ec);
    moved_ += size;
    const std::string_view bytes(input_.data(), size);
    if (!has_replied_ && is_tls_alert(bytes)) co_return make_error_code(errc::tls_expected);
    has_replied_ = true;
    reader_.feed(bytes);
    if (const error_code parse_ec = take_replies(count_max, replies)) co_return parse_ec;
  }
  co_return error_code();
}

template <class Stream>
error_code stream_connection<Stream>::take_replies(std::size_t count_max,
                                                   std::vector<reply>& replies) {
  while (replies.size() < count_max) {
    std::optional<reply> next = reader_.take();
    if (!next) break;
    replies.push_back(std::move(*next));
  }
  return reader_.is_broken() ? make_error_code(errc::protocol_error) : error_code();
}

}  // namespace ordeal::net::redis
