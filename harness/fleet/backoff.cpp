#include "harness/fleet/backoff.h"

#include <algorithm>

namespace ordeal::harness {

std::chrono::nanoseconds backoff::next() {
  const auto bound = static_cast<std::uint64_t>(ceiling_.count()) + 1;
  ceiling_ = std::min(ceiling_ * 2, largest_);
  return std::chrono::nanoseconds(static_cast<std::int64_t>(draws_.below(bound)));
}

std::chrono::nanoseconds reconnect_policy::on_lost() {
  if (is_anywhere_) {
    node_ = node_id{static_cast<std::uint32_t>((index_of(node_) + 1) % node_count_)};
  }
  return delays_.next();
}

}  // namespace ordeal::harness
