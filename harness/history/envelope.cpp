#include "harness/history/envelope.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <span>

namespace ordeal::harness {
namespace {

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

struct parsed_head {
  message_id id;
  run_time intended{};
  std::uint64_t body_bytes = 0;
  std::uint32_t checksum = 0;
  std::string_view checked;  // what stands before the checksum
  std::string_view body;     // what stands behind the head
};

// nullopt when the shape is wrong.
std::optional<parsed_head> parse_head(std::string_view text) {
  if (!text.starts_with(envelope_prefix) ||
      text.size() <= envelope_prefix.size() + run_nonce_length)
    return std::nullopt;
  std::string_view rest = text.substr(envelope_prefix.size() + run_nonce_length);
  if (rest.front() != '.') return std::nullopt;
  rest.remove_prefix(1);

  std::uint32_t sender = 0, room = 0;
  std::int64_t intended = 0;
  parsed_head found;
  const bool has_fields = take_number(rest, sender) && take_number(rest, found.id.seq) &&
                          take_number(rest, room) && take_number(rest, intended) &&
                          take_number(rest, found.body_bytes);
  if (!has_fields || sender == 0 || room == 0) return std::nullopt;
  if (rest.size() <= checksum_length || rest[checksum_length] != '.') return std::nullopt;
  const auto checksum = parse_checksum(rest.substr(0, checksum_length));
  if (!checksum) return std::nullopt;
  found.checksum = *checksum;
  found.checked = text.substr(0, text.size() - rest.size());
  found.body = rest.substr(checksum_length + 1);
  found.id.sender = client_id{sender - 1};
  found.id.room = room_id{room - 1};
  found.intended = run_time(intended);
  return found;
}

// Small and quick, and the same everywhere: bodies must not depend on a library.
class draw {
 public:
  explicit draw(std::uint64_t seed) : state_(seed * 0x9e3779b97f4a7c15U | 1U) {}
  std::uint64_t next() {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return state_;
  }

 private:
  std::uint64_t state_;
};

constexpr std::string_view plain =
    "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-";
static_assert(plain.size() == 64);

void append_ascii(std::string& text, std::size_t bytes, draw& from) {
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < bytes; ++i) {
    if (i % 10 == 0) bits = from.next();
    text += plain[bits & 63U];
    bits >>= 6;
  }
}

using namespace std::string_view_literals;
constexpr std::array unicode_words{"é"sv,
                                   "ß"sv,
                                   "ж"sv,
                                   "ש"sv,
                                   "ن"sv,
                                   "中"sv,
                                   "語"sv,
                                   "한"sv,
                                   "ﷺ"sv,
                                   "e\u0301"sv,
                                   "🙂"sv,
                                   "👍🏽"sv,
                                   "👩‍👩‍👧"sv,
                                   "𝔘"sv,
                                   "a"sv,
                                   " "sv};
constexpr std::array hostile_words{
    "\""sv,      "\\"sv,        "\0"sv,  "\n"sv,        "\r"sv,          "\t"sv,     "\x1e"sv,
    "\x1b[2J"sv, "\x7f"sv,      "'"sv,   "</script>"sv, "<img src=x>"sv, "&amp;"sv,  "${x}"sv,
    "%00"sv,     "{\"a\":"sv,   "]]>"sv, "\u2028"sv,    "\u202e"sv,      "\ufeff"sv, "\uffff"sv,
    "\u0085"sv,  "::error::"sv, "o2."sv, "1e400"sv,     "\U0001f642"sv,  "*3\r\n"sv, "null"sv};

// Fills up with plain characters where no word fits any more.
void append_words(std::string& text, std::size_t bytes, std::span<const std::string_view> words,
                  draw& from) {
  const std::size_t end = text.size() + bytes;
  while (end - text.size() >= 24) text += words[from.next() % words.size()];
  append_ascii(text, end - text.size(), from);
}

void append_body(std::string& text, std::size_t bytes, payload_content content, draw& from) {
  switch (content) {
    case payload_content::ascii:
      return append_ascii(text, bytes, from);
    case payload_content::unicode:
      return append_words(text, bytes, unicode_words, from);
    case payload_content::hostile:
      return append_words(text, bytes, hostile_words, from);
  }
}

std::size_t digits_of(std::size_t value) {
  std::size_t digits = 1;
  for (; value >= 10; value /= 10) ++digits;
  return digits;
}

// For a text of `bytes` in all, of which `around` are neither the body nor its length.
std::size_t body_length(std::size_t bytes, std::size_t around) {
  for (std::size_t digits = 1; around + digits <= bytes; ++digits) {
    const std::size_t length = bytes - around - digits;
    if (digits_of(length) == digits) return length;
    if (digits_of(length) < digits) return length + 1;  // neither fits: a byte more
  }
  return 0;
}

}  // namespace

std::string make_envelope(std::string_view run_nonce, const message_id& id, run_time intended,
                          std::size_t bytes, payload_content content) {
  std::string text;
  text.reserve(std::max<std::size_t>(bytes, 96));
  text.append(envelope_prefix).append(run_nonce).append(1, '.');
  append_number(text, static_cast<std::int64_t>(index_of(id.sender)) + 1);
  text += '.';
  append_number(text, id.seq);
  text += '.';
  append_number(text, static_cast<std::int64_t>(index_of(id.room)) + 1);
  text += '.';
  append_number(text, intended.count());
  text += '.';
  draw from(crc32c(text));
  const std::size_t length = body_length(bytes, text.size() + 1 + checksum_length + 1);
  append_number(text, static_cast<std::int64_t>(length));
  text += '.';
  const std::size_t checked = text.size();
  text.append(checksum_length, '0');
  text += '.';
  append_body(text, length, content, from);
  const std::string_view whole = text;
  std::string checksum;
  append_checksum(checksum, crc32c(whole.substr(checked + checksum_length + 1),
                                   crc32c(whole.substr(0, checked))));
  text.replace(checked, checksum_length, checksum);
  return text;
}

std::size_t envelope_bytes(const payload_recipe& recipe, std::string_view run_nonce,
                           const message_id& id) {
  if (recipe.bytes_min == recipe.bytes_max) return recipe.bytes_min;
  const std::array<std::uint64_t, 2> key{index_of(id.sender),
                                         (std::uint64_t{index_of(id.room)} << 32) | id.seq};
  const auto* const bytes = reinterpret_cast<const char*>(key.data());
  draw from(crc32c({bytes, sizeof key}, crc32c(run_nonce)));
  return recipe.bytes_min + from.next() % (recipe.bytes_max - recipe.bytes_min + 1);
}

envelope parse_envelope(std::string_view text, std::string_view run_nonce) {
  const bool has_prefix = text.starts_with(envelope_prefix);
  const bool has_nonce = text.size() > envelope_prefix.size() && !run_nonce.empty() &&
                         text.substr(envelope_prefix.size(), run_nonce_length) == run_nonce;
  envelope result;
  // One of the two is enough to recognise one of ours that was damaged in the other.
  if (!has_prefix && !has_nonce) return result;
  result.state = payload_state::corrupt;
  const auto head = parse_head(text);
  if (!head || head->body_bytes != head->body.size()) return result;
  if (crc32c(head->body, crc32c(head->checked)) != head->checksum) return result;
  result.id = head->id;
  result.intended = head->intended;
  result.state = has_nonce ? payload_state::intact : payload_state::foreign_run;
  return result;
}

std::optional<message_id> parse_envelope_head(std::string_view head) {
  const auto parsed = parse_head(head);
  return parsed ? std::optional(parsed->id) : std::nullopt;
}

}  // namespace ordeal::harness
