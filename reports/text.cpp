#include "reports/text.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "reports/record.h"

namespace ordeal::report {
namespace {

template <class... Values>
std::string formatted(const char* format, Values... values) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), format, values...);
  return text.data();
}

bool is_continuation(char c) {
  return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
}

struct character {
  std::size_t bytes = 0;  // 0: not valid
  std::uint32_t code = 0;
};

character decode(std::string_view text) {
  const auto first = static_cast<unsigned char>(text[0]);
  if (first < 0x80) return {1, first};
  const std::size_t bytes = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : first >= 0xC2 ? 2 : 0;
  if (bytes == 0 || first > 0xF4 || text.size() < bytes) return {};
  std::uint32_t code = first & (0xFFU >> (bytes + 1));
  for (std::size_t i = 1; i < bytes; ++i) {
    if (!is_continuation(text[i])) return {};
    code = (code << 6U) | (static_cast<unsigned char>(text[i]) & 0x3FU);
  }
  constexpr std::array<std::uint32_t, 5> smallest{0, 0, 0x80, 0x800, 0x10000};
  if (code < smallest[bytes] || code > 0x10FFFF) return {};
  return {bytes, code};
}

// Marks, embeddings, overrides and isolates of the writing direction, and ends of lines and paragraphs.
bool is_format_control(std::uint32_t code) {
  return code == 0x61C || code == 0x200E || code == 0x200F || (code >= 0x2028 && code <= 0x202E) ||
         (code >= 0x2066 && code <= 0x2069);
}

bool is_shown(std::uint32_t code) {
  if (code < 0x20) return code == '\t' || code == '\n' || code == '\r';
  const bool is_control = code >= 0x7F && code <= 0x9F;
  const bool is_surrogate = code >= 0xD800 && code <= 0xDFFF;
  return !is_control && !is_surrogate && !is_format_control(code) && code != 0xFFFE &&
         code != 0xFFFF;
}

}  // namespace

std::string grouped(std::uint64_t value) {
  std::string digits = std::to_string(value);
  for (std::size_t i = digits.size(); i > 3;) {
    i -= 3;
    digits.insert(i, " ");
  }
  return digits;
}

std::string duration_text(double seconds) {
  if (seconds < 99.95) return formatted("%.1fs", seconds);
  const long whole = std::lround(seconds);
  if (whole < 3600) return formatted("%ldm%02lds", whole / 60, whole % 60);
  return formatted("%ldh%02ldm", whole / 3600, whole / 60 % 60);
}

std::string latency_text(double milliseconds) {
  if (milliseconds >= 1000) return formatted("%.1fs", milliseconds / 1000);
  return formatted(milliseconds < 9.95 ? "%.1fms" : "%.0fms", milliseconds);
}

std::string moment_text(double seconds) {
  return formatted("%+.1fs", seconds);
}

std::string clean_text(std::string_view text) {
  constexpr std::string_view replacement = "\xEF\xBF\xBD";
  std::string clean;
  clean.reserve(text.size());
  while (!text.empty()) {
    const character next = decode(text);
    if (next.bytes == 0) {
      clean += replacement;
      text.remove_prefix(1);
      continue;
    }
    if (is_shown(next.code)) {
      clean += text.substr(0, next.bytes);
    } else {
      clean += formatted("\\u{%x}", next.code);
    }
    text.remove_prefix(next.bytes);
  }
  return clean;
}

std::string terminal_text(std::string_view foreign) {
  const std::string text = clean_text(foreign);
  std::string safe;
  safe.reserve(text.size());
  bool is_line_start = true;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const std::string_view rest = std::string_view(text).substr(at);
    if (is_line_start && rest.starts_with("::")) safe += '\\';
    safe += text[at];
    if (rest.starts_with("##[")) safe += '\\';
    is_line_start = text[at] == '\n' || text[at] == '\r' ||
                    (is_line_start && (text[at] == ' ' || text[at] == '\t'));
  }
  return safe;
}

std::string capped(std::string_view text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return std::string(text);
  std::size_t head = bytes_max / 2, tail = text.size() - bytes_max / 2;
  while (head > 0 && is_continuation(text[head])) --head;
  while (tail < text.size() && is_continuation(text[tail])) ++tail;
  return std::string(text.substr(0, head)) + "\n... " + std::to_string(tail - head) +
         " bytes left out ...\n" + std::string(text.substr(tail));
}

std::string reason_head(const reason_row& what) {
  std::string kind = what.kind;
  std::replace(kind.begin(), kind.end(), '_', ' ');
  std::string nodes;
  constexpr std::size_t shown_max = 4;
  for (std::size_t i = 0; i < what.nodes.size() && i < shown_max; ++i)
    nodes += (i == 0 ? " " : ", ") + what.nodes[i];
  if (what.nodes.size() > shown_max)
    nodes += " and " + std::to_string(what.nodes.size() - shown_max) + " more";
  const std::string first = moment_text(what.first_s), last = moment_text(what.last_s);
  return grouped(what.count) + " x " + kind + nodes + ", " + first +
         (first == last ? "" : " to " + last);
}

std::size_t width_of(std::string_view utf8) {
  std::size_t width = 0;
  for (const char c : utf8) width += is_continuation(c) ? 0U : 1U;
  return width;
}

std::string padded(std::string_view utf8, std::size_t width) {
  std::string text(utf8);
  const std::size_t now = width_of(utf8);
  if (now < width) text.append(width - now, ' ');
  return text;
}

std::string truncated(std::string_view utf8, std::size_t width) {
  std::size_t end = 0;
  for (std::size_t columns = 0; end < utf8.size(); ++end) {
    if (!is_continuation(utf8[end]) && columns++ == width) break;
  }
  return std::string(utf8.substr(0, end));
}

}  // namespace ordeal::report
