// When the next flush may start: a pure decision, time comes in.
//
// A write(2) costs about 6 us whatever it carries, so a message to a hundred clients costs most of
// a millisecond. A flush that follows a quiet time starts at once; the next one waits for a
// multiple of what the last one cost, so that fan-out by tiny writes never takes more than a fixed
// part of a core: at higher rates several messages share a write.
#pragma once

#include <algorithm>
#include <chrono>

#include "net/async/clock.h"

namespace ordeal::chat {

struct flush_pacing {
  int pause_per_cost = 8;                      // pause = cost of the last flush times this ...
  std::chrono::microseconds pause_max{8'000};  // ... but no message waits longer than this
};

class flush_policy {
 public:
  explicit flush_policy(flush_pacing pacing) : pacing_(pacing) {}

  // A flush may start from here on.
  net::time_point due() const { return due_; }

  void on_flushed(net::time_point started, net::time_point ended) {
    const net::nanoseconds pause = (ended - started) * pacing_.pause_per_cost;
    due_ = ended + std::min<net::nanoseconds>(pause, pacing_.pause_max);
  }

 private:
  flush_pacing pacing_;
  net::time_point due_{};
};

}  // namespace ordeal::chat
