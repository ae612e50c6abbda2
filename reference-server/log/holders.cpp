#include "reference-server/log/holders.h"

#include <algorithm>

#include "reference-server/log/entry_codec.h"

namespace ordeal::chat {

std::string format_beat(const beat_text& beat) {
  return std::to_string(beat.number) + ' ' + format_position(beat.read) + ' ' +
         std::to_string(beat.low);
}

std::optional<beat_text> parse_beat(std::string_view text) {
  const auto first = text.find(' ');
  const auto second = text.find(' ', std::min(first, text.size() - 1) + 1);
  if (first == std::string_view::npos || second == std::string_view::npos) return std::nullopt;
  const auto number = parse_number(text.substr(0, first));
  const auto read = parse_position(text.substr(first + 1, second - first - 1));
  const auto low = parse_number(text.substr(second + 1));
  if (!number || !read || !low) return std::nullopt;
  beat_text result;
  result.number = *number;
  result.read = *read;
  result.low = *low;
  return result;
}

void holders::on_other_beat(const std::string& origin, const beat_text& beat) {
  holder& known = all_[origin];
  if (beat.number <= known.number) return;
  known.number = beat.number;
  members_[origin] = 0;
  known.low = beat.low;
  known.upto = beat.read.index;
  known.silence = 0;
  echoes_alone_ = 0;
}

void holders::on_written_by(const std::string& origin) {
  members_[origin] = 0;
}

void holders::on_own_echo(unsigned forget_after) {
  ++echoes_alone_;
  for (auto member = members_.begin(); member != members_.end();)
    member = ++member->second > forget_after ? members_.erase(member) : std::next(member);
  for (auto each = all_.begin(); each != all_.end();) {
    each = ++each->second.silence > forget_after ? all_.erase(each) : std::next(each);
  }
}

void holders::cut(std::uint64_t index) {
  for (auto& [origin, known] : all_) known.upto = std::min(known.upto, index);
}

bool holders::is_alone(unsigned silent_max) const {
  return echoes_alone_ > silent_max;
}

std::uint64_t holders::kept_from() const {
  std::uint64_t lowest = 0;
  for (const auto& [origin, known] : all_)
    lowest = lowest == 0 ? known.low : std::min(lowest, known.low);
  return lowest;
}

bool holders::is_read(std::uint64_t index) const {
  const auto has_read = [index](const auto& one) {
    return one.second.low <= index && index <= one.second.upto;
  };
  return std::any_of(all_.begin(), all_.end(), has_read);
}

std::vector<std::string> holders::members() const {
  std::vector<std::string> result;
  for (const auto& [origin, silence] : members_) result.push_back(origin);
  return result;
}

}  // namespace ordeal::chat
