// Where shipped files are: scenarios and targets. Asks the file system; start-up code.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace ordeal::harness {

// The folder that holds targets/ and scenarios/: ORDEAL_SHARE, else ../share/ordeal beside the
// program's folder (when installed), else the source tree above it (when built there). Empty when
// there is none.
std::filesystem::path find_share();
std::filesystem::path find_share(const std::filesystem::path& program);

// Names that find_target() takes: folders with a target.yaml in `share`/targets and ./targets;
// sorted.
std::vector<std::string> known_targets(const std::filesystem::path& share);

// The file of a target: `name_or_file` itself when it is a path, else ./targets/NAME/target.yaml or
// the one in `share`. Empty when there is none.
std::filesystem::path find_target(const std::string& name_or_file,
                                  const std::filesystem::path& share);

}  // namespace ordeal::harness
