#include "reference-server/log/epoch_chain.h"

#include <algorithm>
#include <limits>

namespace ordeal::chat {

void epoch_chain::add(std::uint64_t epoch, std::uint64_t first) {
  for (const segment& each : segments_) {
    if (each.epoch == epoch) return;
  }
  const auto is_before = [](const segment& each, std::uint64_t index) {
    return each.first < index;
  };
  const auto place = std::lower_bound(segments_.begin(), segments_.end(), first, is_before);
  segments_.insert(place, segment{epoch, first});
}

std::optional<std::uint64_t> epoch_chain::end_of(std::uint64_t epoch, std::uint64_t top) const {
  for (std::size_t i = 0; i < segments_.size(); ++i) {
    if (segments_[i].epoch != epoch) continue;
    return i + 1 < segments_.size() ? segments_[i + 1].first - 1 : top;
  }
  return std::nullopt;
}

bool epoch_chain::holds(position at, std::uint64_t top) const {
  const auto end = end_of(at.epoch, top);
  return end && at.index <= *end && epoch_at(at.index) == at.epoch;
}

std::uint64_t epoch_chain::epoch_at(std::uint64_t index) const {
  std::uint64_t epoch = 0;
  for (const segment& each : segments_) {
    if (each.first > index) break;
    epoch = each.epoch;
  }
  return epoch;
}

epoch_chain epoch_chain::up_to(std::uint64_t index) const {
  epoch_chain result;
  for (const segment& each : segments_) {
    if (each.first <= index) result.add(each.epoch, each.first);
  }
  return result;
}

position common_position(const epoch_chain& one, position one_last, const epoch_chain& other,
                         std::uint64_t other_top) {
  // The newest epoch that both have; before it they are the same.
  for (auto each = one.segments().rbegin(); each != one.segments().rend(); ++each) {
    const auto other_end = other.end_of(each->epoch, other_top);
    if (!other_end) continue;
    const std::uint64_t one_end = *one.end_of(each->epoch, one_last.index);
    const std::uint64_t index = std::min(one_end, *other_end);
    if (index >= each->first) return position{each->epoch, index};
  }
  return {};
}

}  // namespace ordeal::chat
