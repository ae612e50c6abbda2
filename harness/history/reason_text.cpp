#include "harness/history/reason_text.h"

#include <algorithm>
#include <boost/algorithm/string/replace.hpp>
#include <cctype>

#include "reports/text.h"

namespace ordeal::harness {
namespace {

constexpr std::size_t raw_bytes_max = 2'048, shown_width_max = 200;
constexpr std::size_t code_digits_max = 4;       // of what may stay a number
constexpr std::size_t random_letters_min = 16;   // in one word, with a digit: nobody's language
constexpr std::size_t random_letters_long = 20;  // without one

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_word(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return result;
}

std::string without_breaks(std::string_view text) {
  std::string line;
  for (const char c : text) {
    const bool is_blank = c == ' ' || c == '\n' || c == '\r' || c == '\t';
    if (!is_blank) {
      line += c;
    } else if (!line.empty() && line.back() != ' ') {
      line += ' ';
    }
  }
  while (line.ends_with(' ')) line.pop_back();
  return line;
}

// "redis://chat:secret@host" keeps its user.
void mask_urls(std::string& text) {
  for (std::size_t at = text.find("://"); at != std::string::npos; at = text.find("://", at + 3)) {
    const std::size_t begin = at + 3;
    const std::size_t end = std::min(text.find_first_of("/ \"'", begin), text.size());
    const std::size_t host = text.substr(begin, end - begin).rfind('@');
    if (host == std::string::npos) continue;
    const std::size_t colon = text.find(':', begin);
    if (colon < begin + host) text.replace(colon + 1, begin + host - colon - 1, "***");
  }
}

// "password=hunter2", "token: abc", "Bearer abc", "\"secret\":\"abc\"".
void mask_values(std::string& text) {
  for (const std::string key : {"password", "passwd", "pwd", "secret", "token", "bearer",
                                "authorization", "api_key", "apikey", "api-key"}) {
    std::string low = lower(text);
    for (std::size_t at = low.find(key); at != std::string::npos; at = low.find(key, at + 1)) {
      const std::size_t after = at + key.size();
      const std::size_t begin = std::min(text.find_first_not_of("\"':= ", after), text.size());
      const std::string_view between = std::string_view(text).substr(after, begin - after);
      // "the password is wrong" gives away nothing.
      const bool is_value = between.find_first_of(":=") != std::string_view::npos ||
                            (key == "bearer" && !between.empty());
      const std::size_t end = std::min(text.find_first_of(" ,;&\"'}])", begin), text.size());
      if (!is_value || begin == end) continue;
      if (lower(text.substr(begin, end - begin)) == "bearer") continue;  // what it bears is next
      text.replace(begin, end - begin, "***");
      low = lower(text);
    }
  }
}

// Whether the number in [begin, end) names what happened rather than whom, when or how much.
bool is_code(const std::string& text, std::size_t begin, std::size_t end) {
  if (end - begin > code_digits_max) return false;
  const auto bounds = [](char c) {
    return c == ' ' || c == '(' || c == ')' || c == ',' || c == ';';
  };
  const bool ends = end == text.size() || bounds(text[end]) || text[end] == '.' || text[end] == ':';
  if (begin == 0 || !ends) return false;
  if (text[begin - 1] == '(') return end < text.size() && text[end] == ')';
  std::size_t last = begin;
  while (last > 0 && (text[last - 1] == ' ' || text[last - 1] == ':' || text[last - 1] == '='))
    --last;
  std::size_t first = last;
  while (first > 0 && is_word(text[first - 1])) --first;
  const std::string before = lower(std::string_view(text).substr(first, last - first));
  constexpr std::array words{"http", "code", "status", "errno", "error", "signal", "exit"};
  return std::find(words.begin(), words.end(), before) != words.end();
}

bool is_random(std::string_view word) {
  if (word.size() < random_letters_min) return false;
  const bool has_digit = std::any_of(word.begin(), word.end(), is_digit);
  const auto is_small = [](char c) { return is_digit(c) || (c >= 'a' && c <= 'z'); };
  return has_digit ||
         (word.size() >= random_letters_long && std::all_of(word.begin(), word.end(), is_small));
}

bool is_hex_digit(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

// "7f3a9c01", "27T19", "4f89": letters among digits. Not "client17", nor "20ms".
bool is_mixed(std::string_view word) {
  int changes = 0;
  for (std::size_t i = 1; i < word.size(); ++i)
    changes += is_digit(word[i]) != is_digit(word[i - 1]) ? 1 : 0;
  return changes > 1;
}

// "3f2504e0-4f89-11d3-9a0c-0305e82c3301" there.
bool is_uuid(std::string_view text, std::size_t at) {
  constexpr std::string_view shape = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
  if (text.size() - at < shape.size()) return false;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] == 'x' ? !is_hex_digit(text[at + i]) : text[at + i] != '-') return false;
  }
  return true;
}

