// How busy the fleet's thread was, and whether its loop ever stood still: what it measures then is its own delay.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <optional>

#include "harness/history/event.h"
#include "harness/run/fleet_thread.h"
#include "net/async/clock.h"

namespace ordeal::harness {

// Deciding: a timer on the observed loop, every tenth of a second; how late it rings is how long
// the loop took nothing.
class loop_meter {
 public:
  // `cpu`: processor time of the thread so far.
  loop_meter(net::time_point now, std::chrono::nanoseconds cpu);

  net::time_point due() const { return due_; }
  // The timer rang. Once a second the answer is what to report; `at` is left at zero.
  std::optional<observer_usage> rang(net::time_point now, std::chrono::nanoseconds cpu);

 private:
  net::time_point due_, since_;
  std::chrono::nanoseconds cpu_, stall_{};
};

// Doing: to be run on the fleet's thread; writes to its recorder until `is_over`, which is written on that thread.
// Everything given by reference outlives it.
net::asio::awaitable<void> observe_fleet(fleet_thread& there, const bool& is_over);

}  // namespace ordeal::harness
