#include "reference-server/log/room_index.h"

#include <algorithm>
#include <functional>

namespace ordeal::chat {

room_index::mark room_index::mark_of(std::string_view room) {
  const auto hashed = static_cast<mark>(std::hash<std::string_view>{}(room));
  return std::max<mark>(hashed, no_message + 1);
}

const room_index::block* room_index::find(std::uint64_t index) const {
  const auto found = blocks_.find(index / block_entries);
  return found == blocks_.end() ? nullptr : &found->second;
}

void room_index::note(const entry& each) {
  const mark value = each.kind == entry_kind::message ? mark_of(each.room) : no_message;
  block& where = blocks_[each.at.index / block_entries];
  mark& here = where.marks[each.at.index % block_entries];
  if (here == unknown) ++where.known;
  here = value;
  where.kinds.set(value % block_entries);
  top_ = std::max(top_, each.at.index);
  if (blocks_.size() > blocks_max_) blocks_.erase(blocks_.begin());
}

void room_index::truncate(std::uint64_t index) {
  if (index >= top_) return;
  top_ = index;
  const std::uint64_t number = index / block_entries;
  blocks_.erase(blocks_.upper_bound(number), blocks_.end());
  const auto cut = blocks_.find(number);
  if (cut == blocks_.end()) return;
  for (std::size_t i = index % block_entries + 1; i < block_entries; ++i) {
    if (cut->second.marks[i] != unknown) --cut->second.known;
    cut->second.marks[i] = unknown;
  }
}

std::uint64_t room_index::first(std::uint64_t after, std::uint64_t upto,
                                std::string_view room) const {
  const mark wanted = mark_of(room);
  for (std::uint64_t index = after + 1; index <= upto;) {
    const std::uint64_t block_end = std::min(upto + 1, (index / block_entries + 1) * block_entries);
    const block* const where = find(index);
    if (where == nullptr) return index;
    if (where->may_hold(wanted)) {
      for (; index < block_end; ++index) {
        const mark here = where->marks[index % block_entries];
        if (here == wanted || here == unknown) return index;
      }
    }
    index = block_end;
  }
  return 0;
}

std::uint64_t room_index::last(std::uint64_t after, std::uint64_t upto,
                               std::string_view room) const {
  const mark wanted = mark_of(room);
  for (std::uint64_t index = upto; index > after; --index) {
    const block* const where = find(index);
    const mark here = where == nullptr ? unknown : where->marks[index % block_entries];
    if (here == wanted || here == unknown) return index;
  }
  return 0;
}

}  // namespace ordeal::chat
