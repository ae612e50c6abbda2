#include <algorithm>

#include "harness/cli/verbs.h"
#include "harness/target/target_search.h"

namespace ordeal::harness {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> yaml_files_below(const fs::path& folder) {
  std::vector<std::string> files;
  std::error_code ec;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folder, ec)) {
    if (entry.is_regular_file(ec) && entry.path().extension() == ".yaml")
      files.push_back(entry.path().string());
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

std::string find_scenario(const std::string& path, const world& where) {
  std::error_code ec;
  if (fs::exists(path, ec)) return path;
  const fs::path shipped = where.share / "scenarios" / (path + ".yaml");
  return fs::is_regular_file(shipped, ec) ? shipped.lexically_normal().string() : path;
}

std::vector<std::string> expand_files(const std::vector<std::string>& paths, const world& where) {
  std::vector<std::string> files;
  std::error_code ec;
  for (const std::string& path : paths) {
    if (!fs::is_directory(path, ec)) {
      files.push_back(find_scenario(path, where));  // a missing file is the loader's to report
      continue;
    }
    const std::vector<std::string> found = yaml_files_below(path);
    if (found.empty()) {
      where.err << "error: nothing selected: there is no *.yaml file in '" << path << "'\n";
      return {};
    }
    files.insert(files.end(), found.begin(), found.end());
  }
  return files;
}

scenario_inputs inputs_of(const request& what, const world& where) {
  scenario_inputs inputs;
  inputs.variables = what.run.variables;
  inputs.target = what.run.target;
  inputs.known_targets = known_targets(where.share);
  return inputs;
}

std::vector<shipped_scenario> shipped_scenarios(const fs::path& folder, const world& where) {
  std::vector<shipped_scenario> all;
  for (const std::string& file : yaml_files_below(folder)) {
    shipped_scenario item;
    item.id = fs::path(file).lexically_relative(folder).replace_extension().generic_string();
    item.file = file;
    const loaded_scenario loaded = load_scenario(file, where.fault_kinds, {});
    if (loaded.value) {
      item.name = loaded.value->name;
      item.description = loaded.value->description;
      item.tags = loaded.value->tags;
    }
    all.push_back(std::move(item));
  }
  return all;
}

}  // namespace ordeal::harness
