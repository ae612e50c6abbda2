#include "harness/history/envelope.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

namespace ordeal::harness {
namespace {

constexpr std::string_view prefix = "o1.";
constexpr std::size_t checksum_length = 8;

void append_number(std::string& text, std::int64_t value) {
  std::array<char, 24> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  text.append(digits.data(), end);
}

void append_checksum(std::string& text, std::uint32_t value) {
  constexpr std::string_view hex = "0123456789abcdef";
  for (int shift = 28; shift >= 0; shift -= 4) text += hex[(value >> shift) & 0xfU];
}

// Lower case only: a digit whose case was flipped on the way is a changed byte, too.
std::optional<std::uint32_t> parse_checksum(std::string_view text) {
  std::uint32_t value = 0;
  for (const char c : text) {
    const bool is_digit = c >= '0' && c <= '9';
    const bool is_letter = c >= 'a' && c <= 'f';
    if (!is_digit && !is_letter) return std::nullopt;
    value = (value << 4) | static_cast<std::uint32_t>(is_digit ? c - '0' : c - 'a' + 10);
  }
  return value;
}

// Takes "<number>." off the front.
template <class Number>
bool take_number(std::string_view& rest, Number& value) {
  const auto [end, ec] = std::from_chars(rest.data(), rest.data() + rest.size(), value);
  if (ec != std::errc() || end == rest.data() + rest.size() || *end != '.') return false;
  rest.remove_prefix(static_cast<std::size_t>(end - rest.data()) + 1);
  return true;
}

bool is_padding(std::string_view text) {
  if (text.empty()) return true;
  return text.front() == 'x' && text.substr(1) == text.substr(0, text.size() - 1);
}

// Everything but the question whose run it is; nullopt when shape or checksum is wrong.
std::optional<envelope> parse_whole(std::string_view text) {
  if (text.size() <= prefix.size() + run_nonce_length) return std::nullopt;
  std::string_view rest = text.substr(prefix.size() + run_nonce_length);
  if (rest.front() != '.') return std::nullopt;
  rest.remove_prefix(1);

  std::uint32_t sender = 0, room = 0;
  std::int64_t intended = 0;
  envelope found;
  const bool has_fields = take_number(rest, sender) && take_number(rest, found.id.seq) &&
                          take_number(rest, room) && take_number(rest, intended);
  if (!has_fields || sender == 0 || room == 0) return std::nullopt;
  if (rest.size() <= checksum_length || rest[checksum_length] != '.') return std::nullopt;

  const auto head = text.substr(0, text.size() - rest.size() - 1);
  if (parse_checksum(rest.substr(0, checksum_length)) != crc32c(head)) return std::nullopt;
  if (!is_padding(rest.substr(checksum_length + 1))) return std::nullopt;
  found.id.sender = client_id{sender - 1};
  found.id.room = room_id{room - 1};
  found.intended = run_time(intended);
  return found;
}

}  // namespace

std::string make_envelope(std::string_view run_nonce, const message_id& id, run_time intended,
                          std::size_t bytes) {
  std::string text;
  text.reserve(std::max<std::size_t>(bytes, 96));
  text.append(prefix).append(run_nonce).append(1, '.');
  append_number(text, static_cast<std::int64_t>(index_of(id.sender)) + 1);
  text += '.';
  append_number(text, id.seq);
  text += '.';
  append_number(text, static_cast<std::int64_t>(index_of(id.room)) + 1);
  text += '.';
  append_number(text, intended.count());
  const std::uint32_t checksum = crc32c(text);
  text += '.';
  append_checksum(text, checksum);
  text += '.';
  if (text.size() < bytes) text.append(bytes - text.size(), 'x');
  return text;
}

envelope parse_envelope(std::string_view text, std::string_view run_nonce) {
  const bool has_prefix = text.substr(0, prefix.size()) == prefix;
  const bool has_nonce = text.size() > prefix.size() && !run_nonce.empty() &&
                         text.substr(prefix.size(), run_nonce_length) == run_nonce;
  envelope result;
  // One of the two is enough to recognise one of ours that was damaged in the other.
  if (!has_prefix && !has_nonce) return result;
  result.state = payload_state::corrupt;
  if (!has_prefix) return result;
  if (const auto whole = parse_whole(text)) {
    result = *whole;
    result.state = has_nonce ? payload_state::intact : payload_state::foreign_run;
  }
  return result;
}

}  // namespace ordeal::harness
