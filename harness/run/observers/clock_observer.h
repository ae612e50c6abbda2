// Whether the machine's clocks went on as clocks do. All times of a run are monotonic, so a step of the wall clock
// harms no judgement of ours, but it harms servers that compare wall times; a suspended machine harms both.
#pragma once

#include <chrono>
#include <optional>

#include "harness/history/event.h"

namespace ordeal::harness {

// The clocks of one moment, each since an origin of its own.
struct clock_readings {
  std::chrono::nanoseconds wall{};
  std::chrono::nanoseconds monotonic{};
  std::chrono::nanoseconds
      boot{};  // counts while the machine sleeps, which the monotonic one does not
};

// nullopt when this thread was held up in the middle at every attempt, so that the readings are not of one moment.
std::optional<clock_readings> read_clocks();

// What happened between two readings; nullopt: nothing that matters. A clock that is slewed to the right time differs
// by less than the bound, whatever the daemon that does it. `at` is left at zero.
std::optional<clock_jumped> find_jump(const clock_readings& before, const clock_readings& after);

}  // namespace ordeal::harness
