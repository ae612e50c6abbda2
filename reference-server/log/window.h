// How much goes over a connection at a time: halved when it did not pass, grown again while it does,
// and for a while not up to what failed last. A plain value.
#pragma once

#include <algorithm>
#include <cstddef>

namespace ordeal::chat {

class window {
 public:
  window(std::size_t least, std::size_t most)
      : least_(least), most_(most), ceiling_(most), size_(most) {}

  std::size_t size() const { return size_; }
  // So little did not pass, so often in a row.
  unsigned failures_at_least() const { return failures_at_least_; }

  void on_passed() {
    failures_at_least_ = 0;
    if (size_ == most_ || ++passed_ < passes_to_grow) return;
    passed_ = 0;
    if (size_ == ceiling_ && ++rests_ < rests_to_forget) return;
    if (size_ == ceiling_) ceiling_ = std::min(most_, 2 * ceiling_);
    rests_ = 0;
    size_ = std::min(ceiling_, 2 * size_);
  }
  // `tried`: what did not pass, where it is known to be less than the size.
  void on_failed(std::size_t tried) {
    passed_ = rests_ = 0;
    if (size_ == least_) ++failures_at_least_;
    size_ = std::max(least_, std::min(size_, tried) / 2);
    ceiling_ = size_;
  }

 private:
  static constexpr unsigned passes_to_grow = 8;
  static constexpr unsigned rests_to_forget = 8;  // times those passes

  std::size_t least_, most_, ceiling_, size_;
  unsigned passed_ = 0, rests_ = 0, failures_at_least_ = 0;
};

}  // namespace ordeal::chat
