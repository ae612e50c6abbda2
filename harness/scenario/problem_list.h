// Collects what is wrong with a user's file, so that all of it is reported at once. Lines that hold
// a secret are never shown. Plain value, any thread.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "harness/scenario/source.h"

namespace ordeal::harness {

class problem_list {
 public:
  // A password that stands in a URL is masked in it.
  void add(diagnostic problem);
  // Whatever is reported on this line, the line itself is not shown.
  void conceal_line(std::size_t line) { concealed_lines_.insert(line); }
  bool is_empty() const { return problems_.empty(); }

  // Sorted by position, doubles removed, at most 20 and a closing remark when there were more.
  std::vector<diagnostic> sorted() const;

 private:
  std::vector<diagnostic> problems_;
  std::set<std::size_t> concealed_lines_;
};

// A line of a text, counted from 1, without its end; empty when there is none.
std::string source_line(const std::string& text, std::size_t line);

// Does the text speak of a password, secret or token, misspelled or not, or hold a URL with a
// password in it?
bool looks_secret(std::string_view text);
// Does the line give such a thing a value, as "password: x" does?
bool gives_secret(std::string_view line);
// Is this line, counted from 1, or one that it belongs to by its indentation, of that kind? Such a
// line is not shown when something is wrong there.
using secret_test = bool (*)(std::string_view line);
bool is_secret_place(const std::string& text, std::size_t line, secret_test is_secret);
// "redis://user:***@host" for every URL in the text that has a password.
std::string without_passwords(std::string text);

// Every problem as text, each followed by a newline. A diagnostic of length 0 is shown without its
// line.
std::string render_all(const std::vector<diagnostic>& problems, const std::string& source_text);

}  // namespace ordeal::harness
