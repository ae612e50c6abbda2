// "Did you mean": the nearest of a few known words. Pure functions.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace ordeal::harness {

// Insertions, deletions, substitutions and swaps of neighbours between the two, letter case
// ignored.
std::size_t edit_distance(std::string_view a, std::string_view b);

// The nearest word, or empty when none is within two edits or a third of the word's length.
std::string closest_match(std::string_view word, const std::vector<std::string>& known);

// "did you mean 'x'?", or empty.
std::string did_you_mean(std::string_view word, const std::vector<std::string>& known);

// "a, b, c"
std::string join(const std::vector<std::string>& words, std::string_view separator = ", ");

}  // namespace ordeal::harness
