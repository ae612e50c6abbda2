// Growing pauses between attempts, with jitter so that nodes do not come back in step. Pure.
#pragma once

#include <algorithm>
#include <chrono>

#include "net/async/random.h"

namespace ordeal::chat {

class backoff {
 public:
  using milliseconds = std::chrono::milliseconds;

  backoff(milliseconds min, milliseconds max, net::random_stream draw)
      : min_(min), max_(max), next_(min), draw_(draw) {}

  // Between half and all of a duration that doubles each time.
  milliseconds next() {
    const milliseconds whole = next_;
    next_ = std::min(next_ * 2, max_);
    const auto half = whole / 2;
    return half + milliseconds(draw_.below(static_cast<std::uint64_t>((whole - half).count()) + 1));
  }
  void reset() { next_ = min_; }

 private:
  milliseconds min_, max_, next_;
  net::random_stream draw_;
};

}  // namespace ordeal::chat
