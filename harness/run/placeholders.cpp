#include "harness/run/placeholders.h"

#include <cstdlib>
#include <optional>
#include <stdexcept>

#include "harness/scenario/template_text.h"

namespace ordeal::harness {
namespace {

constexpr std::string_view environment_prefix = "env.";

std::optional<std::string> value_of(const std::string& name, const placeholder_values& values) {
  if (name.starts_with(environment_prefix)) {
    const char* const value = std::getenv(name.c_str() + environment_prefix.size());
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
  }
  const auto found = values.find(name);
  return found == values.end() ? std::nullopt : std::optional(found->second);
}

std::runtime_error without_value(const std::string& name) {
  if (!name.starts_with(environment_prefix))
    return std::runtime_error("no value for ${" + name + "} in the target file");
  return std::runtime_error("the target file names ${" + name + "}, and the environment variable " +
                            name.substr(environment_prefix.size()) +
                            " is not set; set it, or write ${" + name + ":-default}");
}

}  // namespace

std::string substitute(std::string_view text, const placeholder_values& values) {
  std::string result;
  for (const template_piece& piece : parse_template(text).pieces) {
    if (!piece.is_variable) {
      result += piece.text;
      continue;
    }
    const std::optional<std::string> value = value_of(piece.text, values);
    if (piece.fallback && value.value_or("").empty()) {
      result += *piece.fallback;
    } else if (value) {
      result += *value;
    } else {
      throw without_value(piece.text);
    }
  }
  return result;
}

}  // namespace ordeal::harness
