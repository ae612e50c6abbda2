// A wire of limited bandwidth that several connections share, in one direction: whoever has bytes takes
// it for a small piece, in the order of asking, and may send when the piece has passed. No I/O, no
// clock; one thread.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "net/async/clock.h"

namespace ordeal::fault {

class pacer {
 public:
  // As many bytes as are taken at once: a fiftieth of a second, so that connections take turns.
  static std::size_t piece_bytes(std::uint64_t bytes_per_second) {
    return static_cast<std::size_t>(
        std::clamp<std::uint64_t>(bytes_per_second / 50, 256, 64U << 10));
  }

  // When `count` bytes have passed that are ready now.
  net::time_point take(std::size_t count, std::uint64_t bytes_per_second, net::time_point now) {
    constexpr std::uint64_t second_ns = 1'000'000'000;
    const std::uint64_t duration_ns = count * second_ns / bytes_per_second;
    free_at_ = std::max(free_at_, now) + net::nanoseconds(static_cast<std::int64_t>(duration_ns));
    return free_at_;
  }

 private:
  net::time_point free_at_ = net::time_point::min();
};

}  // namespace ordeal::fault
