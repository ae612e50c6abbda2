// How a number that is sampled again and again goes over a run of any length: does it climb without end, or only rise
// to a level, jump once, or swing? Keeps the floor of at most 240 equal stretches of the series; when they are full,
// two neighbours become one. The floor, because what was taken and given back meanwhile is no leak.
#pragma once

#include <cstdint>
#include <vector>

#include "harness/history/event.h"

namespace ordeal::harness {

class trend {
 public:
  void add(run_time at, std::uint64_t value);

  std::uint64_t count() const { return count_; }
  // From the first sample to the last.
  run_time span() const { return last_at_ - first_at_; }

  // Medians of the first and the last third of the series.
  struct climb {
    std::uint64_t first = 0, last = 0;
    // Each third carried a fair part of the growth, and it went on until the end: not a warm-up, a buffer that has
    // filled, or one step.
    bool is_steady = false;

    bool exceeds(std::uint64_t bound) const { return last > first && last - first > bound; }
  };
  // Of fewer than six samples: no climb.
  climb over_all() const;

 private:
  std::uint64_t median(std::size_t from, std::size_t to) const;

  std::vector<std::uint64_t> floors_;  // of stretches of `width_` samples
  std::uint64_t width_ = 1, filled_ = 0, floor_ = 0;
  std::uint64_t count_ = 0;
  run_time first_at_{}, last_at_{};
};

}  // namespace ordeal::harness
