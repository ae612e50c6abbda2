// One row per key of a user file. The loader's checks, defaults, suggestions and `ordeal explain`
// all come from these rows, so they cannot disagree. Constant tables, any thread.
//
// Paths: "load.publish.rate"; "faults[]" is an entry of the list `faults`, "faults[].at" a key of
// it; "secrets.*" is any key of the map `secrets`.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ordeal::harness {

enum class value_type {
  text,
  identifier,
  integer,
  boolean,
  duration,
  size,
  rate,
  bandwidth,
  percent,
  enumeration,
  scalar,  // any scalar, kept as text; its reader knows more
  list,
  map,
  free_map  // any keys; values as the row "<path>.*" says
};

struct schema_row {
  std::string_view path = {};
  value_type type = value_type::text;
  bool is_required = false;            // within its map, when that map is there
  std::string_view default_text = {};  // as it would be written; empty: none
  // Of an enumeration: "a, b, c". Of a target file's text: the ${names} in it.
  std::string_view allowed = {};
  std::string_view doc = {};  // one sentence
  std::int64_t minimum = 0;   // of integers, of sizes in bytes, of durations in nanoseconds
  std::int64_t maximum = std::numeric_limits<std::int64_t>::max();
  std::string_view shorthand = {};  // of a map: a single value stands for this key alone
  bool is_secret = false;           // its value is never shown
  bool takes_default = false;       // of a target file's text: ${name:-default} is fine
  int since = 1;                    // schema_version
};

using schema = std::span<const schema_row>;

const schema_row* find_row(schema rows, std::string_view path);
// The rows of the keys of the map at `path` ("" for the top level).
std::vector<const schema_row*> children_of(schema rows, std::string_view path);
// The last part of a path: "at" of "faults[].at".
std::string_view key_of(const schema_row& row);
std::vector<std::string> allowed_values(const schema_row& row);
std::vector<std::string> split_words(std::string_view comma_separated);

const char* name_of(value_type type);  // "an integer", "a duration"
const char* example_of(
    value_type type);  // "like 250ms, 2s, 1m30s or 1h"; empty when the name says it

// For people: type, default, allowed values, sentence.
std::string explain(const schema_row& row);

// The rows of scenario files.
schema scenario_schema();

}  // namespace ordeal::harness
