// Which memberships are entered in which room. Members of a room lie in one vector: a broadcast
// walks it. Keeps plain pointers: a membership leaves before it is destroyed. No I/O, one thread.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "reference-server/hub/membership.h"

namespace ordeal::chat {

class room {
 public:
  const std::vector<membership*>& members() const { return members_; }

  void enter(membership& member);
  void leave(membership& member);  // the last member takes its slot

  static room* of(const membership& member) { return member.room_; }

 private:
  std::vector<membership*> members_;
};

class room_table {
 public:
  void enter(membership& member);
  void leave(membership& member);  // no-op when it is in no room; an empty room is forgotten

  const room* find(std::string_view name) const;
  std::size_t size() const { return rooms_.size(); }

  // Offers a record to every member of its room; returns how many queues took it.
  std::size_t deliver(const room& where, const entry& read, const record_ptr& record,
                      flusher& flush) const;

 private:
  struct hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view name) const {
      return std::hash<std::string_view>{}(name);
    }
  };
  std::unordered_map<std::string, room, hash, std::equal_to<>> rooms_;
};

}  // namespace ordeal::chat
