// Numbers of things in a run: dense from 0, so that they index vectors. People see them from 1: "node-1", "room-1",
// "client-1".
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <string>

namespace ordeal::harness {

enum class node_id : std::uint32_t {};
enum class client_id : std::uint32_t {};
enum class room_id : std::uint32_t {};

constexpr std::size_t index_of(node_id id) {
  return static_cast<std::size_t>(id);
}
constexpr std::size_t index_of(client_id id) {
  return static_cast<std::size_t>(id);
}
constexpr std::size_t index_of(room_id id) {
  return static_cast<std::size_t>(id);
}

inline std::string name_of(node_id id) {
  return "node-" + std::to_string(index_of(id) + 1);
}
inline std::string name_of(client_id id) {
  return "client-" + std::to_string(index_of(id) + 1);
}
inline std::string name_of(room_id id) {
  return "room-" + std::to_string(index_of(id) + 1);
}

// A message of this run: the seq-th of `sender` into `room`, dense from 1.
struct message_id {
  client_id sender{};
  room_id room{};
  std::uint32_t seq = 0;
  friend auto operator<=>(const message_id&, const message_id&) = default;
};

// "client-3#17@room-1"
inline std::string name_of(const message_id& id) {
  return name_of(id.sender) + "#" + std::to_string(id.seq) + "@" + name_of(id.room);
}

}  // namespace ordeal::harness
