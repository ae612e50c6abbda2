#include <algorithm>

#include "reference-server/log/entry_codec.h"

namespace ordeal::chat {
namespace {

constexpr std::size_t log_id_length_max = 64;

bool is_log_id(std::string_view text) {
  const auto is_allowed = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z'); };
  return !text.empty() && text.size() <= log_id_length_max && std::ranges::all_of(text, is_allowed);
}

}  // namespace

std::string format_cursor(std::string_view log_id, position at) {
  std::string text(log_id);
  text += ':';
  text += format_position(at);
  return text;
}

std::optional<cursor> parse_cursor(std::string_view text) {
  const auto colon = text.find(':');
  if (colon == std::string_view::npos || !is_log_id(text.substr(0, colon))) return std::nullopt;
  const auto at = parse_position(text.substr(colon + 1));
  if (!at) return std::nullopt;
  cursor result;
  result.log_id = text.substr(0, colon);
  result.at = *at;
  return result;
}

}  // namespace ordeal::chat
