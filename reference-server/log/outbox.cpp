#include "reference-server/log/outbox.h"

#include <algorithm>

#include "net/async/assert.h"

namespace ordeal::chat {
namespace {

constexpr std::size_t message_overhead_bytes = 160;

std::size_t bytes_of(const outbox_message& message) {
  return message_overhead_bytes + message.room.size() + message.client_message_id.size() +
         message.text.size();
}

}  // namespace

std::uint64_t outbox::add(std::string room, std::string client_message_id, std::string text,
                          time_point now) {
  outbox_message message;
  message.seq = next_seq_++;
  message.room = std::move(room);
  message.client_message_id = std::move(client_message_id);
  message.text = std::move(text);
  message.added = now;
  bytes_ += bytes_of(message);
  ++undecided_;
  messages_.push_back(std::move(message));
  return messages_.back().seq;
}

std::span<const outbox_message* const> outbox::take_batch(std::size_t count_max) {
  batch_.clear();
  batch_seq_ = first_seq() + next_;
  for (; next_ < messages_.size() && batch_.size() < count_max; ++next_)
    batch_.push_back(&messages_[next_]);
  return batch_;
}

outbox_message* outbox::find(std::uint64_t seq) {
  if (seq < first_seq() || seq >= next_seq_) return nullptr;
  return &messages_[static_cast<std::size_t>(seq - first_seq())];
}

bool outbox::send_again_from(std::uint64_t seq) {
  if (seq < first_seq() || seq > next_seq_) return false;
  next_ = static_cast<std::size_t>(seq - first_seq());
  return true;
}

void outbox::decide(outbox_message& message, position at, std::vector<settlement>& settled) {
  if (message.at) return;
  message.at = at;
  --undecided_;
  if (message.is_settled) return;
  message.is_settled = true;
  settlement answer;
  answer.seq = message.seq;
  answer.outcome.status = append_status::appended;
  answer.outcome.at = at;
  settled.push_back(std::move(answer));
}

// The log has another message under this client id: acknowledging this one would be a lie.
void outbox::refuse(outbox_message& message, position trimmed, std::vector<settlement>& settled) {
  const std::size_t settled_before = settled.size();
  decide(message, trimmed, settled);
  if (settled.size() == settled_before) return;
  append_outcome& outcome = settled.back().outcome;
  outcome = {};
  outcome.status = append_status::refused;
  outcome.reason = "this message id belongs to another message";
}

bool outbox::on_replies(std::span<const entry_reply> replies, position trimmed,
                        std::vector<settlement>& settled) {
  std::uint64_t seq = batch_seq_;
  for (const entry_reply& reply : replies) {
    if (reply.result == entry_result::gap) return send_again_from(reply.last_seq + 1);
    outbox_message* const message = find(seq++);
    // It may have left already: read back, seen by others, stable.
    if (message == nullptr) continue;
    if (reply.result == entry_result::conflict) {
      refuse(*message, trimmed, settled);
    } else {
      decide(*message, reply.at.value_or(trimmed), settled);
    }
  }
  return true;
}

void outbox::on_batch_lost() {
  const auto is_undecided = [](const outbox_message& message) { return !message.at; };
  const auto first = std::ranges::find_if(messages_, is_undecided);
  next_ = std::min(next_, static_cast<std::size_t>(first - messages_.begin()));
}

void outbox::on_read(std::uint64_t seq, position at, std::vector<settlement>& settled) {
  if (outbox_message* const message = find(seq)) decide(*message, at, settled);
}

bool outbox::on_watermark(std::uint64_t last_seq) {
  if (last_seq + 1 < first_seq() || last_seq >= next_seq_) return false;
  for (std::uint64_t seq = last_seq + 1; seq < next_seq_; ++seq) {
    outbox_message& message = *find(seq);
    if (!message.at) continue;
    message.at.reset();  // its sender has been told; it goes in again, at another position
    ++undecided_;
  }
  next_ = std::min(next_, static_cast<std::size_t>(last_seq + 1 - first_seq()));
  return true;
}

void outbox::on_stable(std::uint64_t index) {
  // Not past `next_`: what is to be sent again is not in the log as far as anyone knows.
  while (next_ > 0 && messages_.front().at && messages_.front().at->index <= index) {
    bytes_ -= bytes_of(messages_.front());
    messages_.pop_front();
    --next_;
  }
  ORDEAL_ASSERT(undecided_ <= messages_.size());
}

void outbox::give_up_before(time_point earliest, const std::string& reason,
                            std::vector<settlement>& settled) {
  for (outbox_message& message : messages_) {
    if (message.added >= earliest) break;  // in order of arrival
    if (message.is_settled) continue;
    message.is_settled = true;
    settlement answer;
    answer.seq = message.seq;
    answer.outcome.reason = reason;
    settled.push_back(std::move(answer));
  }
}

}  // namespace ordeal::chat
