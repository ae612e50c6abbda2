#include "harness/checkers/room_order.h"

#include <algorithm>

namespace ordeal::harness {

room_order::room_order(std::size_t member_count, std::size_t search_limit)
    : search_limit_(search_limit), last_(member_count, 0), senders_(member_count) {}

std::optional<room_order::contradiction> room_order::add(std::uint32_t member, message what) {
  entry_id* slot = slot_of(what);
  const bool is_forgotten = slot == nullptr || (*slot != 0 && find(*slot) == nullptr);
  if (is_forgotten) {
    ++not_judged_;
    return std::nullopt;
  }
  const entry_id before = last_[member];
  if (*slot == 0) *slot = append(what);
  last_[member] = *slot;
  if (find(before) == nullptr) return std::nullopt;
  return put_before(before, *slot, member);
}

room_order::entry_id* room_order::slot_of(message what) {
  sender_ids& of = senders_[what.sender];
  if (what.seq < of.base_seq) return nullptr;
  const std::size_t i = what.seq - of.base_seq;
  if (i >= of.ids.size()) of.ids.resize(i + 1, 0);
  return &of.ids[i];
}

room_order::entry_id room_order::append(message what) {
  const entry_id id = entries_begin_ + entries_.size();
  entry& added = entries_.emplace_back();
  added.what = what;
  added.rank = line_begin_ + line_.size();
  line_.push_back(id);
  return id;
}

std::optional<room_order::contradiction> room_order::put_before(entry_id before, entry_id after,
                                                                std::uint32_t member) {
  entry& first = at(before);
  if (first.next.id == after) return std::nullopt;
  for (const successor& each : first.more) {
    if (each.id == after) return std::nullopt;
  }
  if (first.rank > at(after).rank) {
    std::uint32_t witness = 0;
    const search found = mark_followers(after, before, witness);
    if (found == search::clear) shift_marked_behind(before, at(after).rank);
    unmark();
    if (found == search::circle) return contradiction{first.what, witness};
    if (found == search::too_wide) {
      ++not_judged_;
      return std::nullopt;
    }
  }
  if (first.next.id == 0) {
    first.next = {after, member};
  } else {
    first.more.push_back({after, member});
  }
  return std::nullopt;
}

// Marks everything that must come after `from` and stands before `until` now.
room_order::search room_order::mark_followers(entry_id from, entry_id until,
                                              std::uint32_t& witness) {
  const std::uint64_t last_rank = at(until).rank;
  stack_.clear();
  stack_.push_back({from, 0});
  at(from).is_marked = true;
  marked_.push_back(from);
  while (!stack_.empty()) {
    const successor here = stack_.back();
    stack_.pop_back();
    bool is_circle = false;
    const auto visit = [&](const successor& step) {
      if (step.id == 0) return;
      const std::uint32_t first_witness = here.id == from ? step.witness : here.witness;
      if (step.id == until) {
        is_circle = true;
        witness = first_witness;
        return;
      }
      entry& next = at(step.id);
      if (next.is_marked || next.rank > last_rank) return;
      next.is_marked = true;
      marked_.push_back(step.id);
      stack_.push_back({step.id, first_witness});
    };
    visit(at(here.id).next);
    for (const successor& step : at(here.id).more) visit(step);
    if (is_circle) return search::circle;
    if (marked_.size() > search_limit_) return search::too_wide;
  }
  return search::clear;
}

// The marked ones move behind `pivot`, in the order they have; the others close up.
void room_order::shift_marked_behind(entry_id pivot, std::uint64_t lowest) {
  std::sort(marked_.begin(), marked_.end(),
            [this](entry_id a, entry_id b) { return at(a).rank < at(b).rank; });
  const std::uint64_t highest = at(pivot).rank;
  std::uint64_t to = lowest;
  const auto place = [&](entry_id id) {
    at(id).rank = to;
    line_[to - line_begin_] = id;
    ++to;
  };
  for (std::uint64_t rank = lowest; rank <= highest; ++rank) {
    const entry_id id = line_[rank - line_begin_];
    if (!at(id).is_marked) place(id);
  }
  for (const entry_id id : marked_) place(id);
}

void room_order::unmark() {
  for (const entry_id id : marked_) at(id).is_marked = false;
  marked_.clear();
}

void room_order::forget_until(std::uint64_t rank) {
  while (line_.size() > kept_min && (line_begin_ < rank || line_.size() > kept_max)) {
    at(line_.front()).is_forgotten = true;
    line_.pop_front();
    ++line_begin_;
  }
  while (!entries_.empty() && entries_.front().is_forgotten) {
    entries_.pop_front();
    ++entries_begin_;
  }
  for (sender_ids& of : senders_) {
    // What nobody ever got (refused, say) makes room too once enough has followed.
    while (!of.ids.empty()) {
      const entry_id front = of.ids.front();
      const bool is_gone = front == 0 ? of.ids.size() > kept_min : find(front) == nullptr;
      if (!is_gone) break;
      of.ids.pop_front();
      ++of.base_seq;
    }
  }
}

}  // namespace ordeal::harness
