// Entries for tests, in one line each.
#pragma once

#include <memory>
#include <string>

#include "reference-server/log/chat_log.h"

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

}  // namespace ordeal::test
