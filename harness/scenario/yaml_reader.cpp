#include "harness/scenario/yaml_reader.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <map>
#include <sstream>

#include "harness/scenario/problem_list.h"

namespace ordeal::harness {
namespace {

constexpr std::size_t text_bytes_max = 1 << 20;
constexpr std::size_t depth_max = 32;
constexpr std::size_t value_count_max = 20'000;  // aliases expanded: a "billion laughs" ends here

struct reading_stopped {};

std::size_t size_of(const yaml_value& value) {
  std::size_t count = 1;
  for (const yaml_value& item : value.items) count += size_of(item);
  for (const yaml_member& member : value.members) count += 1 + size_of(member.value);
  return count;
}

// Builds the tree from the parser's events. yaml-cpp's own nodes would hide duplicate keys and lose
// positions.
class tree_builder : public YAML::EventHandler {
 public:
  tree_builder(const std::string& text, const std::string& file, std::vector<diagnostic>& problems)
      : text_(text), file_(file), problems_(problems) {}

  std::optional<yaml_value> take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    add(at(mark, yaml_kind::null), anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const yaml_value where = at(mark, yaml_kind::null);
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) {
      stop(where, "the alias refers to itself", "write the value out");
    }
    add(found->second, 0);  // keeps the position of the original, where a mistake is mended
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& text) override {
    yaml_value value = at(mark, yaml_kind::scalar);
    check_tag(value, tag);
    value.text = text;
    value.is_quoted = tag == "!";  // what yaml-cpp calls a scalar that is not plain
    value.length = std::max<std::size_t>(text.find('\n') == std::string::npos ? text.size() : 1, 1);
    if (value.is_quoted) check_quotes(value);
    add(std::move(value), anchor);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(at(mark, yaml_kind::list), tag, anchor);
  }
  void OnSequenceEnd() override { close(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(at(mark, yaml_kind::map), tag, anchor);
  }
  void OnMapEnd() override { close(); }

 private:
  struct level {
    yaml_value value;
    YAML::anchor_t anchor = 0;
    std::optional<yaml_value> key;  // of a map: read, its value is next
  };

  static yaml_value at(const YAML::Mark& mark, yaml_kind kind) {
    yaml_value value;
    value.kind = kind;
    value.line = static_cast<std::size_t>(std::max(mark.line, 0)) + 1;  // marks count from 0
    value.column = static_cast<std::size_t>(std::max(mark.column, 0)) + 1;
    return value;
  }

  void report(const yaml_value& where, std::string message, std::string code, std::string remedy) {
    problems_.push_back({{file_, where.line, where.column},
                         std::move(message),
                         std::move(code),
                         where.length,
                         {},
                         std::move(remedy)});
  }

  [[noreturn]] void stop(const yaml_value& where, std::string message, std::string remedy) {
    report(where, std::move(message), "E104", std::move(remedy));
    throw reading_stopped();
  }

  void check_tag(const yaml_value& value, const std::string& tag) {
    if (tag.empty() || tag == "?" || tag == "!") return;
    report(value, "YAML tags are not accepted", "E104",
           "write the value without '!'; its key knows its type");
  }

  // yaml-cpp takes the end of the file for a closing quote. Sets the length, quotes included.
  void check_quotes(yaml_value& value) {
    std::size_t begin = 0;
    for (std::size_t line = 1; line < value.line && begin != std::string::npos; ++line) {
      begin = text_.find('\n', begin);
      if (begin != std::string::npos) ++begin;
    }
    if (begin == std::string::npos || begin + value.column > text_.size()) return;
    begin += value.column - 1;
    const char quote = text_[begin];
    if (quote != '\'' && quote != '"') return;  // a block scalar, or an anchor before it
    std::size_t end = begin + 1;
    for (; end < text_.size(); ++end) {
      if (quote == '"' && text_[end] == '\\') {
        ++end;
      } else if (text_[end] == quote && quote == '\'' && end + 1 < text_.size() &&
                 text_[end + 1] == quote) {
        ++end;  // '' is a quote inside
      } else if (text_[end] == quote) {
        break;
      }
    }
    if (end >= text_.size()) {
      report(value, "not valid YAML: the quote is never closed", "E101", "close it, or remove it");
    } else {
      value.length = end + 1 - begin;
    }
  }

  void open(yaml_value value, const std::string& tag, YAML::anchor_t anchor) {
    check_tag(value, tag);
    if (levels_.size() >= depth_max)
      stop(value, "values are nested too deeply", "at most 32 levels");
    levels_.push_back({std::move(value), anchor, {}});
  }

  void close() {
    level done = std::move(levels_.back());
    levels_.pop_back();
    add(std::move(done.value), done.anchor);
  }

  void add(yaml_value value, YAML::anchor_t anchor) {
    value_count_ += size_of(value);
    if (value_count_ > value_count_max)
      stop(value, "the file holds too many values", "use fewer aliases");
    if (anchor != 0) anchors_[anchor] = value;
    if (levels_.empty()) {
      root_ = std::move(value);
      return;
    }
    level& top = levels_.back();
    if (top.value.kind == yaml_kind::list) {
      top.value.items.push_back(std::move(value));
    } else if (!top.key) {
      top.key = std::move(value);
    } else {
      add_member(top.value, std::move(*top.key), std::move(value));
      top.key.reset();
    }
  }

  void add_member(yaml_value& map, yaml_value key, yaml_value value) {
    if (key.kind != yaml_kind::scalar) {
      report(key, "a key must be a word", "E104", {});
    } else if (key.text == "<<") {
      report(key, "merge keys ('<<') are not accepted", "E104",
             "write the keys out, or use an alias for a whole value");
    } else if (const yaml_member* first = map.find_member(key.text)) {
      report(key, "key '" + key.text + "' is given twice", "E103",
             "first in line " + std::to_string(first->key.line) + "; keep one of them");
    } else {
      if (value.kind ==
          yaml_kind::null) {  // yaml-cpp's place for it is wherever the next thing starts
        value.line = key.line;
        value.column = key.column;
        value.length = key.length;
      }
      map.members.push_back({std::move(key), std::move(value)});
    }
  }

  const std::string& text_;
  const std::string& file_;
  std::vector<diagnostic>& problems_;
  std::vector<level> levels_;
  std::map<YAML::anchor_t, yaml_value> anchors_;  // finished values only
  std::optional<yaml_value> root_;
  std::size_t value_count_ = 0;
};

// The first tab in each line's indentation; yaml-cpp takes some of them for blanks.
void find_tabs(const std::string& text, const std::string& file,
               std::vector<diagnostic>& problems) {
  std::size_t line = 1;
  for (std::size_t begin = 0; begin < text.size(); ++line) {
    const std::size_t first = text.find_first_not_of(' ', begin);
    if (first != std::string::npos && text[first] == '\t') {
      problems.push_back({{file, line, first - begin + 1},
                          "a tab in the indentation",
                          "E104",
                          1,
                          {},
                          "indent with blanks"});
    }
    const std::size_t end = text.find('\n', begin);
    if (end == std::string::npos) break;
    begin = end + 1;
  }
}

bool is_continuation(char c) {
  return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
}

// Bytes of the character at the start of `text`; 0 when it has no place in a text file.
std::size_t length_of_character(std::string_view text) {
  const auto first = static_cast<unsigned char>(text[0]);
  if (first < 0x80) return first == 0 ? 0 : 1;
  const std::size_t bytes = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : first >= 0xC2 ? 2 : 0;
  if (first > 0xF4 || bytes > text.size()) return 0;
  for (std::size_t i = 1; i < bytes; ++i) {
    if (!is_continuation(text[i])) return 0;
  }
  return bytes;
}

// A program, a picture or an archive: said in one sentence, and none of it shown.
void find_foreign_bytes(std::string_view text, const std::string& file,
                        std::vector<diagnostic>& problems) {
  std::size_t line = 1, column = 1;
  while (!text.empty()) {
    const std::size_t length = length_of_character(text);
    if (length == 0) {
      problems.push_back({{file, line, column},
                          "not a text file",
                          "E101",
                          0,
                          {},
                          "a file is YAML in UTF-8; this byte is not"});
      return;
    }
    column = text[0] == '\n' ? 1 : column + 1;
    line += text[0] == '\n' ? 1U : 0U;
    text.remove_prefix(length);
  }
}

std::optional<yaml_value> parse(const std::string& text, const std::string& file,
                                std::vector<diagnostic>& problems) {
  tree_builder builder(text, file, problems);
  try {
    std::istringstream in(text);
    YAML::Parser parser(in);
    parser.HandleNextDocument(builder);
    tree_builder second(text, file, problems);
    if (parser.HandleNextDocument(second)) {
      const yaml_value extra = second.take().value_or(yaml_value());
      problems.push_back({{file, extra.line, extra.column},
                          "a second document in the file",
                          "E104",
                          1,
                          {},
                          "one file holds one document; remove the '---'"});
    }
    return builder.take();
  } catch (const reading_stopped&) {
    return {};
  } catch (const YAML::Exception& ex) {
    source_position where{file, 0, 0};
    if (!ex.mark.is_null()) {  // marks count from 0
      where.line = static_cast<std::size_t>(ex.mark.line) + 1;
      where.column = static_cast<std::size_t>(ex.mark.column) + 1;
    }
    problems.push_back({where,
                        "not valid YAML: " + ex.msg,
                        "E101",
                        1,
                        {},
                        "look at the quotes, brackets and indentation here and in the line above"});
    return {};
  }
}

}  // namespace

const yaml_member* yaml_value::find_member(std::string_view key) const {
  for (const yaml_member& member : members) {
    if (member.key.text == key) return &member;
  }
  return nullptr;
}

yaml_document read_yaml(const std::string& text, const std::string& file) {
  yaml_document result;
  if (text.size() > text_bytes_max) {
    result.problems.push_back({{file, 0, 0}, "the file is larger than 1 MiB", "E101", 0, {}, {}});
    return result;
  }
  find_foreign_bytes(text, file, result.problems);
  if (result.problems.empty()) find_tabs(text, file, result.problems);
  if (result.problems.empty()) result.root = parse(text, file, result.problems);
  // At this stage nobody knows which words are keys, and which values are secrets.
  for (diagnostic& problem : result.problems) {
    if (is_secret_place(text, problem.where.line, looks_secret)) problem.length = 0;
  }
  return result;
}

}  // namespace ordeal::harness
