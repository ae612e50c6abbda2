#include "harness/scenario/source.h"

#include <algorithm>
#include <tuple>

#include "harness/scenario/problem_list.h"

namespace ordeal::harness {
namespace {

constexpr std::size_t problem_count_max = 20;
constexpr std::size_t code_column = 80;  // where [E102] starts when the message leaves room

bool is_continuation(char c) {
  return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
}

std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return !is_continuation(c); }));
}

std::string place_of(const source_position& where) {
  if (where.line == 0) return where.file;
  return where.file + ":" + std::to_string(where.line) + ":" + std::to_string(where.column);
}

// The line with its underline; empty when the line is not to be shown or does not exist.
std::string excerpt(const diagnostic& problem, const std::string& text, std::size_t gutter) {
  if (problem.length == 0 || problem.where.line == 0 || problem.where.column == 0) return {};
  const std::string line = source_line(text, problem.where.line);
  if (line.empty()) return {};
  const std::size_t before = std::min(problem.where.column - 1, line.size());
  const std::size_t length =
      std::clamp<std::size_t>(problem.length, 1, std::max<std::size_t>(line.size() - before, 1));
  const std::string bar = std::string(gutter + 1, ' ') + "|";
  std::string out = bar + "\n" + std::to_string(problem.where.line) + " | " + line + "\n";
  out += bar + " " + std::string(width_of(std::string_view(line).substr(0, before)), ' ');
  out += std::string(
      std::max<std::size_t>(width_of(std::string_view(line).substr(before, length)), 1), '^');
  if (!problem.suggestion.empty()) out += "  " + problem.suggestion;
  return out + "\n";
}

// Foreign text must not steer the terminal. Lengths stay, so that the underline fits.
void disarm(std::string& text) {
  for (char& c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < 0x20 && c != '\n') || byte == 0x7F) c = '?';
  }
}

}  // namespace

std::string render(const diagnostic& problem, const std::string& source_text) {
  std::string out = "error: " + problem.message;
  if (!problem.code.empty()) {
    const std::size_t width = width_of(out);
    out +=
        std::string(width < code_column ? code_column - width : 1, ' ') + " [" + problem.code + "]";
  }
  out += "\n";
  const std::size_t gutter = std::to_string(problem.where.line).size();
  if (!problem.where.file.empty()) {
    out += std::string(gutter, ' ') + "--> " + place_of(problem.where) + "\n";
  }
  const std::string lines = excerpt(problem, source_text, gutter);
  out += lines;
  const std::string note = std::string(gutter + 1, ' ') + "= ";
  if (lines.empty() && !problem.suggestion.empty()) out += note + problem.suggestion + "\n";
  if (!problem.remedy.empty()) out += note + problem.remedy + "\n";
  disarm(out);
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
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return lower.find("pass") != std::string::npos || lower.find("secret") != std::string::npos ||
         lower.find("token") != std::string::npos;
}

std::string render_all(const std::vector<diagnostic>& problems, const std::string& source_text) {
  std::string out;
  for (const diagnostic& problem : problems) out += render(problem, source_text);
  return out;
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
