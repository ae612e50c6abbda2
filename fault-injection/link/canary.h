// An observer of a link that shares nothing with it: a new connection from outside that sends an
// inline RESP PING and reports what came of it. Any reply counts as an answer, -NOAUTH included.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <cstdint>
#include <string>

#include "net/async/clock.h"
#include "net/async/condition.h"

namespace ordeal::fault {

namespace asio = boost::asio;

struct canary_report {
  net::error_code connect_ec;
  bool is_connected = false;
  net::error_code end_ec;         // how the connection ended before a reply, if it did
  std::string reply;              // its first line without the line end; empty: none
  net::nanoseconds round_trip{};  // with a reply: from sending to the reply
  std::chrono::milliseconds limit{};

  bool is_answered() const { return !reply.empty(); }
  bool is_silent() const { return is_connected && !is_answered() && !end_ec; }
  // "PING on a new connection: no reply in 300 ms"
  std::string describe() const;
};

// Connects to the loopback port and pings, both within `limit`.
asio::awaitable<canary_report> send_canary(std::uint16_t port, std::chrono::milliseconds limit);
// The same on the caller's socket, which stays open. It must be closed before and outlive the call.
asio::awaitable<canary_report> send_canary_on(asio::ip::tcp::socket& socket, std::uint16_t port,
                                              std::chrono::milliseconds limit);

// "12.3 ms"
std::string format_milliseconds(net::nanoseconds duration);

}  // namespace ordeal::fault
