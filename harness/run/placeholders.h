// ${name} in the strings of a target file, replaced at launch.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace ordeal::harness {

using placeholder_values = std::map<std::string, std::string, std::less<>>;

// Replaces every ${name}; "$$" stands for one dollar. ${env.NAME} comes from Ordeal's own environment;
// ${name:-default} has the default where the value is missing or empty. A name without a value throws
// std::runtime_error that says which and what to do. The target loader has checked that `text` is well-formed.
std::string substitute(std::string_view text, const placeholder_values& values);

}  // namespace ordeal::harness
