// Which room each entry of the log is of, as far as this node has read them: what a client has missed is found without
// reading what others have said. Four bytes an entry, by index; says "perhaps" where it does not know. No I/O.
#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <map>
#include <string_view>

#include "reference-server/log/chat_log.h"

namespace ordeal::chat {

class room_index {
 public:
  // Forgets the oldest above about so many.
  explicit room_index(std::size_t entries_max) : blocks_max_(entries_max / block_entries + 2) {}

  void note(const entry& each);
  // Nothing is known any more of what lies above `index`.
  void truncate(std::uint64_t index);

  // The first and the last index in (after, upto] where a message of `room` may be; 0: there is none.
  std::uint64_t first(std::uint64_t after, std::uint64_t upto, std::string_view room) const;
  std::uint64_t last(std::uint64_t after, std::uint64_t upto, std::string_view room) const;

 private:
  using mark = std::uint32_t;  // of a room, never one of these two
  static constexpr mark unknown = 0, no_message = 1;
  static constexpr std::size_t block_entries = 1'024;

  struct block {
    std::array<mark, block_entries> marks{};
    std::bitset<block_entries> kinds;  // marks that are or were here, by their remainder
    std::size_t known = 0;

    bool may_hold(mark wanted) const {
      return known < block_entries || kinds.test(wanted % block_entries);
    }
  };

  static mark mark_of(std::string_view room);
  const block* find(std::uint64_t index) const;

  std::map<std::uint64_t, block> blocks_;  // by index / block_entries
  std::size_t blocks_max_;
  std::uint64_t top_ = 0;  // nothing above it is known
};

}  // namespace ordeal::chat
