#include "harness/checkers/histogram.h"

#include <algorithm>
#include <cmath>

namespace ordeal::harness {

void histogram::merge(const histogram& other) {
  for (std::size_t i = 0; i < bucket_count; ++i) buckets_[i] += other.buckets_[i];
  count_ += other.count_;
  max_ = std::max(max_, other.max_);
  min_ = std::min(min_, other.min_);
}

std::uint64_t histogram::upper_edge(std::size_t bucket) {
  if (bucket < (1U << step_bits)) return bucket;
  const auto shift = static_cast<unsigned>(bucket >> step_bits) - 1U;
  const std::uint64_t step = (bucket & ((1U << step_bits) - 1)) + (1U << step_bits);
  return ((step + 1) << shift) - 1;
}

std::chrono::nanoseconds histogram::quantile(double q) const {
  if (count_ == 0) return {};
  const auto rank = std::max<std::uint64_t>(
      1, static_cast<std::uint64_t>(std::ceil(q * static_cast<double>(count_))));
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < bucket_count; ++i) {
    seen += buckets_[i];
    if (seen >= rank) return std::chrono::nanoseconds(std::min(upper_edge(i), max_));
  }
  return max();
}

}  // namespace ordeal::harness
