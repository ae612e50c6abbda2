#include "reports/json_text.h"

#include <algorithm>
#include <array>
#include <boost/json/serialize.hpp>
#include <charconv>
#include <cmath>

#include "reports/text.h"

namespace ordeal::report {
namespace {

namespace json = boost::json;

constexpr std::size_t line_max = 100;

void append_double(std::string& out, double value) {
  if (!std::isfinite(value)) {
    out += "null";
    return;
  }
  std::array<char, 32> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  out.append(digits.data(), end);
}

void append_line(std::string& out, const json::value& value) {
  switch (value.kind()) {
    case json::kind::double_:
      return append_double(out, value.get_double());
    case json::kind::string:
      out += json::serialize(json::string(clean_text(value.get_string())));
      return;
    case json::kind::array: {
      const char* separator = "";
      out += '[';
      for (const json::value& each : value.get_array()) {
        out += separator;
        append_line(out, each);
        separator = ", ";
      }
      out += ']';
      return;
    }
    case json::kind::object: {
      const char* separator = "";
      out += '{';
      for (const auto& [key, each] : value.get_object()) {
        out += separator;
        out += json::serialize(json::string(clean_text(key))) + ": ";
        append_line(out, each);
        separator = ", ";
      }
      out += '}';
      return;
    }
    case json::kind::null:
    case json::kind::bool_:
    case json::kind::int64:
    case json::kind::uint64:
      out += json::serialize(value);
      return;
  }
}

void append_page(std::string& out, const json::value& value, std::size_t indent) {
  std::string line;
  append_line(line, value);
  const bool is_container = value.is_object() || value.is_array();
  if (!is_container || (indent > 0 && indent + line.size() <= line_max)) {
    out += line;
    return;
  }
  const std::string inner(indent + 2, ' ');
  const char* separator = "\n";
  out += value.is_object() ? "{" : "[";
  if (value.is_object()) {
    for (const auto& [key, each] : value.get_object()) {
      out += separator + inner + json::serialize(json::string(clean_text(key))) + ": ";
      append_page(out, each, indent + 2);
      separator = ",\n";
    }
  } else {
    for (const json::value& each : value.get_array()) {
      out += separator + inner;
      append_page(out, each, indent + 2);
      separator = ",\n";
    }
  }
  out += "\n" + std::string(indent, ' ') + (value.is_object() ? "}" : "]");
}

}  // namespace

std::string json_text(const json::value& value) {
  std::string out;
  append_line(out, value);
  return out;
}

std::string json_page(const json::value& value) {
  std::string out;
  append_page(out, value, 0);
  return out + "\n";
}

}  // namespace ordeal::report
