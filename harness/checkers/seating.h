// Every (client, room) of the plan gets one number, its seat: dense, so that everything known about
// a member or a sender sits in a vector. Immutable once made.
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "harness/scenario/terms.h"

namespace ordeal::harness {

using seat_index = std::uint32_t;
inline constexpr seat_index no_seat = std::numeric_limits<seat_index>::max();

struct seat {
  client_id client{};
  room_id room{};
  std::uint32_t position = 0;  // within its room
};

class seating {
 public:
  explicit seating(const terms& of);

  // no_seat when the plan does not put this client into this room, or knows neither.
  seat_index find(client_id client, room_id room) const {
    const std::size_t c = index_of(client);
    if (c + 1 >= begins_.size()) return no_seat;
    for (seat_index i = begins_[c]; i < begins_[c + 1]; ++i) {
      if (seats_[i].room == room) return i;
    }
    return no_seat;
  }

  const seat& operator[](seat_index i) const { return seats_[i]; }
  std::size_t size() const { return seats_.size(); }
  std::size_t room_count() const { return rooms_.size(); }
  std::size_t client_count() const { return begins_.size() - 1; }
  // By position.
  const std::vector<seat_index>& in_room(room_id room) const { return rooms_[index_of(room)]; }
  // The seats of a client are [first_of(c), first_of(c + 1)).
  seat_index first_of(std::size_t client) const { return begins_[client]; }

 private:
  std::vector<seat> seats_;         // sorted by client
  std::vector<seat_index> begins_;  // by client, and one past the end
  std::vector<std::vector<seat_index>> rooms_;
};

}  // namespace ordeal::harness
