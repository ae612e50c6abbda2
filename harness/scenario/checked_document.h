// A file checked against its schema: every key known, every scalar parsed, defaults filled in. What
// is wrong goes into the problem list, and a harmless value takes its place, so that reading goes
// on and finds the rest.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "harness/scenario/problem_list.h"
#include "harness/scenario/schema_table.h"
#include "harness/scenario/template_text.h"
#include "harness/scenario/yaml_reader.h"

namespace ordeal::harness {

class checked_value {
 public:
  // A map's value of this key; asking for a key that the schema does not have is a programming
  // error.
  const checked_value& operator[](std::string_view key) const;

  const std::string& text() const { return text_; }
  std::int64_t integer() const { return number_; }  // also bytes
  bool flag() const { return number_ != 0; }
  std::chrono::nanoseconds duration() const {
    return std::chrono::nanoseconds(number_);
  }                                              // of a rate: its period
  double fraction() const { return fraction_; }  // of a percentage
  std::size_t choice() const {
    return static_cast<std::size_t>(number_);
  }                                        // of an enumeration: index into its words
  std::vector<std::string> texts() const;  // of a list of texts

  const std::vector<checked_value>& items() const { return items_; }
  const std::vector<std::pair<std::string, checked_value>>& members() const { return members_; }

  bool is_given() const { return is_given_; }  // stands in the file
  bool is_quoted() const { return is_quoted_; }
  bool is_valid() const { return is_valid_; }        // false: reported already
  const std::string& path() const { return path_; }  // "faults[0].at"
  const source_position& where() const { return where_; }
  std::size_t length() const { return length_; }

  // A problem at this value's place, or at its key's (values of a free map only).
  diagnostic problem(std::string code, std::string message, std::string remedy = {},
                     std::string suggestion = {}) const;
  diagnostic key_problem(std::string code, std::string message, std::string remedy = {},
                         std::string suggestion = {}) const;

 private:
  friend class schema_check;
  std::string path_;
  source_position where_;
  std::size_t length_ = 1;
  source_position key_where_;
  std::size_t key_length_ = 1;
  bool is_given_ = false, is_quoted_ = false, is_valid_ = true;
  std::string text_;
  std::int64_t number_ = 0;
  double fraction_ = 0;
  std::vector<checked_value> items_;
  std::vector<std::pair<std::string, checked_value>> members_;
};

// Files of another kind, known by their top-level keys; two of them are no accident.
struct other_kind {
  std::vector<std::string> keys;
  std::string message, remedy;
};

struct check_options {
  std::string file;
  other_kind other;  // said in place of a problem for every key
  // Values of ${name}; null: texts are kept as they are (target files) and only keys whose row
  // lists ${names} have any.
  variable_lookup value_of;
  std::vector<std::string> known_variables;  // for suggestions
};

checked_value check_document(const yaml_value& root, schema rows, const check_options& options,
                             problem_list& problems);

}  // namespace ordeal::harness
