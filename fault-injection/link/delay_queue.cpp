#include "fault-injection/link/delay_queue.h"

#include <algorithm>
#include <utility>

namespace ordeal::fault {

void delay_queue::push(std::string_view bytes, net::time_point arrived, net::nanoseconds delay) {
  chunk next;
  next.bytes = bytes;
  next.arrived = arrived;
  next.delay = delay;
  append(std::move(next));
}

void delay_queue::push_end(stream_end how, net::time_point arrived, net::nanoseconds delay) {
  chunk next;
  next.end = how;
  next.arrived = arrived;
  next.delay = delay;
  append(std::move(next));
}

void delay_queue::append(chunk next) {
  next.due = next.arrived + next.delay;
  if (!chunks_.empty()) next.due = std::max(next.due, chunks_.back().due);
  byte_count_ += next.bytes.size();
  chunks_.push_back(std::move(next));
}

std::optional<net::time_point> delay_queue::next_due() const {
  if (chunks_.empty()) return std::nullopt;
  return chunks_.front().due;
}

std::string_view delay_queue::front_bytes() const {
  const chunk& front = chunks_.front();
  return std::string_view(front.bytes).substr(front.consumed);
}

void delay_queue::consume(std::size_t count) {
  chunk& front = chunks_.front();
  front.consumed += count;
  byte_count_ -= count;
  if (front.consumed == front.bytes.size()) chunks_.pop_front();
}

void delay_queue::clear() {
  chunks_.clear();
  byte_count_ = 0;
}

void delay_queue::limit_delays(net::nanoseconds longest) {
  net::time_point ahead = net::time_point::min();
  for (chunk& each : chunks_) {
    each.delay = std::min(each.delay, longest);
    each.due = std::max(ahead, each.arrived + each.delay);
    ahead = each.due;
  }
}

}  // namespace ordeal::fault
