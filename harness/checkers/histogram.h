// Counts durations in buckets of at most 3 % width: linear below 32 ns, then 32 steps for each
// doubling. Constant memory, constant time, and two of them add up to the histogram of both.
#pragma once

#include <array>
#include <bit>
#include <chrono>
#include <cstdint>

namespace ordeal::harness {

class histogram {
 public:
  void add(std::chrono::nanoseconds value) {
    const auto ns = value.count() > 0 ? static_cast<std::uint64_t>(value.count()) : 0;
    ++buckets_[bucket_of(ns)];
    ++count_;
    if (ns > max_) max_ = ns;
    if (ns < min_) min_ = ns;
  }
  void merge(const histogram& other);

  std::uint64_t count() const { return count_; }
  std::chrono::nanoseconds max() const { return std::chrono::nanoseconds(max_); }
  std::chrono::nanoseconds min() const { return std::chrono::nanoseconds(count_ == 0 ? 0 : min_); }
  // The upper edge of the bucket in which the share `q` (0 to 1) of all values is reached; never
  // above max().
  std::chrono::nanoseconds quantile(double q) const;

 private:
  static constexpr unsigned step_bits = 5;
  static constexpr std::size_t bucket_count = (64 - step_bits + 1) << step_bits;

  static std::size_t bucket_of(std::uint64_t value) {
    if (value < (1U << step_bits)) return static_cast<std::size_t>(value);
    const unsigned shift = static_cast<unsigned>(std::bit_width(value)) - step_bits - 1;
    return ((shift + 1U) << step_bits) +
           static_cast<std::size_t>((value >> shift) & ((1U << step_bits) - 1));
  }
  static std::uint64_t upper_edge(std::size_t bucket);

  std::array<std::uint64_t, bucket_count> buckets_{};
  std::uint64_t count_ = 0;
  std::uint64_t max_ = 0;
  std::uint64_t min_ = ~std::uint64_t{0};
};

}  // namespace ordeal::harness
