#include "harness/checkers/seating.h"

#include <algorithm>

namespace ordeal::harness {

seating::seating(const terms& of) {
  std::size_t rooms = of.rooms.size();
  for (const seat_terms& client : of.clients) {
    for (const room_id room : client.rooms) rooms = std::max(rooms, index_of(room) + 1);
  }
  rooms_.resize(rooms);
  begins_.push_back(0);
  for (std::size_t c = 0; c < of.clients.size(); ++c) {
    for (const room_id room : of.clients[c].rooms) {
      auto& there = rooms_[index_of(room)];
      seats_.push_back({client_id(c), room, static_cast<std::uint32_t>(there.size())});
      there.push_back(static_cast<seat_index>(seats_.size() - 1));
    }
    begins_.push_back(static_cast<seat_index>(seats_.size()));
  }
}

}  // namespace ordeal::harness
