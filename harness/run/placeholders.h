// ${name} in the strings of a target file, replaced at launch.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace ordeal::harness {

using placeholder_values = std::map<std::string, std::string, std::less<>>;

// Replaces every ${name}; "$$" stands for one '$'. A name without a value throws std::runtime_error that says which
// (the target loader has checked the names, so that is a bug there).
std::string substitute(std::string_view text, const placeholder_values& values);

}  // namespace ordeal::harness
