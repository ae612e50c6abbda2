// This node's own messages, in order, from acceptance until they are stable (docs/log-protocol.md,
// holes H6 and H18).
//
//   add ─▶ [ in the log, not yet stable | on its way | not sent ] ─▶ leaves at the front when stable
//                                       ▲ next to send
//
// Once a message has its seq it stays until the log has dealt with it; only its sender may stop
// waiting, and joins it again with the same client message id: nothing goes to the log twice for that.
// Seqs rise and may have holes: messages that come back from a lost branch of the log. No I/O, no
// clock: time comes in. Bounded by count and bytes; the caller asks before it adds.
//
// Several batches may be on their way, one behind the other; they are answered in that order.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "reference-server/log/chat_log.h"

namespace ordeal::chat {

inline constexpr const char* other_message_reason =
    "this message id belongs to another message of this sender";

// What the append script says about one entry.
enum class entry_result { appended, used_before, known_client_id, conflict, gap };
struct entry_reply {
  entry_result result = entry_result::appended;
  std::optional<position>
      at;  // appended: there; used before, known: where the message is; missing: not there (any more)
  std::uint64_t last_seq = 0;  // gap: the last seq the log knows of this origin
};

struct message_body {
  std::string room;
  std::string client_message_id;
  std::string text;
};
using message_body_ptr = std::shared_ptr<const message_body>;

// A message on its way to the log.
struct outgoing_message {
  std::uint64_t seq = 0;
  message_body_ptr body;
};

struct outbox_message {
  std::uint64_t seq = 0;
  message_body_ptr body;
  std::optional<position> at;                         // once the log has dealt with it
  bool is_settled = false;                            // the sender has its answer
  std::chrono::steady_clock::time_point waits_since;  // the sender who came last
  // If it is in the log, then behind this index: the top when it was first sent to it. None: never sent.
  std::optional<std::uint64_t> behind;
  // The log said that its seq was used, and did not have it: if it was there, then not behind this index.
  std::optional<std::uint64_t> doubted_at;
};

// What a node knows of the log when it hears the answers to a batch.
struct reading {
  position trimmed;        // stands for a place that the log has forgotten
  std::uint64_t top = 0;   // of the log, with the answers
  std::uint64_t read = 0;  // index up to which this node has read
  std::uint64_t gap_upto =
      0;  // the largest index that it will never see; 0: it has seen all since it began
};

// What is to be made of the answers.
enum class repeats {
  true_ones,   // whatever was a repetition is in the log, or was trimmed there
  to_be_read,  // whether one is will be known when the node has read on
  false_ones   // the log counts a message as known that it never had
};

// An answer for the sender of message `seq`.
struct settlement {
  std::uint64_t seq = 0;
  append_outcome outcome;
};

class outbox {
 public:
  using time_point = std::chrono::steady_clock::time_point;

  outbox(std::size_t entries_max, std::size_t bytes_max, ack_level ack = ack_level::appended)
      : entries_max_(entries_max), bytes_max_(bytes_max), ack_(ack) {}

  bool has_room() const {
    return messages_.size() < entries_max_ && bytes_ < bytes_max_ &&
           undecided_bytes_ < undecided_bytes_max_;
  }
  // So much may wait for the log, besides what is in it and not yet stable.
  void limit_undecided(std::size_t bytes) { undecided_bytes_max_ = bytes; }
  // Returns its seq; that of the message that is here under this client message id, which its sender then waits for
  // again. None when that is another message. With acknowledgement `accepted` it is settled at once.
  std::optional<std::uint64_t> add(message_body body, time_point now,
                                   std::vector<settlement>& settled);

  bool has(const std::string& client_message_id) const {
    return by_id_.contains(client_message_id);
  }
  bool has_unsent() const { return next_ < messages_.size(); }
  // More than a batch of at most `count_max` messages of `bytes_max` together has room for, or just as much.
  bool has_full_batch(std::size_t count_max, std::size_t bytes_max) const;
  bool has_undecided() const { return undecided_ > 0; }
  std::size_t undecided() const { return undecided_; }  // messages not known to be in the log
  std::size_t undecided_bytes() const { return undecided_bytes_; }

