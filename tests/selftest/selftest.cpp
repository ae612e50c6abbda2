// The judge convicts: every planted bug is found, as what it is, with exit code 1; the same node without a bug passes.
// Prints a table of all of them.
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <cstdio>
#include <fstream>
#include <memory>
#include <string>

#include "tests/support/command.h"

namespace ordeal::test {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr std::chrono::seconds run_limit{90};
const std::string binaries = ORDEAL_BINARIES;
const fs::path sources = ORDEAL_SELFTEST_SOURCES;

struct result {
  int exit_code = -1;
  json::value summary;
  std::string output;
};

// A copy of planted.yaml with the bug switched on.
fs::path target_with(const std::string& bug, const fs::path& directory) {
  std::string text = read_file(sources / "planted.yaml");
  const std::string clean = "PLANTED_BUG: none";
  text.replace(text.find(clean), clean.size(), "PLANTED_BUG: " + bug);
  const fs::path path = directory / "planted.yaml";
  std::ofstream(path) << text;
  return path;
}

result run_with(const std::string& bug, const std::string& scenario) {
  const scratch_directory scratch;
  command run({binaries + "/ordeal", "run", (sources / scenario).string(), "--target", target_with(bug, scratch.path()).string(),
               "--results", (scratch.path() / "results").string()},
              scratch.path());
  result found;
  found.exit_code = run.wait(run_limit).value_or(-1);
  found.output = run.out() + run.err();
  const std::string summary = read_file(scratch.path() / "results/latest/summary.json");
  if (!summary.empty()) found.summary = json::parse(summary);
  return found;
}

json::array planted_bugs() {
  const scratch_directory scratch;
  command list({binaries + "/planted_node", "--list-bugs"}, scratch.path());
  if (list.wait(run_limit) != 0) ADD_FAILURE() << "planted_node --list-bugs failed";
  return json::parse(list.out()).as_array();
}

TEST(Selftest, CleanNodePassesWithoutFaults) {
  const result found = run_with("none", "quiet.yaml");
  ASSERT_EQ(found.exit_code, 0) << found.output;
  EXPECT_EQ(found.summary.at("verdict"), "pass");
}

TEST(Selftest, CleanNodePassesAReconnect) {
  const result found = run_with("none", "reconnect.yaml");
  ASSERT_EQ(found.exit_code, 0) << found.output;
}

TEST(Selftest, EveryPlantedBugIsConvictedAsWhatItIs) {
  std::size_t bugs = 0;
  std::printf("%-28s %-14s %8s %9s  %s\n", "bug", "expected", "found", "messages", "verdict");
  for (const json::value& bug : planted_bugs()) {
    const std::string name(bug.at("name").as_string());
    const std::string expected(bug.at("finding").as_string());
    if (expected.empty()) continue;
    ++bugs;
    const result found = run_with(name, bug.at("needs_fault").as_bool() ? "reconnect.yaml" : "quiet.yaml");
    EXPECT_EQ(found.exit_code, 1) << name << "\n" << found.output;
    if (!found.summary.is_object()) continue;
    const auto count = found.summary.at("findings").at(expected).to_number<std::uint64_t>();
    EXPECT_GT(count, 0U) << name << ": no finding '" << expected << "'\n" << found.output;
    std::printf("%-28s %-14s %8ju %9ju  %s\n", name.c_str(), expected.c_str(), static_cast<std::uintmax_t>(count),
                found.summary.at("totals").at("sent").to_number<std::uintmax_t>(),
                found.summary.at("verdict").as_string().c_str());
    std::fflush(stdout);
  }
  EXPECT_GE(bugs, 7U);
}

}  // namespace
}  // namespace ordeal::test
