// Durations as reports and messages show them.
#pragma once

#include <chrono>

namespace ordeal::harness {

inline double seconds(std::chrono::nanoseconds duration) {
  return std::chrono::duration<double>(duration).count();
}

}  // namespace ordeal::harness
