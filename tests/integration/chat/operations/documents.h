// What documents promise, for tests that hold them to it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ordeal::test {

// A file of the source tree, by its path from the root.
std::string document(std::string_view path);

// The contents of fenced code blocks in `language`, in order.
std::vector<std::string> code_blocks(std::string_view markdown, std::string_view language);

// The only line that starts with `start`; empty when there is none, or more than one.
std::string line_starting_with(std::string_view text, std::string_view start);

std::vector<std::string> words_of(std::string_view text);
std::string replaced(std::string text, std::string_view what, std::string_view by);

}  // namespace ordeal::test
