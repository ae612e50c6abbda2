// Reading a user's file whole. Blocking; call it before the event loop runs.
#pragma once

#include <optional>
#include <string>

#include "harness/scenario/problem_list.h"

namespace ordeal::harness {

// The file's text; none when it cannot be read, and then `problems` says why in one sentence.
std::optional<std::string> read_user_file(const std::string& path, problem_list& problems);

}  // namespace ordeal::harness
