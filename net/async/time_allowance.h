// How much time may be spent on something: what is spent comes back as a share of the time that passes, up to a most.
// More may be spent than is left; then there is none until that has come back. A plain value; time comes in.
#pragma once

#include <algorithm>

#include "net/async/clock.h"

namespace ordeal::net {

class time_allowance {
 public:
  // One `share`th of the time that passes beside it.
  time_allowance(nanoseconds most, int share) : most_(most), share_(share), left_(most) {}

  nanoseconds left(time_point now) const { return std::max(balance(now), nanoseconds(0)); }
  // From here on something is left; in the past when it is so already.
  time_point due() const { return counted_ + std::max(-left_, nanoseconds(0)) * share_; }

  void spend(time_point from, time_point to) {
    left_ = balance(from) - (to - from);
    counted_ = to;
  }

 private:
  nanoseconds balance(time_point now) const {
    return std::min<nanoseconds>(most_, left_ + (now - counted_) / share_);
  }

  nanoseconds most_;
  int share_;
  nanoseconds left_;
  time_point counted_{};
};

}  // namespace ordeal::net
