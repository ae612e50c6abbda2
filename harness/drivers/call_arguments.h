// Fills a target file's call templates: ["${room}", "${cursor}"] becomes the JSON arguments of a
// call. Pure functions, shared by the drivers whose calls carry JSON.
#pragma once

#include <boost/json/array.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "harness/target/target.h"

namespace ordeal::harness {

struct call_values {
  std::string_view room;
  std::string_view payload;
  std::string_view message_id;
  std::optional<std::string_view> cursor;
};

// One JSON string an argument. An argument that is exactly "${cursor}" is null when there is no
// cursor; inside a longer text a missing cursor is empty. Placeholders of another name stay as they
// are: the loader has refused them before.
boost::json::array fill_arguments(const call_template& call, const call_values& values);

// The path with ${client} filled in.
std::string fill_path(std::string_view path, std::string_view client);

// Does an argument carry "${name}"?
bool has_placeholder(const call_template& call, std::string_view name);

}  // namespace ordeal::harness
