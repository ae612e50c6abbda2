// A chat message as it stands in the Redis stream, and its place there. Clients hold the place as
// their cursor.
#pragma once

#include <charconv>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ordeal::planted {

struct stream_id {
  std::uint64_t milliseconds = 0;
  std::uint64_t sequence = 0;

  friend auto operator<=>(const stream_id&, const stream_id&) = default;

  std::string text() const { return std::to_string(milliseconds) + '-' + std::to_string(sequence); }

  static std::optional<stream_id> parse(std::string_view text) {
    stream_id id;
    const char* const end = text.data() + text.size();
    const auto first = std::from_chars(text.data(), end, id.milliseconds);
    if (first.ec != std::errc() || first.ptr == end || *first.ptr != '-') return std::nullopt;
    const auto second = std::from_chars(first.ptr + 1, end, id.sequence);
    if (second.ec != std::errc() || second.ptr != end) return std::nullopt;
    return id;
  }
};

struct entry {
  stream_id id;
  std::string room;
  std::string sender;      // node and connection; only bugs look at it
  std::string message_id;  // the client's
  std::string text;
};

}  // namespace ordeal::planted
