// The records that this hub sends, and what they take in memory while they wait for clients.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "reference-server/hub/out_queue.h"
#include "reference-server/log/chat_log.h"

namespace ordeal::chat {

// Counts what the records of one hub take in memory, each once, for as long as anybody has it. Outlives them. One
// thread.
class record_ledger {
 public:
  explicit record_ledger(std::size_t bytes_max) : bytes_max_(bytes_max) {}
  record_ledger(const record_ledger&) = delete;
  record_ledger& operator=(const record_ledger&) = delete;

  record_ptr keep(std::string encoded);

  std::size_t bytes() const { return bytes_; }
  bool is_full() const { return bytes_ > bytes_max_; }
  // The last quarter is for live messages: replays wait, and nobody is cut off for them.
  bool has_room_for_replays() const { return bytes_ <= bytes_max_ - bytes_max_ / 4; }

 private:
  struct kept;
  std::size_t bytes_ = 0;
  std::size_t bytes_max_;
};

// Message(room, cursor, clientMessageId, text)
std::string message_record(const entry& message, std::string_view log_id);

// Positions behind `after` and up to `upto`, as cursors on the wire; null when nobody can tell.
struct lost_range {
  std::string log_id;
  std::optional<position> after, upto;
};
// Reset(room, reason, after, upto): the client has missed messages of the room in that range, or may have.
std::string reset_record(std::string_view room, std::string_view reason, const lost_range& lost);
// Fork(room, reason, after, upto): the client has seen messages there that are no longer in the
// log; it misses nothing.
std::string fork_record(std::string_view room, std::string_view reason, const lost_range& lost);

}  // namespace ordeal::chat
