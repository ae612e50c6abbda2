// The records that this hub sends, ready to be shared between queues.
#pragma once

#include <string_view>

#include "reference-server/hub/out_queue.h"
#include "reference-server/log/chat_log.h"

namespace ordeal::chat {

// Message(room, cursor, clientMessageId, text)
record_ptr message_record(const entry& message, std::string_view log_id);
// Reset(room, reason): the client has missed messages of the room, or may have.
record_ptr reset_record(std::string_view room, std::string_view reason);

record_ptr shared_record(std::string encoded);

}  // namespace ordeal::chat
