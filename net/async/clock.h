// The only place that reads clocks. Durations and deadlines use the monotonic clock; the wall clock is for people
// (file names, log lines) and is never subtracted.
#pragma once

#include <chrono>
#include <string>

namespace ordeal::net {

using steady_clock = std::chrono::steady_clock;
using time_point = steady_clock::time_point;
using nanoseconds = std::chrono::nanoseconds;

inline time_point now() {
  return steady_clock::now();
}

// Now on the wall, UTC: "2026-11-22T07:40:11.123Z".
std::string wall_time_iso8601();

// Now on the wall, UTC, for file names: "20261122T074011Z".
std::string wall_time_compact();

}  // namespace ordeal::net
