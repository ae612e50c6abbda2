#include "reference-server/log/heartbeat.h"

#include <algorithm>

namespace ordeal::chat {

void heartbeat::on_due(time_point now) {
  next_due_ = now + interval_;
  read_bytes_ = 0;
}

void heartbeat::on_progress(std::uint64_t appended, std::uint64_t echoed, time_point now) {
  if (echoed > echoed_) {
    echoed_ = echoed;
    last_echo_ = now;
    unanswered_since_.reset();
  }
  if (appended > appended_) {
    appended_ = appended;
    // The reader may have been quicker than the reply.
    if (appended_ > echoed_ && !unanswered_since_) unanswered_since_ = now;
  }
}

bool heartbeat::on_read(std::size_t bytes, time_point now) {
  read_bytes_ += bytes;
  if (read_bytes_ < read_bytes_max) return false;
  next_due_ = std::min(next_due_, now);
  return true;
}

void heartbeat::on_reconnect(time_point now) {
  unanswered_since_.reset();
  next_due_ = now;
}

bool heartbeat::is_echo_overdue(time_point now) const {
  return unanswered_since_ && now - *unanswered_since_ > silence_max_;
}

std::optional<std::chrono::milliseconds> heartbeat::echo_age(time_point now) const {
  if (!last_echo_) return std::nullopt;
  return std::chrono::duration_cast<milliseconds>(now - *last_echo_);
}

bool heartbeat::is_echo_recent(time_point now) const {
  return last_echo_ && now - *last_echo_ <= silence_max_;
}

}  // namespace ordeal::chat
