#include "net/hub/salvage.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/error.hpp>
#include <boost/json/parse.hpp>
#include <charconv>
#include <utility>

namespace ordeal::net::hub {
namespace {

namespace json = boost::json;

// Walks over JSON without looking into it. Every take_ gives an empty view when there is no such thing.
class walker {
 public:
  explicit walker(std::string_view text) : text_(text) {}

  bool take(char wanted) {
    skip_blanks();
    if (at_ == text_.size() || text_[at_] != wanted) return false;
    ++at_;
    return true;
  }
  bool is_at_end() {
    skip_blanks();
    return at_ == text_.size();
  }

  std::string_view take_string() {
    skip_blanks();
    const std::size_t begin = at_;
    if (at_ == text_.size() || text_[at_] != '"') return {};
    for (++at_; at_ < text_.size(); ++at_) {
      if (text_[at_] == '\\') {
        ++at_;
      } else if (text_[at_] == '"') {
        ++at_;
        return text_.substr(begin, at_ - begin);
      }
    }
    return {};
  }

  std::string_view take_value() {
    skip_blanks();
    const std::size_t begin = at_;
    std::size_t depth = 0;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '"') {
        if (take_string().empty()) return {};
        continue;
      }
      if (depth == 0 && (c == ',' || c == '}')) break;
      if (c == '[' || c == '{') ++depth;
      if ((c == ']' || c == '}') && depth-- == 0) return {};
      ++at_;
    }
    return depth == 0 ? text_.substr(begin, at_ - begin) : std::string_view();
  }

 private:
  void skip_blanks() {
    constexpr std::string_view blanks = " \t\r\n";
    while (at_ < text_.size() && blanks.find(text_[at_]) != std::string_view::npos) ++at_;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

// The code unit of an escape at the front of `text`, as in \ud83d; nullopt: there is none.
std::optional<unsigned> escaped_unit(std::string_view text) {
  if (text.size() < 6 || text[0] != '\\' || text[1] != 'u') return std::nullopt;
  unsigned unit = 0;
  const auto [end, ec] = std::from_chars(text.data() + 2, text.data() + 6, unit, 16);
  if (ec != std::errc() || end != text.data() + 6) return std::nullopt;
  return unit;
}

bool has_lone_surrogate(std::string_view record) {
  for (std::size_t at = record.find('\\'); at < record.size(); at = record.find('\\', at)) {
    const unsigned unit = escaped_unit(record.substr(at)).value_or(0);
    const unsigned next = escaped_unit(record.substr(std::min(at + 6, record.size()))).value_or(0);
    const bool is_high = unit >= 0xD800 && unit < 0xDC00, is_low = unit >= 0xDC00 && unit < 0xE000;
    const bool is_pair = is_high && next >= 0xDC00 && next < 0xE000;
    if ((is_high && !is_pair) || is_low) return true;
    at += is_pair ? 12 : 2;
  }
  return false;
}

std::optional<json::value> parse_alone(std::string_view text, const json::storage_ptr& memory) {
  boost::system::error_code ec;
  json::value parsed = json::parse(json::string_view(text.data(), text.size()), ec, memory);
  if (ec) return std::nullopt;
  return parsed;
}

}  // namespace

const char* unusable_part(std::string_view record, const boost::system::error_code& why) {
  // The parser has several names for it, and the general one as well.
  if (has_lone_surrogate(record))
    return "half of a surrogate pair (as \\ud83d alone) stands for no character";
  if (why == json::error::too_deep) return "values are nested in more than 32 levels";
  if (why == json::error::exponent_overflow) return "a number is too large";
  return nullptr;
}

std::optional<json::object> salvage(std::string_view record, json::storage_ptr memory) {
  walker from(record);
  json::object found(memory);
  if (!from.take('{')) return std::nullopt;
  if (from.take('}')) return from.is_at_end() ? std::optional(std::move(found)) : std::nullopt;
  do {
    const std::string_view key = from.take_string();
    if (key.empty() || !from.take(':')) return std::nullopt;
    const std::string_view value = from.take_value();
    if (value.empty()) return std::nullopt;
    const auto name = parse_alone(key, memory);
    if (!name) continue;
    if (auto parsed = parse_alone(value, memory)) {
      found.insert_or_assign(name->get_string(), std::move(*parsed));
    } else if (name->get_string() == "arguments") {
      found.insert_or_assign("arguments", json::array(memory));
    }
  } while (from.take(','));
  if (!from.take('}') || !from.is_at_end()) return std::nullopt;
  return found;
}

}  // namespace ordeal::net::hub
