#include "tests/unit/redis/resp_reference.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <ostream>
#include <sstream>
#include <utility>

namespace ordeal::test {

using net::redis::resp_frame;
using net::redis::resp_kind;
using net::redis::resp_scanner;
using net::redis::resp_side;

namespace {

std::string name_of(resp_kind kind) {
  constexpr std::array<const char*, 14> names = {
      "command", "inline", "simple", "error", "integer", "number", "boolean",
      "bulk",    "nil",    "array",  "map",   "set",     "push",   "attribute"};
  return names.at(static_cast<std::size_t>(kind));
}

using error_place = std::pair<std::uint64_t, std::size_t>;

std::string describe(const resp_frame& frame, const std::vector<std::string>& texts,
                     const std::vector<error_place>& errors) {
  std::ostringstream out;
  out << name_of(frame.kind) << " word=" << frame.word << " argument=" << frame.argument
      << " size=" << frame.size << " integer=" << frame.integer << " texts=[";
  for (const auto& each : texts) out << each << '|';
  out << "] errors=[";
  for (const auto& [element, depth] : errors) out << element << '@' << depth << ' ';
  out << ']';
  return out.str();
}

class told_sink final : public net::redis::resp_sink {
 public:
  void on_text(std::string_view piece, bool is_first) override {
    if (is_first) texts_.emplace_back();
    texts_.back().append(piece);
  }
  void on_error_inside(std::uint64_t element, std::size_t depth) override {
    errors_.emplace_back(element, depth);
  }
  void on_frame(const resp_frame& frame) override {
    told.frames.push_back(describe(frame, texts_, errors_));
    texts_.clear();
    errors_.clear();
  }
  void on_lost(std::string_view) override { told.is_lost = true; }

  told_stream told;

 private:
  std::vector<std::string> texts_;
  std::vector<error_place> errors_;
};

struct malformed {};
struct incomplete {};

struct value {
  resp_kind kind = resp_kind::nil;
  std::string text;
  std::uint64_t size = 0;
  std::int64_t integer = 0;
  std::vector<value> parts;
};

class whole_parser {
 public:
  whole_parser(resp_side side, std::string_view stream) : side_(side), rest_(stream) {}

  told_stream parse() {
    told_stream told;
    try {
      while (!rest_.empty()) {
        if (side_ == resp_side::replies) {
          tell(parse_value(0), told);
        } else if (rest_.front() == '*') {
          parse_command(told);
        } else {
          parse_inline(told);
        }
      }
    } catch (const malformed&) {
      told.is_lost = true;
    } catch (const incomplete&) {
    }
    return told;
  }

 private:
  char take() {
    if (rest_.empty()) throw incomplete();
    const char c = rest_.front();
    rest_.remove_prefix(1);
    return c;
  }
  void expect(char wanted) {
    if (take() != wanted) throw malformed();
  }

  // "-12\r\n"
  std::pair<std::string, std::uint64_t> take_number() {
    std::string sign, digits;
    for (;;) {
      const char c = take();
      if (c >= '0' && c <= '9') {
        digits += c;
        if (digits.size() > 19) throw malformed();
      } else if ((c == '-' || c == '+') && sign.empty() && digits.empty()) {
        sign = c;
      } else if (c == '\r' && !digits.empty()) {
        break;
      } else {
        throw malformed();
      }
    }
    expect('\n');
    return {sign, std::stoull(digits)};
  }

  std::string take_line() {
    std::string line;
    for (char c = take(); c != '\r'; c = take()) line += c;
    expect('\n');
    return line;
  }

  std::string take_payload(std::uint64_t length) {
    if (length > resp_scanner::bulk_bytes_max) throw malformed();
    std::string text;
    while (text.size() < length) text += take();
    expect('\r');
    expect('\n');
    return text;
  }

  void take_parts(value& into, std::size_t depth) {
    if (into.size > 0 && depth == resp_scanner::depth_max) throw malformed();
    for (std::uint64_t i = 0; i < into.size; ++i) into.parts.push_back(parse_value(depth + 1));
  }

  // A length, or nothing for the nil of RESP2.
  std::uint64_t take_length(value& into, bool can_be_nil) {
    const auto [sign, number] = take_number();
    if (sign.empty()) return number;
    if (sign != "-" || number != 1 || !can_be_nil) throw malformed();
    into.kind = resp_kind::nil;
    return 0;
  }

  value parse_value(std::size_t depth) {
    value made;
    const char type = take();
    switch (type) {
      case '+':
      case '-':
      case ',':
      case '(':
        made.kind = type == '+'   ? resp_kind::simple
                    : type == '-' ? resp_kind::error
                                  : resp_kind::number;
        made.text = take_line();
        if (type == '-') made.text.resize(std::min(made.text.size(), made.text.find(' ')));
        break;
      case '_':
        if (!take_line().empty()) throw malformed();
        break;
      case '#':
        made.kind = resp_kind::boolean;
        made.text = take_line();
        if (made.text.size() != 1) throw malformed();
        break;
      case ':': {
        made.kind = resp_kind::integer;
        const auto [sign, number] = take_number();
        if (number > INT64_MAX) throw malformed();
        made.integer = static_cast<std::int64_t>(number) * (sign == "-" ? -1 : 1);
        break;
      }
      case '$':
      case '=':
      case '!': {
        made.kind = type == '!' ? resp_kind::error : resp_kind::bulk;
        const std::uint64_t length = take_length(made, type != '!');
        if (made.kind != resp_kind::nil) made.text = take_payload(length);
        break;
      }
      case '*':
      case '%':
      case '~':
      case '>':
      case '|': {
        if (type == '>' && depth > 0) throw malformed();
        made.kind = type == '*'   ? resp_kind::array
                    : type == '%' ? resp_kind::map
                    : type == '~' ? resp_kind::set
                    : type == '>' ? resp_kind::push
                                  : resp_kind::attribute;
        made.size = take_length(made, type == '*');
        if (made.size > resp_scanner::elements_max) throw malformed();
        if (type == '%' || type == '|') made.size *= 2;
        take_parts(made, depth);
        if (type == '|') return parse_value(depth);
        break;
      }
      default:
        throw malformed();
    }
    return made;
  }

