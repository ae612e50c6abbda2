// The judge convicts: every planted bug is found, as what it is, with exit code 1; the same node without a bug passes.
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <set>
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
  command run({binaries + "/ordeal", "run", (sources / scenario).string(), "--target",
               target_with(bug, scratch.path()).string(), "--results",
               (scratch.path() / "results").string()},
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

// Each bug is a test of its own, so that they run side by side; PlantedBugs compares the list with the node's.
constexpr const char* bugs[] = {"drop_nth",
                                "duplicate_after_reconnect",
                                "swap_two",
                                "swap_same_sender",
                                "deaf_after_redis_reconnect",
                                "wrong_room",
                                "ack_without_publish",
                                "alter_byte",
                                "mute_one_node",
                                "stale_replay"};

TEST(PlantedBugs, AreAllPutToTheTest) {
  std::set<std::string> known(std::begin(bugs), std::end(bugs)), planted;
  for (const json::value& bug : planted_bugs()) planted.emplace(bug.at("name").as_string());
  planted.erase("none");
  EXPECT_EQ(known, planted);
}

class PlantedBug : public testing::TestWithParam<const char*> {};

TEST_P(PlantedBug, IsConvictedAsWhatItIs) {
  for (const json::value& bug : planted_bugs()) {
    if (bug.at("name") != GetParam()) continue;
    const std::string expected(bug.at("finding").as_string());
    const result found =
        run_with(GetParam(), bug.at("needs_fault").as_bool() ? "reconnect.yaml" : "quiet.yaml");
    EXPECT_EQ(found.exit_code, 1) << found.output;
    ASSERT_TRUE(found.summary.is_object()) << found.output;
    const auto count = found.summary.at("findings").at(expected).to_number<std::uint64_t>();
    EXPECT_GT(count, 0U) << "no finding '" << expected << "'\n" << found.output;
    std::printf("%-28s %-14s %8ju findings in %ju messages: %s\n", GetParam(), expected.c_str(),
                static_cast<std::uintmax_t>(count),
                found.summary.at("totals").at("sent").to_number<std::uintmax_t>(),
                found.summary.at("verdict").as_string().c_str());
    return;
  }
  FAIL() << "planted_node does not know this bug";
}

INSTANTIATE_TEST_SUITE_P(All, PlantedBug, testing::ValuesIn(bugs),
                         [](const testing::TestParamInfo<const char*>& of) {
                           return std::string(of.param);
                         });

}  // namespace
}  // namespace ordeal::test
