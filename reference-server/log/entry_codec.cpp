#include "reference-server/log/entry_codec.h"

#include <charconv>

namespace ordeal::chat {
namespace {

constexpr std::string_view field_names = "kosrct";

std::optional<entry_kind> kind_of(std::string_view letter) {
  for (const entry_kind kind : {entry_kind::message, entry_kind::heartbeat, entry_kind::barrier}) {
    if (letter == letter_of(kind)) return kind;
  }
  return std::nullopt;
}

// The attach and trim scripts know the order of the fields too, so another order is not an entry of
// ours.
bool has_our_fields(net::redis::reply_view fields) {
  if (fields.size() != 2 * field_names.size()) return false;
  for (std::size_t i = 0; i < field_names.size(); ++i) {
    if (fields[2 * i].text() != field_names.substr(i, 1)) return false;
  }
  return true;
}

}  // namespace

std::optional<std::uint64_t> parse_number(std::string_view digits) {
  std::uint64_t value = 0;
  const char* const end = digits.data() + digits.size();
  const auto [stop, failure] = std::from_chars(digits.data(), end, value);
  if (failure != std::errc{} || stop != end) return std::nullopt;
  return value;
}

std::string format_position(position at) {
  return std::to_string(at.epoch) + '-' + std::to_string(at.index);
}

std::optional<position> parse_position(std::string_view text) {
  const auto dash = text.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const auto epoch = parse_number(text.substr(0, dash));
  const auto index = parse_number(text.substr(dash + 1));
  if (!epoch || !index) return std::nullopt;
  return position{*epoch, *index};
}

std::string_view letter_of(entry_kind kind) {
  switch (kind) {
    case entry_kind::message:
      return "m";
    case entry_kind::heartbeat:
      return "h";
    case entry_kind::barrier:
      return "b";
  }
  return "";
}

entry_ptr parse_entry(net::redis::reply_view element) {
  const auto at = parse_position(element[0].text());
  const net::redis::reply_view fields = element[1];
  if (!at || !has_our_fields(fields)) return nullptr;
  if (at->epoch > epoch_max || at->index > index_max) return nullptr;
  const auto kind = kind_of(fields[1].text());
  const auto seq = parse_number(fields[5].text());
  if (!kind || !seq) return nullptr;
  auto result = std::make_shared<entry>();
  result->at = *at;
  result->kind = *kind;
  result->origin = fields[3].text();
  result->origin_seq = *seq;
  result->room = fields[7].text();
  result->client_message_id = fields[9].text();
  result->text = fields[11].text();
  return result;
}

std::size_t entry_bytes(const entry& each) {
  // The object, its control block and the strings' own blocks.
  constexpr std::size_t overhead_bytes = 240;
  return overhead_bytes + each.room.size() + each.client_message_id.size() + each.text.size();
}

bool is_same_entry(const entry& one, const entry& other) {
  return one.at == other.at && one.kind == other.kind && one.origin == other.origin &&
         one.origin_seq == other.origin_seq && one.room == other.room &&
         one.client_message_id == other.client_message_id && one.text == other.text;
}

}  // namespace ordeal::chat
