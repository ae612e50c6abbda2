#include "harness/target/target_search.h"

#include <algorithm>
#include <cstdlib>

namespace ordeal::harness {
namespace {

namespace fs = std::filesystem;

bool holds_shared_files(const fs::path& folder) {
  std::error_code ec;
  return fs::is_directory(folder / "targets", ec) && fs::is_directory(folder / "scenarios", ec);
}

void add_names(const fs::path& targets, std::vector<std::string>& names) {
  std::error_code ec;
  for (const fs::directory_entry& entry : fs::directory_iterator(targets, ec)) {
    if (fs::is_regular_file(entry.path() / "target.yaml", ec))
      names.push_back(entry.path().filename().string());
  }
}

}  // namespace

fs::path find_share() {
  if (const char* set = std::getenv("ORDEAL_SHARE"); set && *set) return set;
  std::error_code ec;
  return find_share(fs::read_symlink("/proc/self/exe", ec));
}

fs::path find_share(const fs::path& program) {
  const fs::path folder = program.parent_path();
  const fs::path installed = (folder / "../share/ordeal").lexically_normal();
  if (holds_shared_files(installed)) return installed;
  for (fs::path above = folder; above.has_relative_path(); above = above.parent_path()) {
    if (holds_shared_files(above)) return above;
  }
  return {};
}

std::vector<std::string> known_targets(const fs::path& share) {
  std::vector<std::string> names;
  add_names("targets", names);
  if (!share.empty()) add_names(share / "targets", names);
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

fs::path find_target(const std::string& name_or_file, const fs::path& share) {
  std::error_code ec;
  const bool is_path = name_or_file.find('/') != std::string::npos ||
                       name_or_file.ends_with(".yaml") || name_or_file.ends_with(".yml");
  if (is_path) {
    if (fs::is_directory(name_or_file, ec)) return fs::path(name_or_file) / "target.yaml";
    return name_or_file;
  }
  for (const fs::path& root : {fs::path("."), share}) {
    const fs::path file = root / "targets" / name_or_file / "target.yaml";
    if (!root.empty() && fs::is_regular_file(file, ec)) return file.lexically_normal();
  }
  return {};
}

}  // namespace ordeal::harness
