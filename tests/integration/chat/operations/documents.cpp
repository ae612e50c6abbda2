#include "tests/integration/chat/operations/documents.h"

#include <filesystem>
#include <sstream>

#include "tests/support/command.h"

namespace ordeal::test {

std::string document(std::string_view path) {
  return read_file(std::filesystem::path(ORDEAL_SOURCE_ROOT) / path);
}

std::vector<std::string> code_blocks(std::string_view markdown, std::string_view language) {
  std::vector<std::string> blocks;
  std::istringstream lines{std::string(markdown)};
  const std::string opening = "```" + std::string(language);
  bool is_inside = false;
  for (std::string line; std::getline(lines, line);) {
    if (is_inside && line == "```") {
      is_inside = false;
    } else if (is_inside) {
      blocks.back() += line + "\n";
    } else if (line == opening) {
      is_inside = true;
      blocks.emplace_back();
    }
  }
  return blocks;
}

std::string line_starting_with(std::string_view text, std::string_view start) {
  std::istringstream lines{std::string(text)};
  std::string found;
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with(start)) continue;
    if (!found.empty()) return {};
    found = line;
  }
  return found;
}

std::vector<std::string> words_of(std::string_view text) {
  std::istringstream stream{std::string(text)};
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

std::string replaced(std::string text, std::string_view what, std::string_view by) {
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size()))
    text.replace(at, what.size(), by);
  return text;
}

}  // namespace ordeal::test
