#include "reference-server/log/outbox.h"

#include <algorithm>

#include "net/async/assert.h"

namespace ordeal::chat {
namespace {

constexpr std::size_t memory_overhead_bytes = 300;
constexpr std::size_t wire_overhead_bytes = 64;  // lengths, kind and seq

std::size_t text_bytes(const outbox_message& message) {
  return message.body->room.size() + message.body->client_message_id.size() +
         message.body->text.size();
}

std::size_t bytes_of(const outbox_message& message) {
  return memory_overhead_bytes + text_bytes(message);
}

std::size_t wire_bytes_of(const outbox_message& message) {
  return wire_overhead_bytes + text_bytes(message);
}

append_outcome outcome_of(append_status status, position at = {}) {
  append_outcome outcome;
  outcome.status = status;
  outcome.at = at;
  return outcome;
}

}  // namespace

std::optional<std::uint64_t> outbox::add(message_body body, time_point now,
                                         std::vector<settlement>& settled) {
  auto made = std::make_shared<const message_body>(std::move(body));
  if (!made->client_message_id.empty()) {
    const auto [known, is_new] = by_id_.try_emplace(made->client_message_id, next_seq_);
    if (!is_new) {
      outbox_message& message = *find(known->second);
      if (message.body->room != made->room || message.body->text != made->text) return std::nullopt;
      wait_again(message, now, settled);
      return message.seq;
    }
  }
  outbox_message message;
  message.seq = next_seq_++;
  message.body = std::move(made);
  message.waits_since = now;
  bytes_ += bytes_of(message);
  ++undecided_;
  undecided_bytes_ += wire_bytes_of(message);
  messages_.push_back(std::move(message));
  if (ack_ == ack_level::accepted)
    settle(messages_.back(), outcome_of(append_status::accepted), settled);
  return messages_.back().seq;
}

void outbox::wait_again(outbox_message& message, time_point now, std::vector<settlement>& settled) {
  message.waits_since = now;
  message.is_settled = false;
  if (ack_ == ack_level::accepted) {
    settle(message, outcome_of(append_status::accepted), settled);
  } else if (ack_ == ack_level::appended && message.at) {
    settle(message, outcome_of(append_status::appended, *message.at), settled);
  }
}

void outbox::forget_identity(const outbox_message& message) {
  const auto known = by_id_.find(message.body->client_message_id);
  if (known != by_id_.end() && known->second == message.seq) by_id_.erase(known);
}

bool outbox::has_full_batch(std::size_t count_max, std::size_t bytes_max) const {
  if (messages_.size() - next_ >= count_max) return true;
  std::size_t bytes = 0;
  for (std::size_t i = next_; i < messages_.size() && bytes < bytes_max; ++i)
    bytes += wire_bytes_of(messages_[i]);
  return bytes >= bytes_max;
}

outbox::batch outbox::take_batch(std::size_t count_max, std::size_t bytes_max, std::uint64_t top) {
  batch taken;
  if (next_ > 0 && next_ < messages_.size()) {
    const outbox_message& before = messages_[next_ - 1];
    taken.after_seq = before.seq;
    if (!before.at) taken.after_id = before.body->client_message_id;
  }
  std::vector<on_its_way>& sent = sent_.emplace_back();
  std::size_t bytes = 0;
  for (; next_ < messages_.size() && sent.size() < count_max; ++next_) {
    outbox_message& message = messages_[next_];
    bytes += wire_bytes_of(message);
    if (bytes > bytes_max && !sent.empty()) break;
    taken.messages.push_back(outgoing_message{message.seq, message.body});
    sent.push_back(on_its_way{message.seq, message.behind.has_value()});
    message.behind = std::min(message.behind.value_or(top), top);
  }
  return taken;
}

std::deque<outbox_message>::iterator outbox::place_of(std::uint64_t seq) {
  const auto is_before = [](const outbox_message& message, std::uint64_t wanted) {
    return message.seq < wanted;
  };
  return std::lower_bound(messages_.begin(), messages_.end(), seq, is_before);
}

outbox_message* outbox::find(std::uint64_t seq) {
  const auto found = place_of(seq);
  return found != messages_.end() && found->seq == seq ? &*found : nullptr;
}

void outbox::send_again_behind(std::uint64_t seq) {
  const auto first = static_cast<std::size_t>(place_of(seq + 1) - messages_.begin());
  next_ = std::min(next_, first);
}

void outbox::settle(outbox_message& message, append_outcome outcome,
                    std::vector<settlement>& settled) {
  if (message.is_settled) return;
  message.is_settled = true;
  settled.push_back(settlement{message.seq, std::move(outcome)});
}

void outbox::decide(outbox_message& message, position at, std::vector<settlement>& settled) {
  if (message.at) return;
  message.at = at;
  --undecided_;
  undecided_bytes_ -= wire_bytes_of(message);
  if (ack_ == ack_level::appended)
    settle(message, outcome_of(append_status::appended, at), settled);
}

// The seq is used, and the message is not there: trimmed after an answer that was lost, or never there at all.
repeats outbox::judge(outbox_message& message, bool was_sent, const reading& known) const {
  if (message.at) return repeats::true_ones;
  if (!was_sent) return repeats::false_ones;
  if (known.gap_upto > message.behind.value_or(0)) return repeats::true_ones;
  if (!message.doubted_at) message.doubted_at = known.top;
  // Had it been there, reading would have told.
  return known.read < *message.doubted_at ? repeats::to_be_read : repeats::false_ones;
}

repeats outbox::on_replies(std::span<const entry_reply> replies, const reading& known,
                           std::vector<settlement>& settled) {
  repeats result = repeats::true_ones;
  ORDEAL_ASSERT(!sent_.empty());
  const std::vector<on_its_way> asked = std::move(sent_.front());
  sent_.pop_front();
  std::size_t place = 0;
  for (const entry_reply& reply : replies) {
    if (reply.result == entry_result::gap) {
      send_again_behind(reply.last_seq);
      break;
    }
    if (place >= asked.size()) break;
    const on_its_way& sent = asked[place++];
    // It may have left already: read back, seen by others, stable.
    outbox_message* const message = find(sent.seq);
    if (message == nullptr) continue;
    if (reply.result == entry_result::used_before && !reply.at) {
      result = judge(*message, sent.was_sent, known);
      if (result != repeats::true_ones) break;
    }
    if (reply.result == entry_result::conflict) {
      // The log has another message under this client id: acknowledging this one would be a lie.
      append_outcome refusal = outcome_of(append_status::refused);
      refusal.reason = other_message_reason;
      settle(*message, std::move(refusal), settled);
      forget_identity(*message);
    }
    decide(*message, reply.at.value_or(known.trimmed), settled);
  }
  if (result != repeats::true_ones) send_undecided_again();
  return result;
}

void outbox::forget_place(outbox_message& message) {
  message.at.reset();  // it goes in again, at another position
  ++undecided_;
  undecided_bytes_ += wire_bytes_of(message);
}

void outbox::begin_anew(std::uint64_t floor, std::vector<settlement>& settled) {
  std::deque<outbox_message> kept;
  for (outbox_message& each : messages_) {
    each.behind.reset();
    each.doubted_at.reset();
    if (each.at && each.at->index < floor) {
      settle(each, outcome_of(append_status::appended, *each.at), settled);
      bytes_ -= bytes_of(each);
      forget_identity(each);
      continue;
    }
    if (each.at) forget_place(each);
    kept.push_back(std::move(each));
  }
  messages_ = std::move(kept);
  next_ = 0;
  // What the log says of batches that are still on their way it says of the former name.
  for (std::vector<on_its_way>& each : sent_) each.clear();
}

void outbox::on_batch_lost() {
  ORDEAL_ASSERT(!sent_.empty());
  sent_.pop_front();
  send_undecided_again();
}

void outbox::on_all_lost() {
  sent_.clear();
  send_undecided_again();
}

void outbox::send_undecided_again() {
  const auto is_undecided = [](const outbox_message& message) { return !message.at; };
  const auto first = std::ranges::find_if(messages_, is_undecided);
  next_ = std::min(next_, static_cast<std::size_t>(first - messages_.begin()));
}

void outbox::on_read(std::uint64_t seq, position at, std::vector<settlement>& settled) {
  if (outbox_message* const message = find(seq)) decide(*message, at, settled);
}

void outbox::on_held(std::uint64_t low, std::uint64_t upto, std::vector<settlement>& settled) {
  // Not past `next_`: what is to be sent again is not in the log as far as anyone knows.
  while (next_ > 0) {
    outbox_message& front = messages_.front();
    if (!front.at || front.at->index < low || front.at->index > upto) break;
    settle(front, outcome_of(append_status::appended, *front.at), settled);
    bytes_ -= bytes_of(front);
    forget_identity(front);
    messages_.pop_front();
    --next_;
  }
  ORDEAL_ASSERT(undecided_ <= messages_.size());
}

void outbox::put_back(std::span<const entry_ptr> lost) {
  for (const entry_ptr& each : lost) {
    const auto place = place_of(each->origin_seq);
    if (place != messages_.end() && place->seq == each->origin_seq) {
      if (place->at) forget_place(*place);
      place->behind = 0;
    } else {
      outbox_message message;
      message.seq = each->origin_seq;
      message.body = std::make_shared<const message_body>(
          message_body{each->room, each->client_message_id, each->text});
      message.is_settled = true;
      message.behind = 0;
      bytes_ += bytes_of(message);
      ++undecided_;
      undecided_bytes_ += wire_bytes_of(message);
      if (!message.body->client_message_id.empty())
        by_id_.emplace(message.body->client_message_id, message.seq);
      messages_.insert(place, std::move(message));
    }
  }
  next_ = 0;  // the log answers DUP for what it has
}

void outbox::add_to_fingerprint(std::string& text) const {
  for (const auto& each_batch : sent_) {
    text += '[';
    for (const on_its_way& each : each_batch)
      text += std::to_string(each.seq) + (each.was_sent ? "+ " : " ");
    text += ']';
  }
}

void outbox::give_up_before(time_point earliest, const std::string& reason,
                            std::vector<settlement>& settled) {
  for (outbox_message& message : messages_) {
    if (message.is_settled || message.waits_since >= earliest) continue;
    append_outcome outcome;
    outcome.reason = reason;
    settle(message, std::move(outcome), settled);
  }
}

}  // namespace ordeal::chat
