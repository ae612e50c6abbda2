// The records that this hub sends, ready to be shared between queues.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "reference-server/hub/out_queue.h"
#include "reference-server/log/chat_log.h"

namespace ordeal::chat {

// Message(room, cursor, clientMessageId, text)
record_ptr message_record(const entry& message, std::string_view log_id);

// Positions behind `after` and up to `upto`, as cursors on the wire; null when nobody can tell.
struct lost_range {
  std::string log_id;
  std::optional<position> after, upto;
};
// Reset(room, reason, after, upto): the client has missed messages of the room in that range, or may have.
record_ptr reset_record(std::string_view room, std::string_view reason, const lost_range& lost);
// Fork(room, reason, after, upto): the client has seen messages there that are no longer in the
// log; it misses nothing.
record_ptr fork_record(std::string_view room, std::string_view reason, const lost_range& lost);

record_ptr shared_record(std::string encoded);

}  // namespace ordeal::chat
