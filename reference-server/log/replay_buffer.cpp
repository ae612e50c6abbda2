#include "reference-server/log/replay_buffer.h"

#include <algorithm>

#include "net/async/assert.h"
#include "reference-server/log/entry_codec.h"

namespace ordeal::chat {

void replay_buffer::reset(std::uint64_t last_index) {
  entries_.clear();
  bytes_ = 0;
  low_ = last_index + 1;
}

void replay_buffer::add(entry_ptr each) {
  ORDEAL_ASSERT(each->at.index == end());
  bytes_ += entry_bytes(*each);
  entries_.push_back(std::move(each));
  while (entries_.size() > entries_max_ || bytes_ > bytes_max_) {
    bytes_ -= entry_bytes(*entries_.front());
    entries_.pop_front();
    ++low_;
  }
}

void replay_buffer::truncate(std::uint64_t index) {
  while (!entries_.empty() && entries_.back()->at.index > index) {
    bytes_ -= entry_bytes(*entries_.back());
    entries_.pop_back();
  }
  if (entries_.empty()) low_ = index + 1;
}

entry_ptr replay_buffer::at(std::uint64_t index) const {
  if (index < low_ || index >= end()) return nullptr;
  return entries_[static_cast<std::size_t>(index - low_)];
}

}  // namespace ordeal::chat
