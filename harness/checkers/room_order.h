// Do all clients of a room agree on the order of its messages? Each client's sequence says "this
// before that"; they agree as long as these statements contain no circle. The room's messages are
// kept in one line that satisfies all of them. A client that follows the line costs constant time;
// one that gets messages the others miss makes the line bend where it may (incremental topological
// order); one that contradicts it is named.
//
// Memory: what some present client has not passed yet, and the last few thousand messages.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

namespace ordeal::harness {

// Senders and members are positions within the room.
class room_order {
 public:
  struct message {
    std::uint32_t sender = 0, seq = 0;
  };
  struct contradiction {
    message before;  // what the client had right before, and somebody had later
    std::uint32_t witness =
        0;  // a member who had them the other way round, or began the chain that says so
  };

  // `search_limit` bounds the work for one arrival; beyond it the arrival is not judged, and
  // counted as such.
  room_order(std::size_t member_count, std::size_t search_limit);

  // A message that this member gets for the first time.
  std::optional<contradiction> add(std::uint32_t member, message what);

  // Forgets what everybody for whom `is_present(member)` has passed. Cheap; call it now and then.
  template <class F>
  void trim(F is_present) {
    if (line_.size() < 2 * kept_min) return;
    std::uint64_t passed = line_begin_ + line_.size();
    for (std::uint32_t m = 0; m < last_.size(); ++m) {
      const entry* at = is_present(m) ? find(last_[m]) : nullptr;
      if (at != nullptr && at->rank < passed) passed = at->rank;
    }
    forget_until(passed);
  }

  std::uint64_t not_judged() const { return not_judged_; }
  std::size_t size() const { return line_.size(); }

 private:
  using entry_id = std::uint64_t;  // from 1, in order of first arrival; 0: none
  static constexpr std::size_t kept_min = 4096;
  static constexpr std::size_t kept_max = std::size_t{1} << 20;

  struct successor {
    entry_id id = 0;
    std::uint32_t witness = 0;
  };
  struct entry {
    message what;
    std::uint64_t rank = 0;  // place in the line; ranks before line_begin_ are forgotten
    successor next;          // nearly always the only one
    std::vector<successor> more;
    bool is_marked = false, is_forgotten = false;
  };
  struct sender_ids {
    std::uint32_t base_seq = 1;
    std::deque<entry_id> ids;  // by seq - base_seq; 0: not seen
  };

  enum class search { clear, circle, too_wide };

  entry& at(entry_id id) { return entries_[id - entries_begin_]; }
  const entry& at(entry_id id) const { return entries_[id - entries_begin_]; }
  // Null when it is forgotten or none.
  const entry* find(entry_id id) const {
    if (id < entries_begin_ || at(id).is_forgotten) return nullptr;
    return &at(id);
  }
  entry_id* slot_of(message what);
  entry_id append(message what);
  std::optional<contradiction> put_before(entry_id before, entry_id after, std::uint32_t member);
  search mark_followers(entry_id from, entry_id until, std::uint32_t& witness);
  void shift_marked_behind(entry_id pivot, std::uint64_t lowest);
  void unmark();
  void forget_until(std::uint64_t rank);

  std::size_t search_limit_;
  std::deque<entry> entries_;  // by id
  entry_id entries_begin_ = 1;
  std::deque<entry_id> line_;  // by rank - line_begin_
  std::uint64_t line_begin_ = 0;
  std::vector<entry_id> last_;  // by member
  std::vector<sender_ids> senders_;
  std::vector<entry_id> marked_;  // scratch of one search
  std::vector<successor> stack_;  // ditto; with the witness of the first step
  std::uint64_t not_judged_ = 0;
};

}  // namespace ordeal::harness
