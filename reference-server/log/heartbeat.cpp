#include "reference-server/log/heartbeat.h"

#include <algorithm>

#include "reference-server/log/entry_codec.h"

namespace ordeal::chat {
namespace {

// "<number> <epoch>-<index>"
struct beat_text {
  std::uint64_t number = 0;
  position read;
};

std::optional<beat_text> parse_beat(std::string_view text) {
  const auto blank = text.find(' ');
  if (blank == std::string_view::npos) return std::nullopt;
  const auto number = parse_number(text.substr(0, blank));
  const auto read = parse_position(text.substr(blank + 1));
  if (!number || !read) return std::nullopt;
  beat_text result;
  result.number = *number;
  result.read = *read;
  return result;
}

}  // namespace

heartbeat::heartbeat(std::string origin, milliseconds interval, time_point started)
    : origin_(std::move(origin)),
      interval_(interval),
      silence_max_(interval * intervals_max),
      next_due_(started),
      // Others are presumed until they had the time to beat.
      last_other_(started) {}

std::string heartbeat::make_beat(position last_read, time_point now) {
  next_due_ = now + interval_;
  read_bytes_ = 0;
  return std::to_string(++sent_) + ' ' + format_position(last_read);
}

void heartbeat::on_appended(time_point now) {
  appended_ = sent_;
  // The reader may have been quicker than the reply.
  if (appended_ > echoed_ && !unanswered_since_) unanswered_since_ = now;
}

void heartbeat::on_entry(const entry& beat, time_point now) {
  const auto parsed = parse_beat(beat.text);
  if (!parsed) return;
  if (beat.origin != origin_) {
    last_other_ = now;
    stable_index_ = std::max(stable_index_, parsed->read.index);
    return;
  }
  echoed_ = std::max(echoed_, parsed->number);
  last_echo_ = now;
  unanswered_since_.reset();
  if (is_alone(now)) stable_index_ = std::max(stable_index_, parsed->read.index);
}

bool heartbeat::on_read(std::size_t bytes, time_point now) {
  read_bytes_ += bytes;
  if (read_bytes_ < read_bytes_max) return false;
  next_due_ = std::min(next_due_, now);
  return true;
}

void heartbeat::on_reconnect(time_point now) {
  unanswered_since_.reset();
  stable_index_ = 0;  // of a log that may have been rolled back since
  next_due_ = now;
}

bool heartbeat::is_alone(time_point now) const {
  return now - last_other_ > silence_max_;
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
