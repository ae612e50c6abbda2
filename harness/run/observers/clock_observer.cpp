#include "harness/run/observers/clock_observer.h"

#include <algorithm>
#include <ctime>

namespace ordeal::harness {
namespace {

using std::chrono::nanoseconds;

constexpr int attempt_max = 5;
constexpr std::chrono::milliseconds moment_max{10};
// A second of the most eager slewing (chrony: 83 ms) stays below.
constexpr std::chrono::milliseconds bound_per_second{100};

nanoseconds read(clockid_t which) {
  timespec now{};
  clock_gettime(which, &now);
  return std::chrono::seconds(now.tv_sec) + nanoseconds(now.tv_nsec);
}

}  // namespace

std::optional<clock_readings> read_clocks() {
  for (int attempt = 0; attempt < attempt_max; ++attempt) {
    clock_readings now;
    now.monotonic = read(CLOCK_MONOTONIC);
    now.wall = read(CLOCK_REALTIME);
    now.boot = read(CLOCK_BOOTTIME);
    if (read(CLOCK_MONOTONIC) - now.monotonic <= moment_max) return now;
  }
  return std::nullopt;
}

std::optional<clock_jumped> find_jump(const clock_readings& before, const clock_readings& after) {
  const nanoseconds passed = after.monotonic - before.monotonic;
  const nanoseconds bound = std::max<nanoseconds>(bound_per_second, passed / 10);
  const nanoseconds slept = after.boot - before.boot - passed;
  // The wall clock jumps over a sleep as well: that is one event.
  if (slept > bound) return clock_jumped{{}, slept, true};
  const nanoseconds step = after.wall - before.wall - passed;
  if (step > bound || step < -bound) return clock_jumped{{}, step, false};
  return std::nullopt;
}

}  // namespace ordeal::harness
