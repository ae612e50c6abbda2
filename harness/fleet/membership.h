// One client in one room: is the join confirmed on the present connection, and from where could it
// be resumed? A plain state machine: no clock, no I/O.
//
//   absent ── begin_join ──▶ joining ── confirm ──▶ joined
//      ▲────────── on_disconnect ─────────┴────────────┘
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "harness/ids.h"
#include "net/async/clock.h"

namespace ordeal::harness {

class membership {
 public:
  // `can_resume`: joins carry the cursor, when there is one.
  membership(room_id room, bool can_resume) : room_(room), can_resume_(can_resume) {}

  room_id room() const { return room_; }
  bool is_joined() const { return state_ == state::joined; }
  bool is_joining() const { return state_ == state::joining; }
  bool is_resume() const { return is_resume_; }  // of the present or latest join

  // What the join request must carry.
  std::optional<std::string> begin_join(std::uint64_t request, net::time_point now);
  bool awaits(std::uint64_t request) const { return is_joining() && request_ == request; }
  net::time_point joining_since() const { return since_; }

  // The answer. Its cursor counts only when nothing better is known: on a resume, and after
  // messages that overtook the answer, the client stands elsewhere than where the server registered
  // it.
  void confirm(std::string_view cursor);
  // A message of this room arrived.
  void on_message(std::string_view cursor);
  // The server cannot continue from the cursor: the next one replaces it, wherever it comes from.
  // Until then it stays, so that a client cut off right now is told again instead of joining as if
  // it were new.
  void on_reset() { is_cursor_stale_ = true; }
  void on_disconnect() { state_ = state::absent; }

 private:
  enum class state { absent, joining, joined };

  void move_cursor(std::string_view cursor);

  room_id room_;
  bool can_resume_;
  state state_ = state::absent;
  bool is_resume_ = false;
  bool is_cursor_stale_ = true;
  std::uint64_t request_ = 0;
  net::time_point since_;
  std::string cursor_;  // empty: none yet
};

}  // namespace ordeal::harness
