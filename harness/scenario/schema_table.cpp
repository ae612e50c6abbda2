#include "harness/scenario/schema_table.h"

#include "harness/scenario/spelling.h"
#include "harness/scenario/values.h"

namespace ordeal::harness {

const schema_row* find_row(schema rows, std::string_view path) {
  for (const schema_row& row : rows) {
    if (row.path == path) return &row;
  }
  return nullptr;
}

std::vector<const schema_row*> children_of(schema rows, std::string_view path) {
  std::vector<const schema_row*> found;
  for (const schema_row& row : rows) {
    std::string_view rest = row.path;
    if (!path.empty()) {
      if (!rest.starts_with(path) || rest.size() <= path.size() || rest[path.size()] != '.')
        continue;
      rest.remove_prefix(path.size() + 1);
    }
    if (rest.find_first_of(".[*") == std::string_view::npos) found.push_back(&row);
  }
  return found;
}

std::string_view key_of(const schema_row& row) {
  const std::size_t dot = row.path.rfind('.');
  return dot == std::string_view::npos ? row.path : row.path.substr(dot + 1);
}

std::vector<std::string> split_words(std::string_view comma_separated) {
  std::vector<std::string> words;
  while (!comma_separated.empty()) {
    const std::size_t comma = comma_separated.find(", ");
    words.emplace_back(comma_separated.substr(0, comma));
    comma_separated.remove_prefix(comma == std::string_view::npos ? comma_separated.size()
                                                                  : comma + 2);
  }
  return words;
}

std::vector<std::string> allowed_values(const schema_row& row) {
  return split_words(row.allowed);
}

const char* name_of(value_type type) {
  switch (type) {
    case value_type::text:
      return "a text";
    case value_type::identifier:
      return "a name";
    case value_type::integer:
      return "an integer";
    case value_type::boolean:
      return "true or false";
    case value_type::duration:
      return "a duration";
    case value_type::size:
      return "a size";
    case value_type::rate:
      return "a rate";
    case value_type::bandwidth:
      return "a bandwidth";
    case value_type::percent:
      return "a percentage";
    case value_type::enumeration:
      return "one of a few words";
    case value_type::scalar:
      return "a single value";
    case value_type::list:
      return "a list";
    case value_type::map:
    case value_type::free_map:
      return "a map";
  }
  return "";
}

const char* example_of(value_type type) {
  switch (type) {
    case value_type::identifier:
      return "letters, digits, '-', '_' and '.', at most 64, a letter or digit first";
    case value_type::integer:
      return "decimal digits only, like 12, without quotes";
    case value_type::boolean:
      return "write true or false, without quotes";
    case value_type::duration:
      return "like 250ms, 2s, 1m30s or 1h";
    case value_type::size:
      return "like 128B, 64KiB (1024) or 64kB (1000)";
    case value_type::rate:
      return "like 200/s, 30/m or 10/h";
    case value_type::bandwidth:
      return "like 256kbit/s or 32kB/s";
    case value_type::percent:
      return "like 0.1% or 25%";
    case value_type::list:
      return "like [a, b]";
    case value_type::map:
    case value_type::free_map:
      return "like { key: value }";
    case value_type::text:
    case value_type::enumeration:
    case value_type::scalar:
      return "";
  }
  return "";
}

std::string explain(const schema_row& row) {
  std::string text = std::string(row.path) + "\n  " + std::string(row.doc) + "\n";
  text += "  type     " + std::string(name_of(row.type));
  const std::string_view example = example_of(row.type);
  if (!example.empty()) text += ", " + std::string(example);
  text += "\n";
  const bool is_bounded =
      row.minimum != 0 || row.maximum != std::numeric_limits<std::int64_t>::max();
  if (is_bounded && row.type == value_type::integer) {
    text +=
        "  range    " + std::to_string(row.minimum) + " to " + std::to_string(row.maximum) + "\n";
  }
  if (!row.allowed.empty()) {
    text += (row.type == value_type::enumeration ? "  allowed  " : "  may use  ${}: ") +
            std::string(row.allowed) + "\n";
  }
  if (!row.default_text.empty()) text += "  default  " + std::string(row.default_text) + "\n";
  if (row.is_required) text += "  required\n";
  return text;
}

}  // namespace ordeal::harness
