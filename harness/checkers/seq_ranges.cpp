#include "harness/checkers/seq_ranges.h"

#include <algorithm>

namespace ordeal::harness {

seq_ranges::placing seq_ranges::add_out_of_line(std::uint32_t seq) {
  if (end_ == 0) {
    first_ = seq;
    end_ = seq + 1;
    return placing::highest;
  }
  if (seq >= first_ && !gaps_ && seq < end_) return placing::repeated;
  if (!gaps_) gaps_ = std::make_unique<std::vector<gap>>();
  if (seq > end_) {
    gaps_->push_back({end_, seq});
    end_ = seq + 1;
    return placing::highest;
  }
  if (seq < first_) {
    if (seq + 1 < first_) gaps_->insert(gaps_->begin(), {seq + 1, first_});
    first_ = seq;
    return placing::behind;
  }
  const auto after =
      std::upper_bound(gaps_->begin(), gaps_->end(), seq,
                       [](std::uint32_t value, const gap& g) { return value < g.end; });
  if (after == gaps_->end() || seq < after->first) return placing::repeated;
  const gap right{seq + 1, after->end};
  after->end = seq;
  const bool has_left = after->first < after->end;
  if (right.first < right.end) {
    if (has_left) {
      gaps_->insert(after + 1, right);
    } else {
      *after = right;
    }
  } else if (!has_left) {
    gaps_->erase(after);
  }
  if (gaps_->empty()) gaps_.reset();
  return placing::behind;
}

bool seq_ranges::has(std::uint32_t seq) const {
  if (seq < first_ || seq >= end_) return false;
  if (!gaps_) return true;
  const auto after =
      std::upper_bound(gaps_->begin(), gaps_->end(), seq,
                       [](std::uint32_t value, const gap& g) { return value < g.end; });
  return after == gaps_->end() || seq < after->first;
}

}  // namespace ordeal::harness
