// One link: a TCP proxy between one node and Redis, with toxics. Traffic flows on the proxy thread; the members here
// are called on the control thread.
//
//    node ──▶ listener 127.0.0.1:p ──▶ [toxics, up]   ──▶ Redis
//         ◀──────────────────────── ◀── [toxics, down] ◀──
//
// The toxics of a link are one immutable value with a generation; a new value replaces the old one as a whole and
// reaches also the connections that are open. Control calls never wait for data. No toxic loses or reorders a byte of
// a connection that lives on: it is late, or the connection is reset.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <utility>

#include "fault-injection/link/link_tap.h"

namespace ordeal::fault {

namespace asio = boost::asio;

struct toxics {
  // A cut network as applications see it: silence, then late. TCP would retransmit what the cut
  // lost, so the link holds everything back (bytes, FIN, RST; what it has no room for waits in the
  // kernel) and forwards it in order once the blackhole ends. New connections are accepted by the
  // kernel, nothing answers, and upstream is dialled afterwards, unless the node has given up by
  // then. What differs from a real cut: the sender's bytes are acknowledged, so TCP_USER_TIMEOUT
  // does not fire; only the application's own deadlines do.
  bool is_blackhole = false;
  bool is_refusing =
      false;  // the listener is closed: connects are refused. Open connections are reset
  std::chrono::nanoseconds latency{0};  // each chunk is delayed by it, in each direction
  std::chrono::nanoseconds jitter{0};   // plus a uniform draw in [0, jitter), order kept
  // What passes in each direction, all connections of the link together; zero: as much as there is.
  std::uint64_t bytes_per_second_up = 0, bytes_per_second_down = 0;
  std::chrono::nanoseconds reset_every{0};  // all open connections are reset so often; zero: never

  friend bool operator==(const toxics&, const toxics&) = default;
};

struct link_counters {
  // Of the node: what the observers of faults do (observer.h) is in none of them but `resets`.
  std::uint64_t accepted = 0;  // connections since start
  std::uint64_t open = 0;
  std::uint64_t bytes_up = 0;  // node to Redis, forwarded
  std::uint64_t bytes_down = 0;
  std::uint64_t bytes_swallowed =
      0;  // read and held back during a blackhole, both directions; forwarded after it
  std::uint64_t resets = 0;      // connections reset by toxics
  std::uint64_t generation = 0;  // of the toxics in force
};

class link {
 public:
  virtual ~link() = default;
  virtual std::uint16_t port() const = 0;                // where the node connects
  virtual toxics applied() const = 0;                    // the last value given to apply()
  virtual asio::awaitable<void> apply(toxics next) = 0;  // returns when in force
  virtual asio::awaitable<std::uint64_t>
  reset_connections() = 0;  // RST to every open one; how many
  virtual asio::awaitable<link_counters> counters() = 0;
};

// All links of a run; owns the proxy thread. Destroying it closes everything and joins the thread; a link that is
// still there afterwards may only be destroyed.
class link_group {
 public:
  virtual ~link_group() = default;
  // A link to `upstream`, its seed for jitter; `tap` listens to its connections. Throws std::runtime_error when it
  // cannot listen on a port.
  virtual std::unique_ptr<link> add(asio::ip::tcp::endpoint upstream, std::uint64_t seed,
                                    tap_maker tap) = 0;
  // The same with nobody listening.
  std::unique_ptr<link> add(asio::ip::tcp::endpoint upstream, std::uint64_t seed) {
    return add(std::move(upstream), seed, nullptr);
  }
};

std::unique_ptr<link_group> make_link_group();

}  // namespace ordeal::fault
