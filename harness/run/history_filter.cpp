#include "harness/run/history_filter.h"

#include <algorithm>
#include <span>

#include "harness/history/event_codec.h"
#include "harness/run/history_text.h"
#include "harness/run/stored_run.h"
#include "harness/scenario/spelling.h"
#include "harness/scenario/values.h"

namespace ordeal::harness {
namespace {

refusal mistake(const std::string& problem, const std::string& remedy) {
  return {exit_code::bad_command_line, problem, remedy};
}

bool are_digits(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// "17", "+17.25s", "-0.5": exact to the nanosecond, as the lines show it.
run_time parse_moment(const std::string& flag, const std::string& text) {
  std::string_view rest = text;
  const bool is_negative = rest.starts_with('-');
  if (is_negative || rest.starts_with('+')) rest.remove_prefix(1);
  if (rest.ends_with('s')) rest.remove_suffix(1);
  const std::size_t point = std::min(rest.find('.'), rest.size());
  const std::string_view fraction = rest.substr(std::min(point + 1, rest.size()));
  const bool is_number = point > 0 && point <= 9 && fraction.size() <= 9 &&
                         are_digits(rest.substr(0, point)) && are_digits(fraction);
  if (!is_number) {
    throw mistake(flag + ": '" + text + "' is no time",
                  "seconds since the first phase began, like 17.25 or -0.5");
  }
  const std::string digits = std::string(fraction) + std::string(9 - fraction.size(), '0');
  const std::int64_t ns =
      std::stoll(std::string(rest.substr(0, point))) * 1'000'000'000 + std::stoll(digits);
  return run_time(is_negative ? -ns : ns);
}

// "client-3" or "3" is 2; nullopt: no such thing among `count` of them.
std::optional<std::uint32_t> find_index(std::string_view text, std::string_view what,
                                        std::size_t count) {
  const std::string prefix = std::string(what) + "-";
  if (text.starts_with(prefix)) text.remove_prefix(prefix.size());
  const parsed<std::int64_t> number = parse_integer(text);
  if (!number.value || *number.value < 1) return std::nullopt;
  if (static_cast<std::uint64_t>(*number.value) > count) return std::nullopt;
  return static_cast<std::uint32_t>(*number.value - 1);
}

std::string range_text(const std::string& what, std::size_t count) {
  return "it has " + what + "-1 to " + what + "-" + std::to_string(count);
}

template <class Id>
Id parse_id(const std::string& flag, const std::string& text, const std::string& what,
            std::size_t count) {
  const auto index = find_index(text, what, count);
  if (!index) throw mistake(flag + ": the run has no '" + text + "'", range_text(what, count));
  return Id{*index};
}

message_id parse_message(const std::string& text, const terms& in) {
  const std::string flag = "--message";
  const std::size_t hash = text.find('#'), at = text.find('@');
  if (hash == std::string::npos || at == std::string::npos || at < hash) {
    throw mistake(flag + ": '" + text + "' is no message",
                  "like client-3#17@room-1, as in violations.jsonl");
  }
  message_id id;
  id.sender = parse_id<client_id>(flag, text.substr(0, hash), "client", in.clients.size());
  id.room = parse_id<room_id>(flag, text.substr(at + 1), "room", in.rooms.size());
  const std::string seq = text.substr(hash + 1, at - hash - 1);
  const parsed<std::int64_t> number = parse_integer(seq);
  if (!number.value || *number.value < 1 || *number.value > UINT32_MAX) {
    throw mistake(flag + ": '" + seq + "' is no number of a message",
                  "they count from 1, by sender and room");
  }
  id.seq = static_cast<std::uint32_t>(*number.value);
  return id;
}

std::vector<bool> parse_kinds(const std::string& text) {
  const std::span<const std::string_view> known = event_kinds();
  const std::vector<std::string> names(known.begin(), known.end());
  std::vector<bool> wanted(known.size(), false);
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    const std::string name = text.substr(begin, end - begin);
    const auto found = std::find(known.begin(), known.end(), name);
    if (found == known.end()) {
      const std::string suggestion = did_you_mean(name, names);
      throw mistake("--kind: there is no event '" + name + "'",
                    suggestion.empty() ? "events: " + join(names) : suggestion);
    }
    wanted[static_cast<std::size_t>(found - known.begin())] = true;
    begin = end + 1;
  }
  return wanted;
}

// What an event is about, as far as it is about one; of a message on its way it is the sender's.
template <class Event>
std::optional<client_id> client_of([[maybe_unused]] const Event& what) {
  if constexpr (requires { what.client; }) {
    return what.client;
  } else if constexpr (requires { what.id; }) {
    return what.id.sender;
  } else {
    return std::nullopt;
  }
}

template <class Event>
std::optional<node_id> node_of([[maybe_unused]] const Event& what) {
  if constexpr (requires { what.node; }) {
    return what.node;
  } else {
    return std::nullopt;
  }
}

template <class Event>
std::optional<message_id> message_of([[maybe_unused]] const Event& what) {
  if constexpr (requires { what.id; }) {
    return what.id;
  } else {
    return std::nullopt;
  }
}

std::optional<message_id> message_of(const delivered& what) {
  if (what.payload != payload_state::intact) return std::nullopt;
  return what.id;
}

}  // namespace

history_filter::history_filter(const filter_words& words, const terms& in) {
  if (!words.from.empty()) from_ = parse_moment("--from", words.from);
  if (!words.to.empty()) to_ = parse_moment("--to", words.to);
  if (from_ > to_) throw mistake("--from is later than --to", "nothing happened in between");
  if (!words.client.empty())
    client_ = parse_id<client_id>("--client", words.client, "client", in.clients.size());
  if (!words.node.empty()) node_ = parse_id<node_id>("--node", words.node, "node", in.nodes);
  if (!words.message.empty()) message_ = parse_message(words.message, in);
  if (!words.kinds.empty()) kinds_ = parse_kinds(words.kinds);
}

bool history_filter::takes(const event& what) const {
  const run_time at = time_of(what);
  if (at < from_ || at > to_ || !kinds_[what.index()]) return false;
  return std::visit(
      [this](const auto& of) {
        return (!client_ || client_of(of) == client_) && (!node_ || node_of(of) == node_) &&
               (!message_ || message_of(of) == message_);
      },
      what);
}

}  // namespace ordeal::harness
