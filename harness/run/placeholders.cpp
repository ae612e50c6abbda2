#include "harness/run/placeholders.h"

#include <stdexcept>

namespace ordeal::harness {

std::string substitute(std::string_view text, const placeholder_values& values) {
  std::string result;
  while (!text.empty()) {
    const std::size_t dollar = text.find('$');
    result += text.substr(0, dollar);
    if (dollar == std::string_view::npos) break;
    text.remove_prefix(dollar + 1);
    if (text.starts_with('$')) {
      result += '$';
      text.remove_prefix(1);
      continue;
    }
    const std::size_t end = text.find('}');
    if (!text.starts_with('{') || end == std::string_view::npos) {
      result += '$';
      continue;
    }
    const std::string_view name = text.substr(1, end - 1);
    const auto value = values.find(name);
    if (value == values.end())
      throw std::runtime_error("no value for ${" + std::string(name) + "} in the target file");
    result += value->second;
    text.remove_prefix(end + 1);
  }
  return result;
}

}  // namespace ordeal::harness
