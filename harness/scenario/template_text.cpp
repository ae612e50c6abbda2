#include "harness/scenario/template_text.h"

#include <algorithm>

namespace ordeal::harness {
namespace {

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-' || c == '.';
}

// `inside` is what stands between the braces.
template_piece parse_variable(std::string_view inside) {
  template_piece piece;
  piece.is_variable = true;
  const std::size_t fallback = inside.find(":-");
  piece.text = std::string(inside.substr(0, fallback));
  if (fallback != std::string_view::npos) piece.fallback = std::string(inside.substr(fallback + 2));
  return piece;
}

}  // namespace

parsed_template parse_template(std::string_view text) {
  parsed_template result;
  std::string literal;
  const auto flush = [&] {
    if (!literal.empty()) result.pieces.push_back({literal, false, {}});
    literal.clear();
  };
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char next = at + 1 < text.size() ? text[at + 1] : '\0';
    if (text[at] != '$' || (next != '$' && next != '{')) {
      literal += text[at];
    } else if (next == '$') {
      literal += '$';
      ++at;
    } else {
      const std::size_t end = text.find('}', at);
      if (end == std::string_view::npos) {
        result.problem = "has a '${' without its '}'";
        return result;
      }
      template_piece piece = parse_variable(text.substr(at + 2, end - at - 2));
      if (piece.text.empty() ||
          !std::all_of(piece.text.begin(), piece.text.end(), is_name_character)) {
        result.problem =
            "has no variable name in '" + std::string(text.substr(at, end - at + 1)) + "'";
        return result;
      }
      flush();
      result.pieces.push_back(std::move(piece));
      result.has_variables = true;
      at = end;
    }
  }
  flush();
  return result;
}

expansion expand_template(std::string_view text, const variable_lookup& value_of) {
  const parsed_template parsed = parse_template(text);
  expansion result;
  result.has_variables = parsed.has_variables;
  if (!parsed.problem.empty()) {
    result.problem = parsed.problem;
    result.text = std::string(text);
    return result;
  }
  for (const template_piece& piece : parsed.pieces) {
    if (!piece.is_variable) {
      result.text += piece.text;
      continue;
    }
    const std::optional<std::string> value = value_of(piece.text);
    if (value) {
      result.text += *value;
    } else if (piece.fallback) {
      result.text += *piece.fallback;
    } else {
      result.unknown.push_back(piece.text);
    }
  }
  return result;
}

}  // namespace ordeal::harness
