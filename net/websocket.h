// A WebSocket connection, client or server side, without Beast in sight. Text messages only.
//
// One thread; one reader and one writer for the whole life of the connection: at most one read() and one
// write() or close() outstanding at a time. Pings and pongs are answered inside while a read is outstanding.
// A connection that failed or timed out is destroyed, never reused.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ordeal::net {

namespace asio = boost::asio;
using error_code = boost::system::error_code;

struct websocket_limits {
  std::size_t message_bytes_max = 1U << 20;  // zero: no limit, for those who only read_some()
  std::chrono::milliseconds handshake_timeout{10'000};  // upgrade and closing handshake
  // Silence of the peer; pings go out at half of it. Zero: the owner watches over the peer itself, which saves arming
  // a timer at every read, and allows try_write.
  std::chrono::milliseconds idle_timeout{60'000};
};

enum class close_code : std::uint16_t {
  normal = 1000,
  going_away = 1001,
  protocol_error = 1002,
  policy = 1008,  // also: too slow, resume elsewhere
  too_big = 1009,
  internal_error = 1011,
  try_again_later = 1013
};

struct read_result {
  error_code ec;             // end of the connection, in whatever way
  std::string_view message;  // valid until the next read()
};

class websocket {
 public:
  virtual ~websocket() = default;

  // The next whole message. After an error: close_reason() says what the peer said, if it said anything.
  virtual asio::awaitable<read_result> read() = 0;

  // As read, but returns with any part of a message, at most 64 KiB of it: for protocols that do not care where
  // messages end, and bound by themselves what they keep. Not to be mixed with read().
  virtual asio::awaitable<read_result> read_some() { return read(); }

  // Sends ONE text message made of `parts` one after the other (one frame, one system call where the kernel allows).
  // The bytes must stay alive until it returns. The span's array is copied first.
  virtual asio::awaitable<error_code> write(std::span<const asio::const_buffer> parts) = 0;

  enum class try_result {
    sent,    // all of it is on its way
    partly,  // the socket took a part: nothing else may be written before write_rest()
    refused  // nothing was sent, and write() is the way: something is being written, or the socket is full
  };
  // As write, without waiting and without a coroutine: for servers that write one broadcast to many sockets. Server
  // side and idle_timeout zero only, refused otherwise.
  virtual try_result try_write(std::span<const asio::const_buffer> parts) = 0;
  virtual asio::awaitable<error_code> write_rest() = 0;

  // The closing handshake, bounded by handshake_timeout. Errors do not matter: the connection is over either way.
  virtual asio::awaitable<void> close(close_code code, std::string_view reason) = 0;

  // Closes the TCP connection at once; outstanding operations end with an error. Never blocks, callable repeatedly.
  virtual void abort() noexcept = 0;

  // What the peer gave as reason when it closed; 0 and empty when it closed without, or not at all.
  virtual std::pair<std::uint16_t, std::string> close_reason() const = 0;

  // "127.0.0.1:4711", for log lines.
  virtual std::string peer() const = 0;
};

struct websocket_url {
  std::string
      host;  // an IP address or "localhost"; the fleet connects to loopback or attached targets
  std::uint16_t port = 0;
  std::string path = "/";  // with query
};

struct connect_result {
  error_code ec;
  std::unique_ptr<websocket> connection;  // set when !ec
  unsigned http_status = 0;               // the answer, when the server refused the upgrade
};

// TCP connect and upgrade, both within limits.handshake_timeout. TCP_NODELAY is set.
asio::awaitable<connect_result> connect_websocket(websocket_url url, websocket_limits limits);

}  // namespace ordeal::net
