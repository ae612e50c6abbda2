// Texts with ${name}, ${name:-default} and $$ (a dollar sign). Scenario files use them for
// variables, target files for what only the run knows: ${node.port}, ${room}. Pure functions.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ordeal::harness {

struct template_piece {
  std::string text;  // literal text, or the name of a variable
  bool is_variable = false;
  std::optional<std::string> fallback;  // ${name:-fallback}
};

struct parsed_template {
  std::vector<template_piece> pieces;
  std::string problem;  // why the text is malformed; empty: it is not
  bool has_variables = false;
};
parsed_template parse_template(std::string_view text);

using variable_lookup = std::function<std::optional<std::string>(const std::string& name)>;

struct expansion {
  std::string text;
  std::vector<std::string> unknown;  // names without a value; they expand to nothing
  std::string problem;               // malformed: text is as given
  bool has_variables = false;
};
expansion expand_template(std::string_view text, const variable_lookup& value_of);

}  // namespace ordeal::harness
