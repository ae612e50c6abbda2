// Target files to `struct target`. All problems are reported at once. ${names} in commands,
// environment and calls are checked here and filled in by the run. Start-up code, any thread.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "harness/scenario/source.h"
#include "harness/target/target.h"

namespace ordeal::harness {

struct loaded_target {
  std::optional<target> value;       // only when there are no problems
  std::vector<diagnostic> problems;  // as render_all() takes them
  std::string text;                  // of the file
};

// `drivers` is driver_names() but in tests; `share` is find_share().
loaded_target load_target(const std::string& name_or_file, const std::filesystem::path& share,
                          const std::vector<std::string>& drivers);
loaded_target load_target_file(const std::string& path, const std::vector<std::string>& drivers);
loaded_target parse_target(const std::string& text, const std::string& file,
                           const std::vector<std::string>& drivers);

}  // namespace ordeal::harness