  void parse_command(told_stream& told) {
    take();
    const auto [sign, count] = take_number();
    if (sign == "-" || (sign.empty() && count == 0)) return;
    if (sign == "+" || count > resp_scanner::elements_max) throw malformed();
    value made;
    made.kind = resp_kind::command;
    made.size = count;
    for (std::uint64_t i = 0; i < count; ++i) {
      expect('$');
      value part;
      part.kind = resp_kind::bulk;
      part.text = take_payload(take_length(part, false));
      made.parts.push_back(part);
    }
    tell(made, told);
  }

  void parse_inline(told_stream& told) {
    const char first = rest_.front();
    const bool is_control = first >= 0 && first <= ' ';
    if (is_control && std::string_view(" \t\r\n").find(first) == std::string_view::npos) {
      throw malformed();
    }
    std::string line;
    for (char c = take(); c != '\n'; c = take()) {
      line += c;
      if (line.size() > resp_scanner::inline_bytes_max) throw malformed();
    }
    std::string blanks = line;
    for (char& c : blanks) c = c == '\t' || c == '\r' ? ' ' : c;
    std::istringstream words(blanks);
    std::vector<std::string> found;
    for (std::string word; std::getline(words, word, ' ');) {
      if (!word.empty()) found.push_back(word);
    }
    if (found.empty()) return;
    const std::string name = cut(found[0]);
    const std::string argument = found.size() > 1 ? cut(found[1]) : "";
    const resp_frame frame{resp_kind::inline_command, name, argument, found.size(), 0};
    told.frames.push_back(describe(frame, {line.substr(blanks.find_first_not_of(' '))}, {}));
  }

  static std::string cut(const std::string& text) {
    std::string word = text.substr(0, 16);
    for (char& c : word) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
    return word;
  }

  static std::string word_of(const value& from) {
    const bool is_line = from.kind == resp_kind::simple || from.kind == resp_kind::error;
    if (!is_line && from.kind != resp_kind::bulk && from.kind != resp_kind::number &&
        from.kind != resp_kind::boolean) {
      return {};
    }
    return cut(from.kind == resp_kind::bulk ? from.text : from.text.substr(0, from.text.find(' ')));
  }

  static void collect(const value& from, std::size_t depth, std::uint64_t element,
                      std::vector<std::string>& texts, std::vector<error_place>& errors) {
    const bool is_shown = from.kind == resp_kind::simple || from.kind == resp_kind::bulk;
    if (is_shown && !from.text.empty()) texts.push_back(from.text);
    if (from.kind == resp_kind::error && depth > 0) errors.emplace_back(element, depth);
    for (std::size_t i = 0; i < from.parts.size(); ++i) {
      collect(from.parts[i], depth + 1, depth == 0 ? i : element, texts, errors);
    }
  }

  static void tell(const value& made, told_stream& told) {
    resp_frame frame{made.kind, {}, {}, made.size, made.integer};
    const bool is_whole = made.parts.empty();
    const std::string word = is_whole ? word_of(made) : word_of(made.parts[0]);
    const std::string argument = made.parts.size() > 1 ? word_of(made.parts[1]) : "";
    frame.word = word;
    frame.argument = argument;
    for (const value& part : made.parts) {
      if (part.kind == resp_kind::integer) frame.integer = part.integer;
    }
    std::vector<std::string> texts;
    std::vector<error_place> errors;
    collect(made, 0, 0, texts, errors);
    told.frames.push_back(describe(frame, texts, errors));
  }

  resp_side side_;
  std::string_view rest_;
};

}  // namespace

std::ostream& operator<<(std::ostream& out, const told_stream& what) {
  for (const auto& each : what.frames) out << each << '\n';
  return out << (what.is_lost ? "lost" : "not lost");
}

told_stream parse_whole(resp_side side, std::string_view stream) {
  return whole_parser(side, stream).parse();
}

told_stream scan_pieces(resp_side side, std::string_view stream,
                        const std::vector<std::size_t>& ends) {
  told_sink sink;
  resp_scanner scanner(side, sink);
  std::size_t from = 0;
  for (const std::size_t end : ends) {
    scanner.feed(stream.substr(from, end - from));
    from = end;
  }
  scanner.feed(stream.substr(from));
  if (sink.told.is_lost != scanner.is_lost()) throw std::logic_error("on_lost() was not called");
  return sink.told;
}

}  // namespace ordeal::test
