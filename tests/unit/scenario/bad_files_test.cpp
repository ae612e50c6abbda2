// The exact words of the loaders: every bad/NAME.yaml has its problems in bad/NAME.txt.
// ORDEAL_UPDATE_SNAPSHOTS=1 writes the texts anew, to be read before they are kept.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "fault_kinds.h"
#include "harness/scenario/problem_list.h"
#include "harness/scenario/scenario_loader.h"
#include "harness/target/target_loader.h"

namespace ordeal::harness {
namespace {

namespace fs = std::filesystem;

std::string read(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

std::vector<std::string> bad_files() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(ORDEAL_BAD_FILES)) {
    if (entry.path().extension() == ".yaml") names.push_back(entry.path().stem());
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string problems_of(const std::string& name) {
  const std::string file = name + ".yaml";
  const std::string text = read(fs::path(ORDEAL_BAD_FILES) / file);
  if (name.starts_with("target")) {
    const loaded_target loaded = parse_target(text, file, {"signalr"});
    EXPECT_FALSE(loaded.value);
    return render_all(loaded.problems, text);
  }
  scenario_inputs inputs;
  inputs.environment = [](const std::string&) { return std::optional<std::string>(); };
  inputs.known_targets = {"reference", "socketio-redis"};
  if (name == "unknown-set") inputs.variables = {{"node", "5"}};
  const loaded_scenario loaded = parse_scenario(text, file, test::fault_kinds(), inputs);
  EXPECT_FALSE(loaded.value);
  return render_all(loaded.problems, text);
}

class BadFiles : public testing::TestWithParam<std::string> {};

TEST_P(BadFiles, AreExplained) {
  const fs::path expected = fs::path(ORDEAL_BAD_FILES) / (GetParam() + ".txt");
  const std::string problems = problems_of(GetParam());
  if (std::getenv("ORDEAL_UPDATE_SNAPSHOTS")) std::ofstream(expected, std::ios::binary) << problems;
  EXPECT_EQ(problems, read(expected));
  EXPECT_FALSE(problems.empty());
  EXPECT_EQ(problems.find("hunter2"), std::string::npos) << "a secret is shown";
}

INSTANTIATE_TEST_SUITE_P(All, BadFiles, testing::ValuesIn(bad_files()), [](const auto& instance) {
  std::string name = instance.param;
  name.erase(std::remove(name.begin(), name.end(), '-'), name.end());
  return name;
});

}  // namespace
}  // namespace ordeal::harness
