#include "harness/drivers/call_arguments.h"

#include <boost/algorithm/string/replace.hpp>
#include <string>

namespace ordeal::harness {
namespace {

std::optional<std::string_view> find_value(std::string_view name, const call_values& values) {
  if (name == "room") return values.room;
  if (name == "payload") return values.payload;
  if (name == "message_id") return values.message_id;
  if (name == "cursor") return values.cursor.value_or(std::string_view());
  return std::nullopt;
}

std::string fill_text(std::string_view text, const call_values& values) {
  std::string filled;
  while (true) {
    const auto begin = text.find("${");
    const auto end = begin == text.npos ? text.npos : text.find('}', begin);
    if (end == text.npos) break;
    filled.append(text.substr(0, begin));
    const auto value = find_value(text.substr(begin + 2, end - begin - 2), values);
    filled.append(value.value_or(text.substr(begin, end + 1 - begin)));
    text.remove_prefix(end + 1);
  }
  filled.append(text);
  return filled;
}

}  // namespace

boost::json::array fill_arguments(const call_template& call, const call_values& values) {
  boost::json::array filled;
  filled.reserve(call.arguments.size());
  for (const std::string& argument : call.arguments) {
    if (argument == "${cursor}" && !values.cursor) {
      filled.emplace_back(nullptr);
    } else {
      filled.emplace_back(fill_text(argument, values));
    }
  }
  return filled;
}

std::string fill_path(std::string_view path, std::string_view client) {
  return boost::algorithm::replace_all_copy(std::string(path), "${client}", client);
}

bool has_placeholder(const call_template& call, std::string_view name) {
  const std::string placeholder = "${" + std::string(name) + "}";
  for (const std::string& argument : call.arguments) {
    if (argument.find(placeholder) != std::string::npos) return true;
  }
  return false;
}

}  // namespace ordeal::harness
