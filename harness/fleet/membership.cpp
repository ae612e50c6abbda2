#include "harness/fleet/membership.h"

#include "net/async/assert.h"

namespace ordeal::harness {

std::optional<std::string> membership::begin_join(std::uint64_t request, net::time_point now) {
  ORDEAL_ASSERT(state_ == state::absent);
  state_ = state::joining;
  request_ = request;
  since_ = now;
  is_resume_ = can_resume_ && !cursor_.empty();
  if (!is_resume_) return std::nullopt;
  return cursor_;
}

void membership::confirm(std::string_view cursor) {
  ORDEAL_ASSERT(state_ == state::joining);
  state_ = state::joined;
  if (is_cursor_stale_) move_cursor(cursor);
}

void membership::on_message(std::string_view cursor) {
  move_cursor(cursor);
}

void membership::move_cursor(std::string_view cursor) {
  if (!can_resume_ || cursor.empty()) return;
  cursor_.assign(cursor);
  is_cursor_stale_ = false;
}

}  // namespace ordeal::harness
