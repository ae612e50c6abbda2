// Positions in user files, and problems found there. Every loader collects all of them before it
// gives up.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace ordeal::harness {

struct source_position {
  std::string file;
  std::size_t line = 0;    // 1-based; 0: not from a file
  std::size_t column = 0;  // 1-based, in bytes
};

struct diagnostic {
  source_position where;
  std::string message;     // "unknown key 'duraton' in faults[0]"
  std::string code;        // "E102"
  std::size_t length = 1;  // how many columns to underline
  std::string suggestion;  // "did you mean 'duration'?"; may be empty
  std::string remedy;      // "allowed: at, for, kind, ..."; may be empty
};

// What people see of it: message, place, the line itself underlined, remedy.
std::string render(const diagnostic& problem, const std::string& source_text);

}  // namespace ordeal::harness
