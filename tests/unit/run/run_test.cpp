#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "harness/run/placeholders.h"
#include "harness/run/private_directory.h"
#include "harness/run/record_of.h"
#include "harness/run/requirements.h"
#include "harness/run/results_directory.h"
#include "tests/support/command.h"

namespace ordeal::harness {
namespace {

namespace fs = std::filesystem;
using test::read_file;
using test::scratch_directory;

TEST(Placeholders, ReplacesEveryNameAndTwoDollars) {
  const placeholder_values values{{"node.port", "4711"}, {"app", "a"}};
  EXPECT_EQ(substitute("127.0.0.1:${node.port}/${app}${app}", values), "127.0.0.1:4711/aa");
  EXPECT_EQ(substitute("$$5 and $HOME and ${app", values), "$5 and $HOME and ${app");
  EXPECT_EQ(substitute("", values), "");
}

TEST(Placeholders, NameWithoutValueIsNamed) {
  try {
    substitute("x ${node.prot}", {});
    FAIL() << "nothing was thrown";
  } catch (const std::runtime_error& thrown) {
    EXPECT_NE(std::string(thrown.what()).find("${node.prot}"), std::string::npos);
  }
}

TEST(PrivateDirectory, IsForItsOwnerAloneAndGoesAway) {
  fs::path path;
  {
    const private_directory directory;
    path = directory.path();
    const fs::path file = directory.write_file("secret", "first");
    directory.write_file("secret", "second");
    EXPECT_EQ(read_file(file), "second");
    struct stat status {};
    ASSERT_EQ(::stat(path.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0700U);
    ASSERT_EQ(::stat(file.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0600U);
  }
  EXPECT_FALSE(fs::exists(path));
}

TEST(PrivateDirectory, RemovesWhatAKilledRunLeft) {
  const private_directory first;
  // No process has this id: it is above the kernel's limit.
  const fs::path stale = first.path().parent_path() / "ordeal-99999999-abcdef";
  fs::create_directory(stale);
  const private_directory second;
  EXPECT_FALSE(fs::exists(stale));
  EXPECT_TRUE(fs::exists(first.path()));
}

TEST(ResultsDirectory, DescribesTheRunFromTheFirstMoment) {
  const scratch_directory scratch;
  results_directory results(scratch.path() / "deep/results");
  results.describe_run({{"state", "running"}, {"seed", 42}});
  const fs::path current = scratch.path() / "deep/results/current/run.json";
  EXPECT_EQ(boost::json::parse(read_file(current)).at("state"), "running");
  results.describe_run({{"state", "finished"}});
  EXPECT_EQ(boost::json::parse(read_file(current)).at("state"), "finished");
  EXPECT_EQ(boost::json::parse(read_file(current)).at("seed").to_number<int>(), 42);
}

TEST(ResultsDirectory, LinksFollowTheRun) {
  const scratch_directory scratch;
  {
    const results_directory results(scratch.path());
    EXPECT_TRUE(fs::exists(scratch.path() / "current"));
    EXPECT_FALSE(fs::exists(scratch.path() / "latest"));
    results.publish();
    EXPECT_EQ(fs::read_symlink(scratch.path() / "latest"), results.run_id());
  }
  EXPECT_FALSE(fs::is_symlink(scratch.path() / "current"));
}

TEST(ResultsDirectory, AppendsUndoIntents) {
  const scratch_directory scratch;
  const results_directory results(scratch.path());
  results.record_undo("rotate", "password of user chat");
  results.record_undo("rotate", "told the nodes");
  const std::string lines = read_file(results.path() / "undo.jsonl");
  EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), 2);
}

TEST(ResultsDirectory, SaysWhichPathCannotBeWritten) {
  const scratch_directory scratch;
  const fs::path file = scratch.path() / "file";
  private_directory().write_file("x", "y");
  { std::ofstream(file) << "in the way"; }
  try {
    const results_directory results(file);
    FAIL() << "nothing was thrown";
  } catch (const results_error& thrown) {
    EXPECT_NE(std::string(thrown.what()).find(file.string()), std::string::npos);
  }
}

TEST(ExitCode, AProvenViolationIsNotMaskedByInconclusive) {
  EXPECT_EQ(worst_of(exit_code::inconclusive, exit_code::violation), exit_code::violation);
  EXPECT_EQ(worst_of(exit_code::violation, exit_code::environment), exit_code::environment);
  EXPECT_EQ(worst_of(exit_code::environment, exit_code::results_not_written),
            exit_code::results_not_written);
  EXPECT_EQ(worst_of(exit_code::pass, exit_code::inconclusive), exit_code::inconclusive);
  EXPECT_EQ(worst_of(exit_code::pass, exit_code::pass), exit_code::pass);
  EXPECT_EQ(worst_of(exit_code::internal_error, exit_code::violation), exit_code::internal_error);
}

TEST(ExitCode, FollowsTheOutcome) {
  run_outcome outcome;
  EXPECT_EQ(exit_code_of(outcome), exit_code::nothing_ran);
  outcome.judged.emplace().result = verdict::pass;
  EXPECT_EQ(exit_code_of(outcome), exit_code::pass);
  outcome.signal = SIGINT;
  EXPECT_EQ(exit_code_of(outcome), exit_code::interrupted);
  outcome.signal = SIGTERM;
  EXPECT_EQ(exit_code_of(outcome), exit_code::terminated);
  outcome.judged->result = verdict::fail;
  EXPECT_EQ(exit_code_of(outcome), exit_code::violation);
  outcome.environment_problem = "Redis is gone";
  EXPECT_EQ(exit_code_of(outcome), exit_code::environment);
}

TEST(Record, CountsTheFindingsOfAFaultNotTheExamplesOfThem) {
  const scratch_directory scratch;
  const results_directory results(scratch.path());
  plan what;
  what.faults.resize(1);
  what.faults[0].name = "crash";
  what.faults[0].kind = "redis_kill";
  run_outcome outcome;
  outcome.fault_evidence.resize(1);
  judgement& judged = outcome.judged.emplace();
  judged.result = verdict::fail;
  judged.faults.resize(1);
  judged.faults[0].findings = 250;
  finding lost;
  lost.kind = finding_kind::lost;
  lost.fault = 0;
  judged.examples = {lost, lost, lost};
  const report::run_record record = record_of(what, outcome, results, "7.0 managed", "again");
  ASSERT_EQ(record.faults.size(), 1U);
  EXPECT_EQ(record.faults[0].findings, 250U);
  EXPECT_EQ(record.examples.size(), 3U);
  EXPECT_FALSE(record.tool_version.empty());
}

scenario external_scenario(const std::string& kind, std::vector<fault::fault_class> allowed) {
  scenario what;
  what.redis.mode = redis_mode::external;
  what.redis.allowed_faults = std::move(allowed);
  fault_recipe recipe;
  recipe.name = "f";
  recipe.kind = kind;
  what.faults.push_back(recipe);
  return what;
}

TEST(Requirements, AnExternalRedisIsNotHarmed) {
  EXPECT_TRUE(why_refused(external_scenario("redis_kill", {fault::fault_class::process})));
  EXPECT_TRUE(why_refused(external_scenario("link_blackhole", {fault::fault_class::node})));
  EXPECT_FALSE(why_refused(external_scenario("link_blackhole", {fault::fault_class::link})));
  scenario managed = external_scenario("redis_kill", {});
  managed.redis.mode = redis_mode::managed;
  EXPECT_FALSE(why_refused(managed));
}

TEST(Requirements, MissingProgramIsAReasonToSkip) {
  target with;
  with.launch.emplace().required_programs = {"sh", "no-such-program-anywhere"};
  const auto reason = why_skipped({}, with);
  ASSERT_TRUE(reason);
  EXPECT_NE(reason->find("no-such-program-anywhere"), std::string::npos);
  with.launch->required_programs = {"sh"};
  EXPECT_FALSE(why_skipped({}, with));
  with.launch.reset();
  EXPECT_TRUE(why_skipped({}, with));
}

}  // namespace
}  // namespace ordeal::harness
