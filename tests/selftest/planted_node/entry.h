// A message of the log and its place in it. The index counts up from 1 over all nodes; on the wire it is the cursor.
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ordeal::planted {

using log_index = std::uint64_t;

inline std::optional<log_index> parse_index(std::string_view text) {
  log_index index = 0;
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, index);
  if (parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
  return index;
}

struct entry {
  log_index index = 0;
  std::string room;
  std::string sender;      // node and connection; only bugs look at it
  std::string message_id;  // the client's: the same one again is the same message
  std::string text;
};

// Ordeal's own, from before the load: a bug that shows itself once must not waste itself on it.
inline bool is_of_rehearsal(const entry& what) {
  return what.room.ends_with("-rehearsal");
}

}  // namespace ordeal::planted
