#include "harness/checkers/open_messages.h"

namespace ordeal::harness {

const open_message* open_messages::find_stuck(std::uint32_t seq) const {
  const auto it = stuck_.find(seq);
  return it == stuck_.end() ? nullptr : &it->second;
}

void open_messages::forget_done_from(std::uint32_t first) {
  for (auto it = stuck_.lower_bound(first); it != stuck_.end();) {
    it = it->second.is_done() ? stuck_.erase(it) : std::next(it);
  }
  advance();
}

void open_messages::advance() {
  while (head_ < recent_.size()) {
    if (!recent_[head_].is_done()) {
      if (recent_.size() - head_ <= recent_max) break;
      stuck_.emplace(base_, recent_[head_]);
    }
    ++head_;
    ++base_;
  }
  // Moving the rest down costs at most as much as was passed since the last time.
  if (head_ > 32 && head_ * 2 > recent_.size()) {
    recent_.erase(recent_.begin(), recent_.begin() + static_cast<std::ptrdiff_t>(head_));
    head_ = 0;
  }
}

}  // namespace ordeal::harness
