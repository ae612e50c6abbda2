#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "harness/run/comparison.h"
#include "harness/run/placeholders.h"
#include "harness/run/private_directory.h"
#include "harness/run/record_of.h"
#include "harness/run/recorder.h"
#include "harness/run/requirements.h"
#include "harness/run/results_directory.h"
#include "reports/summary_json.h"
#include "tests/support/command.h"

namespace ordeal::harness {
namespace {

namespace fs = std::filesystem;
using test::read_file;
using test::scratch_directory;

TEST(Placeholders, ReplacesEveryNameAndTwoDollars) {
  const placeholder_values values{{"node.port", "4711"}, {"app", "a"}};
  EXPECT_EQ(substitute("127.0.0.1:${node.port}/${app}${app}", values), "127.0.0.1:4711/aa");
  EXPECT_EQ(substitute("$$5 and $HOME", values), "$5 and $HOME");
  EXPECT_EQ(substitute("", values), "");
}

TEST(Placeholders, DefaultStandsForWhatIsMissingOrEmpty) {
  const placeholder_values values{{"redis.user", ""}, {"app", "a"}};
  EXPECT_EQ(substitute("${redis.user:-default} ${app:-b} ${other:-}", values), "default a ");
  EXPECT_EQ(substitute("${redis.user}", values), "");
}

TEST(Placeholders, EnvironmentIsThatOfOrdeal) {
  ASSERT_EQ(::setenv("ORDEAL_TEST_KEY", "k", 1), 0);
  EXPECT_EQ(substitute("${env.ORDEAL_TEST_KEY}", {}), "k");
  ASSERT_EQ(::unsetenv("ORDEAL_TEST_KEY"), 0);
  EXPECT_EQ(substitute("${env.ORDEAL_TEST_KEY:-none}", {}), "none");
  EXPECT_THROW(substitute("${env.ORDEAL_TEST_KEY}", {}), std::runtime_error);
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
  std::optional<judgement> judged;
  ending end;
  EXPECT_EQ(exit_code_of(judged, end), exit_code::nothing_ran);
  judged.emplace().result = verdict::pass;
  EXPECT_EQ(exit_code_of(judged, end), exit_code::pass);
  end.signal = SIGINT;
  EXPECT_EQ(exit_code_of(judged, end), exit_code::interrupted);
  end.signal = SIGTERM;
  EXPECT_EQ(exit_code_of(judged, end), exit_code::terminated);
  judged->result = verdict::fail;
  EXPECT_EQ(exit_code_of(judged, end), exit_code::violation);
  end.problem = "Redis is gone";
  EXPECT_EQ(exit_code_of(judged, end), exit_code::environment);
}

TEST(Record, CountsTheFindingsOfAFaultNotTheExamplesOfThem) {
  terms what;
  what.faults.push_back({"crash", "redis_kill", "redis", {}});
  std::optional<judgement> judged;
  judged.emplace().result = verdict::fail;
  judged->faults.resize(1);
  judged->faults[0].findings = 250;
  finding lost;
  lost.kind = finding_kind::lost;
  lost.fault = 0;
  judged->examples = {lost, lost, lost};
  const report::run_record record = record_of(what, judged, judged->end, {});
  ASSERT_EQ(record.faults.size(), 1U);
  EXPECT_EQ(record.faults[0].findings, 250U);
  EXPECT_EQ(record.examples.size(), 3U);
  EXPECT_FALSE(record.tool_version.empty());
}

TEST(Record, SaysWhatTheRunWasJudgedBy) {
  terms what;
  what.promises.order = order_promise::per_sender;
  what.promises.recovery = std::chrono::seconds(20);
  EXPECT_EQ(record_of(what, std::nullopt, {}, {}).promised,
            "delivery every_message, order per_sender, duplicates none, ack appended, resume true, "
            "recovery 20s");
}

TEST(Record, AFindingKeepsItsSurroundings) {
  const message_id id{client_id(0), room_id(0), 5};
  surroundings around;
  around.hop = "Redis had it, node-2 did not";
  around.neighbours.push_back({id, std::chrono::seconds(17), node_id(1), outcome::ok, true, false});
  around.neighbours.push_back({id, {}, node_id(1), outcome::ok, false, true});
  around.last_deliveries.push_back({std::chrono::milliseconds(16'500), id});
  around.window_begins = std::chrono::seconds(17);
  finding lost;
  lost.messages = 812;
  lost.around = std::make_shared<const surroundings>(around);
  const report::finding_row row = row_of(lost, {});
  EXPECT_EQ(row.hop, around.hop);
  EXPECT_EQ(row.messages, 812U);
  ASSERT_EQ(row.neighbours.size(), 2U);
  EXPECT_EQ(row.neighbours[0].message, name_of(id));
  EXPECT_EQ(row.neighbours[0].outcome, "ok");
  EXPECT_EQ(row.neighbours[0].node, "node-2");
  EXPECT_FALSE(row.neighbours[0].has_arrived);
  EXPECT_EQ(row.neighbours[1].outcome, "pending");
  ASSERT_EQ(row.last_deliveries.size(), 1U);
  EXPECT_EQ(row.last_deliveries[0].first, 16.5);
  EXPECT_EQ(row.window_begins_s, 17.0);
  EXPECT_FALSE(row.window_ends_s);
}

TEST(Record, AHistoryThatStopsIsNeverAPass) {
  std::optional<judgement> judged;
  judged.emplace().result = verdict::inconclusive;
  judged->end.is_torn = judged->end.was_cut_short = true;
  judged->end.at = std::chrono::seconds(12);
  judged->observed = "every message";
  run_facts facts;
  facts.run_id = "20261122T074011Z-7f3a";
  const report::run_record record = record_of({}, judged, judged->end, facts);
  EXPECT_EQ(record.verdict, "inconclusive");
  EXPECT_EQ(record.exit_code, 5);
  EXPECT_FALSE(record.was_interrupted);
  EXPECT_EQ(record.duration_s, 12);
  EXPECT_EQ(record.observed, "every message");
  EXPECT_EQ(record.run_id, facts.run_id);
}

report::run_record small_record() {
  report::run_record record;
  record.verdict = "pass";
  record.checks = {{"order", "pass", "in order"}};
  record.findings = {{"lost", 0}};
  record.sent = 100;
  record.duration_s = 5;
  return record;
}

boost::json::value page_of(const report::run_record& record) {
  return boost::json::parse(report::summary_json(record));
}

TEST(Comparison, TimesAndWordsAreNoDifference) {
  report::run_record other = small_record();
  other.duration_s = 6;
  other.checks[0].detail = "said otherwise";
  other.server_cpu_us = 7;
  EXPECT_TRUE(differences(page_of(small_record()), page_of(other)).empty());
}

TEST(Comparison, EveryDifferenceIsNamed) {
  report::run_record other = small_record();
  other.verdict = "fail";
  other.checks = {{"order", "fail", ""}, {"delivery", "pass", ""}};
  other.findings[0].second = 3;
  other.sent = 99;
  const std::vector<std::string> expected{
      "check order: recorded pass, now fail", "findings lost: recorded 0, now 3",
      "totals sent: recorded 100, now 99", "verdict: recorded pass, now fail",
      "check delivery: not recorded, now pass"};
  EXPECT_EQ(differences(page_of(small_record()), page_of(other)), expected);
  EXPECT_EQ(differences(page_of(other), page_of(small_record())).back(),
            "verdict: recorded fail, now pass");
}

// A history in memory, with the troubles of one on disk.
class remembered_history final : public history_writer {
 public:
  struct memory {
    std::vector<event> events;
    bool is_finished = false;
    std::size_t findings = 0;
    std::uint64_t dropped = 0;
    std::string error;
  };
  explicit remembered_history(memory& to) : to_(to) {}

  void on(const event& what) override {
    EXPECT_FALSE(to_.is_finished);
    to_.events.push_back(what);
  }
  void tick() override {}
  void keep_surroundings() override {
    EXPECT_FALSE(to_.is_finished);
    ++to_.findings;
  }
  void finish() override { to_.is_finished = true; }
  std::uint64_t dropped_events() const override { return to_.dropped; }
  std::string error() const override { return to_.error; }

 private:
  memory& to_;
};

class Recorder : public testing::Test {
 protected:
  static terms one_client() {
    terms what;
    what.nodes = 1;
    what.rooms = {"r"};
    what.clients.resize(1);
    what.clients[0].rooms = {room_id(0)};
    return what;
  }
  // A run that publishes nothing.
  judgement run_to_end() {
    recorder_.begin(std::chrono::seconds(10));
    recorder_.on(phase_changed{std::chrono::seconds(10), phase_kind::declared, "steady"});
    return recorder_.conclude(run_ended{std::chrono::seconds(12), false, 0, {}});
  }
  static verdict check(const judgement& of, const std::string& id) {
    for (const check_result& each : of.checks)
      if (each.id == id) return each.result;
    ADD_FAILURE() << "there is no check " << id;
    return verdict::error;
  }

  const scratch_directory scratch_;
  remembered_history::memory kept_;
  recorder recorder_{one_client(), scratch_.path(), std::make_unique<remembered_history>(kept_)};
};

TEST_F(Recorder, TheHistoryHasWhatTheJudgeSawCountedFromTheFirstPhase) {
  recorder_.on(node_changed{std::chrono::seconds(4), node_id(0), node_state::ready, true, {}});
  EXPECT_TRUE(kept_.events.empty()) << "time zero is not known yet";
  const judgement judged = run_to_end();
  recorder_.on(node_changed{std::chrono::seconds(13), node_id(0), node_state::stopped, true, {}});
  ASSERT_EQ(kept_.events.size(), 3U);
  EXPECT_EQ(std::get<node_changed>(kept_.events[0]).at, std::chrono::seconds(-6));
  EXPECT_EQ(std::get<run_ended>(kept_.events[2]).at, std::chrono::seconds(2));
  EXPECT_EQ(judged.end.at, std::chrono::seconds(2));
  EXPECT_TRUE(kept_.is_finished);
  const std::string lines = read_file(scratch_.path() / "events.jsonl");
  EXPECT_NE(lines.find("\"stopped\""), std::string::npos) << "the end of the nodes is told";
}

TEST_F(Recorder, WhatTheHistoryHadNoRoomForReachesTheJudgeOnce) {
  recorder_.begin({});
  kept_.dropped = 7;
  recorder_.tick(std::chrono::seconds(1));
  recorder_.tick(std::chrono::seconds(2));
  ASSERT_EQ(kept_.events.size(), 1U);
  EXPECT_EQ(std::get<observer_usage>(kept_.events[0]).overflowed, 7U);
  EXPECT_EQ(check(run_to_end(), "observer"), verdict::inconclusive);
}

TEST_F(Recorder, ANodeThatEndsByItselfIsAFindingWithItsSurroundings) {
  recorder_.begin({});
  recorder_.on(
      node_changed{std::chrono::seconds(1), node_id(0), node_state::exited, false, "exit code 3"});
  EXPECT_EQ(kept_.findings, 1U);
}

TEST_F(Recorder, AHistoryThatCannotBeWrittenIsToldLikeEveryOtherFile) {
  EXPECT_EQ(recorder_.write_error(), "");
  kept_.error = "cannot write history/000001.history: No space left on device";
  EXPECT_EQ(recorder_.write_error(), kept_.error);
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
