#include "reference-server/log/replay_buffer.h"

#include <algorithm>

#include "reference-server/log/entry_codec.h"

namespace ordeal::chat {
void replay_buffer::reset(std::uint64_t last_index) {
  messages_.clear();
  bytes_ = 0;
  complete_after_ = last_index;
}

void replay_buffer::add(entry_ptr message) {
  bytes_ += entry_bytes(*message);
  messages_.push_back(std::move(message));
  while (messages_.size() > entries_max_ || bytes_ > bytes_max_) {
    const entry& oldest = *messages_.front();
    bytes_ -= entry_bytes(oldest);
    complete_after_ = oldest.at.index;
    messages_.pop_front();
  }
}

void replay_buffer::collect(std::uint64_t after_index, std::uint64_t upto_index,
                            std::string_view room, std::vector<entry_ptr>& into) const {
  const auto is_before = [](std::uint64_t index, const entry_ptr& each) {
    return index < each->at.index;
  };
  auto each = std::upper_bound(messages_.begin(), messages_.end(), after_index, is_before);
  for (; each != messages_.end() && (*each)->at.index <= upto_index; ++each) {
    if ((*each)->room == room) into.push_back(*each);
  }
}

}  // namespace ordeal::chat
