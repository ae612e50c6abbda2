// One connection through a link: two sockets and, for each direction, a reader that fills a
// delay_queue and a writer that empties it.
//
//    node ──▶ reader ──▶ up queue ──▶ writer ──▶ upstream
//         ◀── writer ◀── down queue ◀── reader ◀──
//
// Sockets are waited for and then used without blocking, so every read and write happens under the
// toxics in force at that moment and a change never has to cancel anything. Proxy thread only.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <memory>

#include "fault-injection/link/delay_queue.h"
#include "fault-injection/link/link.h"
#include "fault-injection/link/link_tap.h"
#include "fault-injection/link/pacer.h"
#include "net/async/condition.h"
#include "net/async/random.h"

namespace ordeal::fault {

// What the connections of a link share with it.
struct link_state {
  explicit link_state(std::uint64_t seed) : jitter(seed, "link jitter") {}

  toxics in_force;
  link_counters counters;
  link_counters of_observers;  // their share, in none of the above
  net::random_stream jitter;
  pacer up, down;

  net::nanoseconds draw_delay();
  // Zero: unlimited.
  std::uint64_t bytes_per_second(link_way way) const {
    return way == link_way::up ? in_force.bytes_per_second_up : in_force.bytes_per_second_down;
  }
  pacer& pacer_of(link_way way) { return way == link_way::up ? up : down; }
};

class proxied_connection {
 public:
  // `state` outlives it. `tap` may be null. An observer's bytes count apart.
  proxied_connection(asio::ip::tcp::socket node, link_state& state, bool is_observer,
                     std::unique_ptr<connection_tap> tap);

  bool is_observer() const { return &counters_ != &state_.counters; }

  // Dials upstream and forwards until both directions have ended or the connection was reset or
  // closed.
  asio::awaitable<void> run(asio::ip::tcp::endpoint upstream);

  // The toxics in `state` are new.
  void on_toxics_changed();
  // RST to both ends; run() then returns.
  void reset();
  // Plain close of both ends; run() then returns.
  void close();

 private:
  struct direction {
    direction(link_way name, asio::ip::tcp::socket& source, asio::ip::tcp::socket& sink,
              std::uint64_t& count);
    link_way which;
    asio::ip::tcp::socket& from;
    asio::ip::tcp::socket& to;
    std::uint64_t& forwarded_bytes;
    delay_queue queue;
    std::size_t paced_bytes = 0;  // of the front, that may go out at paced_at
    net::time_point paced_at{};
    net::condition changed;  // the queue, the toxics, or is_over_
  };

  asio::awaitable<bool> dial(asio::ip::tcp::endpoint upstream);
  bool has_room(const direction& way) const;
  // How many bytes of the front may go out now, and from when on the next may.
  std::size_t allowed_bytes(direction& way, net::time_point now);
  asio::awaitable<void> read_loop(direction& way);
  asio::awaitable<void> write_loop(direction& way);

  link_state& state_;
  link_counters& counters_;
  std::unique_ptr<connection_tap> tap_;
  asio::ip::tcp::socket node_;
  asio::ip::tcp::socket upstream_;
  direction up_;
  direction down_;
  bool is_over_ = false;
};

}  // namespace ordeal::fault
