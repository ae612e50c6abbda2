// This node's own messages, in order, from acceptance until they are stable (log-protocol.md step
// 8, H6, H18).
//
//   add ─▶ [ stable soon | in the log | on its way | not sent ] ─▶ leaves at the front when stable
//                                       ▲ next to send
//
// Once a message has its seq it stays until the log has dealt with it; only its sender may stop
// waiting. No I/O, no clock: time comes in. Bounded by count and bytes; the caller asks before it
// adds.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "reference-server/log/chat_log.h"

namespace ordeal::chat {

// What the append script says about one entry.
enum class entry_result { appended, used_before, known_client_id, conflict, gap };
struct entry_reply {
  entry_result result = entry_result::appended;
  std::optional<position>
      at;  // appended: there; the others: where the client message id is, if anywhere
  std::uint64_t last_seq = 0;  // gap: the last seq the log knows of this origin
};

struct outbox_message {
  std::uint64_t seq = 0;
  std::string room;
  std::string client_message_id;
  std::string text;
  std::optional<position> at;  // once the log has dealt with it
  bool is_settled = false;     // the sender has its answer
  std::chrono::steady_clock::time_point added;
};

// An answer for the sender of message `seq`.
struct settlement {
  std::uint64_t seq = 0;
  append_outcome outcome;
};

class outbox {
 public:
  using time_point = std::chrono::steady_clock::time_point;

  outbox(std::size_t entries_max, std::size_t bytes_max)
      : entries_max_(entries_max), bytes_max_(bytes_max) {}

  bool has_room() const { return messages_.size() < entries_max_ && bytes_ < bytes_max_; }
  // Returns its seq.
  std::uint64_t add(std::string room, std::string client_message_id, std::string text,
                    time_point now);

  bool has_unsent() const { return next_ < messages_.size(); }
  bool has_undecided() const { return undecided_ > 0; }
  // The next messages to send, at most `count_max`; they are on their way then. Valid until the
  // next call of a member that is not const.
  std::span<const outbox_message* const> take_batch(std::size_t count_max);

  // The script's answers to the batch, in its order. False when the log does not know messages that
  // have left here: it is not the log they were sent to. `settled` collects answers for senders.
  bool on_replies(std::span<const entry_reply> replies, position trimmed,
                  std::vector<settlement>& settled);
  // The batch's outcome is unknown, or it was not taken: it is sent again.
  void on_batch_lost();
  // An own entry was read from the log.
  void on_read(std::uint64_t seq, position at, std::vector<settlement>& settled);
  // At attach, with no batch on its way: the last seq that the log knows of this origin. Messages
  // that were in the log and no longer are will be sent again. False as for on_replies.
  bool on_watermark(std::uint64_t last_seq);
  // Everything that this log has at or below `index` is held by others too.
  void on_stable(std::uint64_t index);

  // Senders that wait since before `earliest` are told to try later; the messages stay.
  void give_up_before(time_point earliest, const std::string& reason,
                      std::vector<settlement>& settled);

  std::size_t size() const { return messages_.size(); }
  std::size_t bytes() const { return bytes_; }

 private:
  std::uint64_t first_seq() const { return next_seq_ - messages_.size(); }
  outbox_message* find(std::uint64_t seq);
  bool send_again_from(std::uint64_t seq);
  void decide(outbox_message& message, position at, std::vector<settlement>& settled);
  void refuse(outbox_message& message, position trimmed, std::vector<settlement>& settled);

  std::size_t entries_max_;
  std::size_t bytes_max_;
  std::size_t bytes_ = 0;
  std::size_t next_ = 0;       // place of the next message to send
  std::size_t undecided_ = 0;  // messages without a position
  std::uint64_t next_seq_ = 1;
  std::deque<outbox_message> messages_;  // dense in seq
  std::vector<const outbox_message*> batch_;
  std::uint64_t batch_seq_ = 0;  // of the first message of the batch
};

}  // namespace ordeal::chat
