// Entries, epoch chains and positions for tests, in one line each.
#pragma once

#include <gtest/gtest.h>

#include <initializer_list>
#include <memory>
#include <ostream>
#include <string>

#include "reference-server/log/chat_log.h"
#include "reference-server/log/entry_codec.h"
#include "reference-server/log/epoch_chain.h"

namespace ordeal::chat {

// For gtest.
inline void PrintTo(const position& at, std::ostream* out) {
  *out << format_position(at);
}
inline void PrintTo(const epoch_chain::segment& each, std::ostream* out) {
  *out << each.epoch << '@' << each.first;
}

}  // namespace ordeal::chat

namespace ordeal::test {

inline chat::entry_ptr make_entry(std::uint64_t epoch, std::uint64_t index,
                                  std::string text = "text", std::string room = "room") {
  auto result = std::make_shared<chat::entry>();
  result->at = {epoch, index};
  result->origin = "origin";
  result->origin_seq = index;
  result->room = std::move(room);
  result->client_message_id = "id-" + std::to_string(index);
  result->text = std::move(text);
  return result;
}

// Message `seq` of `origin`.
inline chat::entry_ptr make_message(chat::position at, std::string origin, std::uint64_t seq) {
  auto result = std::make_shared<chat::entry>();
  result->at = at;
  result->client_message_id = origin + std::to_string(seq);
  result->origin = std::move(origin);
  result->origin_seq = seq;
  result->room = "room";
  result->text = "text";
  return result;
}

inline chat::entry_ptr make_beat(chat::position at, std::string origin, std::string text) {
  auto result = std::make_shared<chat::entry>();
  result->at = at;
  result->kind = chat::entry_kind::heartbeat;
  result->origin = std::move(origin);
  result->text = std::move(text);
  return result;
}

inline chat::entry_ptr make_barrier(chat::position at, std::string origin = "b") {
  auto result = std::make_shared<chat::entry>();
  result->at = at;
  result->kind = chat::entry_kind::barrier;
  result->origin = std::move(origin);
  return result;
}

inline chat::epoch_chain make_chain(std::initializer_list<chat::epoch_chain::segment> segments) {
  chat::epoch_chain result;
  for (const auto& each : segments) result.add(each.epoch, each.first);
  return result;
}

}  // namespace ordeal::test
