// Text to a tree of our own with positions; the only user of yaml-cpp. Stricter than YAML: one
// document, no duplicate keys, no merge keys, no tags, no tabs in indentation, a bounded number of
// aliases. Scalars stay texts; whoever reads them knows their type. Pure function, any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/scenario/source.h"

namespace ordeal::harness {

enum class yaml_kind { null, scalar, list, map };

struct yaml_member;

struct yaml_value {
  yaml_kind kind = yaml_kind::null;
  std::string text;  // of a scalar
  bool is_quoted = false;
  std::size_t line = 0;    // 1-based
  std::size_t column = 0;  // 1-based, in bytes
  std::size_t length = 1;  // columns it takes on its first line
  std::vector<yaml_value> items;
  std::vector<yaml_member> members;  // in the order of the file

  const yaml_member* find_member(std::string_view key) const;  // null when there is none
};

struct yaml_member {
  yaml_value key;
  yaml_value value;
};

struct yaml_document {
  std::optional<yaml_value> root;  // as much as could be read; none when the text is not YAML
  std::vector<diagnostic> problems;
};

yaml_document read_yaml(const std::string& text, const std::string& file);

}  // namespace ordeal::harness
