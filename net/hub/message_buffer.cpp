#include "net/hub/message_buffer.h"

#include <algorithm>
#include <utility>

namespace ordeal::net::hub {

void message_buffer::track(record_ptr record) {
  // Only behind the rewrites: the peer counts what it gets.
  bytes_ += record->size();
  unacked_.push_back(std::move(record));
  ++sent_count_;
  rewrite_id_ = sent_count_ + 1;
}

bool message_buffer::on_ack(std::uint64_t sequence_id) {
  if (is_waiting_for_sequence_) return true;  // ignored as everything else
  if (sequence_id > sent_count_) return false;
  while (!unacked_.empty() && first_unacked() <= sequence_id) {
    bytes_ -= unacked_.front()->size();
    unacked_.pop_front();
  }
  rewrite_id_ = std::max(rewrite_id_, first_unacked());
  return true;
}

void message_buffer::take_rewrites(std::vector<record_ptr>& frame, std::size_t frame_bytes_max) {
  frame.clear();
  std::size_t frame_bytes = 0;
  for (; rewrite_id_ <= sent_count_; ++rewrite_id_) {
    const record_ptr& next = unacked_[static_cast<std::size_t>(rewrite_id_ - first_unacked())];
    if (!frame.empty() && frame_bytes + next->size() > frame_bytes_max) return;
    frame_bytes += next->size();
    frame.push_back(next);
  }
}

message_buffer::verdict message_buffer::on_record(message_type type, std::size_t record_bytes) {
  if (is_waiting_for_sequence_) return verdict::ignore;
  if (!is_tracked(type)) return verdict::process;
  const std::uint64_t id = next_received_++;
  is_ack_due_ = true;  // also of a record that we had: the peer sent it for want of our ack
  unreported_bytes_ += record_bytes;
  if (id <= processed_) return verdict::ignore;
  processed_ = id;
  return verdict::process;
}

bool message_buffer::on_sequence(std::uint64_t sequence_id) {
  if (!is_waiting_for_sequence_ || sequence_id == 0 || sequence_id > processed_ + 1) return false;
  is_waiting_for_sequence_ = false;
  next_received_ = sequence_id;
  return true;
}

std::optional<std::uint64_t> message_buffer::take_ack() {
  if (!is_ack_due_ || is_waiting_for_sequence_) return std::nullopt;
  is_ack_due_ = false;
  unreported_bytes_ = 0;
  return processed_;
}

void message_buffer::reconnect() {
  rewrite_id_ = first_unacked();
  is_waiting_for_sequence_ = true;
}

}  // namespace ordeal::net::hub
