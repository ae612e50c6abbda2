// Live messages first: replays take a third of the node's one core, in turns. What a client has missed is encoded for
// it alone, so a short Join can ask for a lot of work. Owned by the hub, outlives the sessions. One thread.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>

#include "net/async/clock.h"
#include "net/async/time_allowance.h"
#include "net/async/turnstile.h"

namespace ordeal::chat {

namespace asio = boost::asio;

class replay_gate {
 public:
  explicit replay_gate(asio::any_io_executor ex) : turns_(ex) {}

  // Returns when a step may begin; in the order of coming.
  asio::awaitable<void> pass() {
    net::turnstile::place mine(turns_);
    co_await mine.wait();
    for (auto now = net::now(); now < allowance_.due(); now = net::now())
      co_await net::sleep_for(allowance_.due() - now);
  }

  // What a step took of the core.
  void spend(net::time_point from, net::time_point to) {
    allowance_.spend(from, to);
    spent_ += to - from;
  }
  net::nanoseconds spent() const { return spent_; }

 private:
  static constexpr std::chrono::milliseconds burst{5};
  static constexpr int share = 2;  // of the rest: a third of the whole

  net::turnstile turns_;
  net::time_allowance allowance_{burst, share};
  net::nanoseconds spent_{0};
};

}  // namespace ordeal::chat
