#include "reference-server/hub/rooms.h"

#include "net/async/assert.h"

namespace ordeal::chat {

void room::enter(membership& member) {
  ORDEAL_ASSERT(member.room_ == nullptr);
  member.room_ = this;
  member.slot_ = members_.size();
  members_.push_back(&member);
}

void room::leave(membership& member) {
  ORDEAL_ASSERT(member.room_ == this && members_[member.slot_] == &member);
  members_[member.slot_] = members_.back();
  members_[member.slot_]->slot_ = member.slot_;
  members_.pop_back();
  member.room_ = nullptr;
}

void room_table::enter(membership& member) {
  rooms_[member.room_name()].enter(member);
}

void room_table::leave(membership& member) {
  room* const where = room::of(member);
  if (where == nullptr) return;
  where->leave(member);
  if (where->members().empty()) rooms_.erase(member.room_name());
}

const room* room_table::find(std::string_view name) const {
  const auto found = rooms_.find(name);
  return found == rooms_.end() ? nullptr : &found->second;
}

std::size_t room_table::deliver(const room& where, const entry& read, const record_ptr& record,
                                flusher& flush) const {
  std::size_t queued = 0;
  for (membership* member : where.members()) queued += member->offer(read, record, flush) ? 1U : 0U;
  return queued;
}

}  // namespace ordeal::chat
