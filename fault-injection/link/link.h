// One link: a TCP proxy between one node and Redis, with toxics. Traffic flows on the proxy thread; the members here
// are called on the control thread.
//
//    node ──▶ listener 127.0.0.1:p ──▶ [toxics, up]   ──▶ Redis
//         ◀──────────────────────── ◀── [toxics, down] ◀──
//
// The toxics of a link are one immutable value with a generation; a new value replaces the old one as a whole and
// reaches also the connections that are open. Control calls never wait for data.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <cstdint>
#include <memory>

namespace ordeal::fault {

namespace asio = boost::asio;

struct toxics {
  bool is_blackhole = false;       // bytes of both directions are swallowed, new connections accepted and ignored
  bool is_refusing = false;        // the listener is closed: connects are refused. Open connections are reset
  std::chrono::nanoseconds latency{0};  // each chunk is delayed by it, in each direction
  std::chrono::nanoseconds jitter{0};   // plus a uniform draw in [0, jitter), order kept
};

struct link_counters {
  std::uint64_t accepted = 0;         // connections since start
  std::uint64_t open = 0;
  std::uint64_t bytes_up = 0;         // node to Redis, forwarded
  std::uint64_t bytes_down = 0;
  std::uint64_t bytes_swallowed = 0;  // by blackhole
  std::uint64_t resets = 0;           // connections reset by toxics
  std::uint64_t generation = 0;       // of the toxics in force
};

class link {
 public:
  virtual ~link() = default;
  virtual std::uint16_t port() const = 0;                                    // where the node connects
  virtual asio::awaitable<void> apply(toxics next) = 0;                      // returns when in force
  virtual asio::awaitable<std::uint64_t> reset_connections() = 0;            // RST to every open one; how many
  virtual asio::awaitable<link_counters> counters() = 0;
};

// All links of a run; owns the proxy thread. Destroying it closes everything and joins the thread.
class link_group {
 public:
  virtual ~link_group() = default;
  // A link to `upstream`, its seed for jitter. Throws std::runtime_error when it cannot listen.
  virtual std::unique_ptr<link> add(asio::ip::tcp::endpoint upstream, std::uint64_t seed) = 0;
};

std::unique_ptr<link_group> make_link_group();

}  // namespace ordeal::fault
