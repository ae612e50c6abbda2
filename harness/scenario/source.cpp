#include "harness/scenario/source.h"

#include <algorithm>
#include <array>
#include <tuple>
#include <utility>

#include "harness/scenario/problem_list.h"
#include "harness/scenario/spelling.h"
#include "reports/text.h"

namespace ordeal::harness {
namespace {

constexpr std::size_t problem_count_max = 20;
constexpr std::size_t code_column = 80;  // where [E102] starts when the message leaves room
constexpr std::size_t message_bytes_max = 1'000;
constexpr std::size_t excerpt_width_max = 200;   // of the line shown
constexpr std::size_t excerpt_before_max = 100;  // of it, left of the problem

// Foreign text must not steer the terminal, and its length is nobody's business.
std::string shown(const std::string& text) {
  return report::capped(report::terminal_text(text), message_bytes_max);
}

std::string place_of(const source_position& where) {
  if (where.line == 0) return where.file;
  return where.file + ":" + std::to_string(where.line) + ":" + std::to_string(where.column);
}

// One element a column. What must not reach the terminal takes a column, so that the underline fits.
std::vector<std::string> columns_of(std::string_view line) {
  std::vector<std::string> columns;
  while (!line.empty()) {
    std::size_t bytes = 1;
    while (bytes < line.size() && (static_cast<unsigned char>(line[bytes]) & 0xC0U) == 0x80U)
      ++bytes;
    const std::string_view one = line.substr(0, bytes);
    columns.push_back(report::clean_text(one) == one ? std::string(one) : "?");
    line.remove_prefix(bytes);
  }
  return columns;
}

std::string text_of(const std::vector<std::string>& columns, std::size_t from, std::size_t to) {
  std::string text;
  for (std::size_t at = from; at < std::min(to, columns.size()); ++at) text += columns[at];
  return text;
}

// The line, or the part of it around the problem, with its underline; empty when the line is not to
// be shown or does not exist.
std::string excerpt(const diagnostic& problem, const std::string& text, std::size_t gutter) {
  if (problem.length == 0 || problem.where.line == 0 || problem.where.column == 0) return {};
  const std::string line = source_line(text, problem.where.line);
  if (line.empty() || is_secret_place(text, problem.where.line, gives_secret)) return {};
  const std::size_t before_bytes = std::min(problem.where.column - 1, line.size());
  const std::size_t marked_bytes = std::min(problem.length, line.size() - before_bytes);
  const std::size_t before = report::width_of(std::string_view(line).substr(0, before_bytes));
  const std::size_t marked =
      report::width_of(std::string_view(line).substr(before_bytes, marked_bytes));
  const std::vector<std::string> columns = columns_of(line);
  const std::size_t from = columns.size() > excerpt_width_max && before > excerpt_before_max
                               ? before - excerpt_before_max
                               : 0;
  const std::size_t to = from + excerpt_width_max;
  const std::string cut_before = from > 0 ? "... " : "",
                    cut_behind = to < columns.size() ? " ..." : "";
  const std::string bar = std::string(gutter + 1, ' ') + "|";
  std::string out = bar + "\n" + std::to_string(problem.where.line) + " | " + cut_before +
                    text_of(columns, from, to) + cut_behind + "\n";
  out += bar + " " + std::string(cut_before.size() + before - from, ' ') +
         std::string(std::clamp<std::size_t>(marked, 1, to - before), '^');
  if (!problem.suggestion.empty()) out += "  " + shown(problem.suggestion);
  return out + "\n";
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool is_word_character(char c) {
  const char small = lower(c);
  return (small >= 'a' && small <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

// A secret's name, or what a hurried hand makes of it ("pasword").
bool names_secret(std::string_view word) {
  constexpr std::array parts{"pass", "secret", "token",   "credential",
                             "pwd",  "apikey", "api_key", "api-key"};
  std::string small(word);
  std::transform(small.begin(), small.end(), small.begin(), lower);
  const auto stands_in_it = [&](const char* part) { return small.find(part) != std::string::npos; };
  if (std::any_of(parts.begin(), parts.end(), stands_in_it)) return true;
  const bool has_its_length = small.size() >= 5 && small.size() <= 12;
  return has_its_length &&
         (edit_distance(small, "password") <= 2 || edit_distance(small, "passwd") <= 1 ||
          edit_distance(small, "secret") <= 1);
}

// Where the password in "scheme://user:password@host" begins and ends, from `from` on; npos: nowhere.
std::pair<std::size_t, std::size_t> password_in_url(std::string_view text, std::size_t from) {
  constexpr auto npos = std::string_view::npos;
  for (std::size_t at = text.find("://", from); at != npos; at = text.find("://", at + 1)) {
    const std::size_t begin = at + 3;
    const std::size_t end = std::min(text.find_first_of(" \t\n'\"", begin), text.size());
    const std::string_view authority = text.substr(begin, end - begin);
    // A password may hold '@' and '/' where nobody escaped them.
    const std::size_t host = authority.rfind('@'), colon = authority.find(':');
    if (host != npos && colon < host) return {begin + colon + 1, begin + host};
  }
  return {npos, npos};
}

}  // namespace

std::string render(const diagnostic& problem, const std::string& source_text) {
  std::string out = "error: " + shown(problem.message);
  if (!problem.code.empty()) {
    const std::size_t width = report::width_of(out);
    out +=
        std::string(width < code_column ? code_column - width : 1, ' ') + " [" + problem.code + "]";
  }
  out += "\n";
  const std::size_t gutter = std::to_string(problem.where.line).size();
  if (!problem.where.file.empty()) {
    out += std::string(gutter, ' ') + "--> " + shown(place_of(problem.where)) + "\n";
  }
  const std::string lines = excerpt(problem, source_text, gutter);
  out += lines;
  const std::string note = std::string(gutter + 1, ' ') + "= ";
  if (lines.empty() && !problem.suggestion.empty()) out += note + shown(problem.suggestion) + "\n";
  if (!problem.remedy.empty()) out += note + shown(problem.remedy) + "\n";
  return out;
}

std::string source_line(const std::string& text, std::size_t line) {
  std::size_t begin = 0;
  for (std::size_t at = 1; at < line && begin != std::string::npos; ++at) {
    begin = text.find('\n', begin);
    if (begin != std::string::npos) ++begin;
  }
  if (begin == std::string::npos || begin >= text.size()) return {};
  std::string found = text.substr(begin, text.find('\n', begin) - begin);
  if (found.ends_with('\r')) found.pop_back();
  std::replace(found.begin(), found.end(), '\t', ' ');
  return found;
}

bool looks_secret(std::string_view text) {
  if (password_in_url(text, 0).first != std::string_view::npos) return true;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = at;
    while (end < text.size() && is_word_character(text[end])) ++end;
    if (end > at && names_secret(text.substr(at, end - at))) return true;
    at = end + 1;
  }
  return false;
}

bool is_secret_place(const std::string& text, std::size_t line, secret_test is_secret) {
  std::vector<std::string_view> lines;
  for (std::size_t begin = 0; lines.size() < line && begin <= text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    lines.push_back(std::string_view(text).substr(begin, end - begin));
    begin = end + 1;
  }
  if (line == 0 || lines.size() < line) return false;
  if (is_secret(lines[line - 1])) return true;
  std::size_t indent = lines[line - 1].find_first_not_of(" \t\r");
  for (std::size_t at = line - 1; at-- > 0 && indent != 0;) {
    const std::size_t first = lines[at].find_first_not_of(" \t\r");
    const bool is_blank = first == std::string_view::npos || lines[at][first] == '#';
    if (is_blank || first >= indent) continue;
    if (is_secret(lines[at])) return true;
    indent = first;
  }
  return false;
}

bool gives_secret(std::string_view line) {
  if (password_in_url(line, 0).first != std::string_view::npos) return true;
  for (std::size_t at = 0; at < line.size();) {
    std::size_t end = at;
    while (end < line.size() && is_word_character(line[end])) ++end;
    const std::string_view word = line.substr(at, end - at);
    const std::size_t colon = line.find_first_not_of(" \t'\"", end);
    const bool is_key = !word.empty() && colon != std::string_view::npos && line[colon] == ':';
    at = end + 1;
    if (!is_key || !names_secret(word)) continue;
    // What the run fills in is no secret yet.
    const std::size_t value = line.find_first_not_of(" \t'\"", colon + 1);
    if (value == std::string_view::npos || line[value] != '$') return true;
  }
  return false;
}

std::string without_passwords(std::string text) {
  constexpr std::string_view mask = "***";
  auto [begin, end] = password_in_url(text, 0);
  while (begin != std::string::npos) {
    text.replace(begin, end - begin, mask);
    std::tie(begin, end) = password_in_url(text, begin);
  }
  return text;
}

std::string render_all(const std::vector<diagnostic>& problems, const std::string& source_text) {
  std::string out;
  for (const diagnostic& problem : problems) out += render(problem, source_text);
  return out;
}

void problem_list::add(diagnostic problem) {
  problem.message = without_passwords(std::move(problem.message));
  problem.remedy = without_passwords(std::move(problem.remedy));
  problem.suggestion = without_passwords(std::move(problem.suggestion));
  problems_.push_back(std::move(problem));
}

std::vector<diagnostic> problem_list::sorted() const {
  std::vector<diagnostic> all = problems_;
  const auto key = [](const diagnostic& of) {
    return std::tie(of.where.line, of.where.column, of.message);
  };
  std::stable_sort(all.begin(), all.end(),
                   [&](const diagnostic& a, const diagnostic& b) { return key(a) < key(b); });
  const auto is_same = [&](const diagnostic& a, const diagnostic& b) { return key(a) == key(b); };
  all.erase(std::unique(all.begin(), all.end(), is_same), all.end());
  for (diagnostic& problem : all) {
    if (concealed_lines_.contains(problem.where.line)) problem.length = 0;
  }
  if (all.size() > problem_count_max) {
    const std::size_t left_out = all.size() - problem_count_max;
    all.resize(problem_count_max);
    diagnostic rest;
    rest.where.file = all.back().where.file;
    rest.message = "and " + std::to_string(left_out) + " more; they show when these are mended";
    all.push_back(std::move(rest));
  }
  return all;
}

}  // namespace ordeal::harness