std::string fold_word(const std::string& text, std::size_t begin, std::size_t end) {
  const std::string word = text.substr(begin, end - begin);
  if (is_random(word) || is_mixed(word)) return "#";
  std::string folded;
  for (std::size_t at = begin; at < end;) {
    if (!is_digit(text[at])) {
      folded += text[at++];
      continue;
    }
    std::size_t last = at;
    while (last < end && is_digit(text[last])) ++last;
    folded += is_code(text, at, last) ? text.substr(at, last - at) : "#";
    at = last;
  }
  return folded;
}

std::string fold(const std::string& text) {
  std::string folded;
  for (std::size_t at = 0; at < text.size();) {
    if (text.compare(at, 3, "\\u{") == 0) {  // of clean_text()
      const std::size_t end = std::min(text.find('}', at), text.size() - 1);
      folded += text.substr(at, end + 1 - at);
      at = end + 1;
      continue;
    }
    std::size_t end = at;
    while (end < text.size() && is_word(text[end])) ++end;
    if (is_uuid(text, at)) {
      folded += '#';
      at += 36;
    } else if (end == at) {
      folded += text[at++];
    } else {
      folded += fold_word(text, at, end);
      at = end;
    }
  }
  return folded;
}

}  // namespace

std::string without_secrets(std::string text, std::span<const std::string> secrets) {
  for (const std::string& secret : secrets) boost::algorithm::replace_all(text, secret, "***");
  return text;
}

std::string reason_text(std::string_view raw, std::span<const std::string> secrets) {
  std::string text = without_secrets(std::string(raw.substr(0, raw_bytes_max)), secrets);
  text = without_breaks(report::clean_text(text));
  mask_urls(text);
  mask_values(text);
  text = fold(text);
  if (text.empty()) return "(no text)";
  if (report::width_of(text) <= shown_width_max) return text;
  return report::truncated(text, shown_width_max - 3) + "...";
}

bool speaks_of_trouble(std::string_view line) {
  const std::string low = lower(line.substr(0, raw_bytes_max));
  constexpr std::array words{"err",       "warn",       "fail",      "fatal",  "critical",
                             "exception", "panic",      "refus",     "denied", "lost",
                             "timeout",   "timed out",  "unable",    "cannot", "could not",
                             "closed",    "disconnect", "not ready", "oom",    "out of "};
  return std::any_of(words.begin(), words.end(),
                     [&low](std::string_view word) { return low.find(word) != std::string::npos; });
}

const std::string& reason_bounds::admit(reason_kind kind, const std::string& text) {
  static const std::string others = "(others: there are too many different texts)";
  auto& known = known_.at(static_cast<std::size_t>(kind));
  const std::size_t most = kind == reason_kind::log ? 4 * texts_max : texts_max;
  if (const auto found = known.find(text); found != known.end()) return *found;
  if (known.size() >= most) return others;
  return *known.insert(text).first;
}

}  // namespace ordeal::harness