  struct batch {
    std::uint64_t after_seq = 0;  // of the message before the first; 0: there is none here
    std::string
        after_id;  // its client message id, when it is not known to be in the log: it must be there
    std::vector<outgoing_message> messages;
  };
  // The next messages to send, at most `count_max` of `bytes_max` together, but one in any case; they are on their way
  // then, to a log that ends at index `top`.
  batch take_batch(std::size_t count_max, std::size_t bytes_max = SIZE_MAX, std::uint64_t top = 0);

  // The script's answers to the oldest batch on its way, in its order. After anything but true repeats what was not
  // answered is to be sent again.
  [[nodiscard]] repeats on_replies(std::span<const entry_reply> replies, const reading& known,
                                   std::vector<settlement>& settled);
  // The oldest batch was not taken: what is undecided is sent again.
  void on_batch_lost();
  // The outcome of all that are on their way is unknown: likewise.
  void on_all_lost();
  // An own entry was read from the log.
  void on_read(std::uint64_t seq, position at, std::vector<settlement>& settled);
  // At attach, with no batch on its way: the last seq that the log knows of this origin. Messages
  // that were in the log and no longer are will be sent again: behind that seq, or where `is_gone`.
  template <class IsGone>
  void on_watermark(std::uint64_t last_seq, IsGone is_gone) {
    for (outbox_message& each : messages_) {
      each.doubted_at.reset();
      if (each.at && (each.seq > last_seq || is_gone(*each.at))) forget_place(each);
    }
    send_again_behind(last_seq);
    on_all_lost();
  }
  void on_watermark(std::uint64_t last_seq) {
    on_watermark(last_seq, [](position) { return false; });
  }
  // The origin has another name from now on, of which the log knows nothing: everything is sent again, except what was
  // in the log and is trimmed there, below `floor`. What the log has it knows by the client message id.
  void begin_anew(std::uint64_t floor, std::vector<settlement>& settled);
  // Everything that this log has with an index from `low` to `upto` is held by others too.
  void on_held(std::uint64_t low, std::uint64_t upto, std::vector<settlement>& settled);
  // Own messages that had left, or are still here, and are no longer in the log; by seq. Nobody
  // waits for those that had left.
  void put_back(std::span<const entry_ptr> lost);

  // Senders that wait since before `earliest` are told to try later; the messages stay.
  void give_up_before(time_point earliest, const std::string& reason,
                      std::vector<settlement>& settled);

  std::size_t size() const { return messages_.size(); }
  std::size_t bytes() const { return bytes_; }
  const std::deque<outbox_message>& messages() const { return messages_; }
  std::size_t unsent_from() const { return next_; }  // place in messages()
  std::uint64_t last_seq() const { return next_seq_ - 1; }
  // What is on its way, for whoever compares outboxes.
  void add_to_fingerprint(std::string& text) const;

 private:
  std::deque<outbox_message>::iterator place_of(std::uint64_t seq);  // of it, or of the one behind
  outbox_message* find(std::uint64_t seq);
  void wait_again(outbox_message& message, time_point now, std::vector<settlement>& settled);
  void forget_identity(const outbox_message& message);
  void send_again_behind(std::uint64_t seq);
  void send_undecided_again();
  void forget_place(outbox_message& message);
  repeats judge(outbox_message& message, bool was_sent, const reading& known) const;
  void decide(outbox_message& message, position at, std::vector<settlement>& settled);
  void settle(outbox_message& message, append_outcome outcome, std::vector<settlement>& settled);

  std::size_t entries_max_;
  std::size_t bytes_max_;
  ack_level ack_;
  std::size_t bytes_ = 0;
  std::size_t next_ = 0;       // place of the next message to send
  std::size_t undecided_ = 0;  // messages without a position
  std::size_t undecided_bytes_ = 0;
  std::size_t undecided_bytes_max_ = SIZE_MAX;
  std::uint64_t next_seq_ = 1;
  std::deque<outbox_message> messages_;  // by seq
  // Client message id, which is the one in the body, to seq. Flat: it holds tens of thousands and is asked twice a
  // message.
  boost::unordered_flat_map<std::string_view, std::uint64_t> by_id_;
  struct on_its_way {
    std::uint64_t seq = 0;
    bool was_sent = false;  // before, too
  };
  std::deque<std::vector<on_its_way>> sent_;  // batches, the oldest first
};

}  // namespace ordeal::chat
