// How long to wait before the next try: exponential backoff with full jitter, and the node to try.
// Plain values: no clock, no I/O.
#pragma once

#include <chrono>
#include <cstddef>
#include <string_view>

#include "harness/ids.h"
#include "net/async/random.h"

namespace ordeal::harness {

// Delays drawn uniformly from [0, ceiling], where the ceiling starts at `smallest` and doubles up
// to `largest`. Full jitter, so that a crowd that lost its node together does not come back
// together.
class backoff {
 public:
  backoff(std::chrono::nanoseconds smallest, std::chrono::nanoseconds largest,
          net::random_stream draws)
      : smallest_(smallest), largest_(largest), ceiling_(smallest), draws_(draws) {}

  std::chrono::nanoseconds next();
  void reset() { ceiling_ = smallest_; }

 private:
  std::chrono::nanoseconds smallest_, largest_, ceiling_;
  net::random_stream draws_;
};

// Where and when a client connects: its home node for ever, or with `is_anywhere` the next node in
// turn after each lost or failed connection.
class reconnect_policy {
 public:
  reconnect_policy(node_id home, std::size_t node_count, bool is_anywhere, backoff delays)
      : node_(home), node_count_(node_count), is_anywhere_(is_anywhere), delays_(delays) {}

  node_id node() const { return node_; }
  // Every room is joined: the node serves.
  void on_served() { delays_.reset(); }
  // The connection was lost, or never came about; the wait before the next try.
  std::chrono::nanoseconds on_lost();

 private:
  node_id node_;
  std::size_t node_count_;
  bool is_anywhere_;
  backoff delays_;
};

}  // namespace ordeal::harness
