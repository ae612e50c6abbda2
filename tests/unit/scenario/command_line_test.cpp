// The verbs as a user calls them, with captured streams; running itself is replaced by a recorder.
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

#include "harness/cli/verbs.h"

namespace ordeal::harness {
namespace {

namespace fs = std::filesystem;

const fs::path source_root = ORDEAL_SOURCE_ROOT;
const std::string first_look = (source_root / "scenarios/examples/first-look.yaml").string();

class CommandLine : public testing::Test {
 protected:
  exit_code call(const std::vector<std::string>& arguments) {
    out_.str("");
    err_.str("");
    ran_.reset();
    verified_.reset();
    shown_.reset();
    const auto run = [this](const run_options& options) {
      ran_ = options;
      return exit_code::inconclusive;
    };
    const auto verify = [this](const verify_options& options) {
      verified_ = options;
      return exit_code::violation;
    };
    const auto show = [this](const show_history_options& options) {
      shown_ = options;
      return exit_code::inconclusive;
    };
    const world where{out_, err_, source_root, fault::kinds(), drivers_, run, verify, show};
    return run_command_line(arguments, where);
  }
  std::string out() const { return out_.str(); }
  std::string err() const { return err_.str(); }

  std::string write_file(const std::string& name, const std::string& text) {
    const fs::path path = fs::path(testing::TempDir()) / name;
    std::ofstream(path) << text;
    return path.string();
  }

  const std::vector<std::string> drivers_{"signalr"};
  std::ostringstream out_, err_;
  std::optional<run_options> ran_;
  std::optional<verify_options> verified_;
  std::optional<show_history_options> shown_;
};

TEST_F(CommandLine, RunPassesFlagsOn) {
  EXPECT_EQ(call({"run",     "--seed", "7",        "--set",          "nodes=5",     "--set",
                  "x=a=b",   "a.yaml", "b.yaml",   "--target=other", "--results",   "r",
                  "--junit", "j.xml",  "--as",     "strict",         "--progress",  "plain",
                  "--color", "never",  "--format", "json",           "--log-level", "debug"}),
            exit_code::inconclusive);
  ASSERT_TRUE(ran_);
  EXPECT_EQ(ran_->files, (std::vector<std::string>{"a.yaml", "b.yaml"}));
  EXPECT_EQ(ran_->seed, 7U);
  EXPECT_EQ(ran_->target, "other");
  const std::vector<std::pair<std::string, std::string>> variables{{"nodes", "5"}, {"x", "a=b"}};
  EXPECT_EQ(ran_->variables, variables);
  EXPECT_EQ(ran_->results_dir, "r");
  EXPECT_EQ(ran_->junit_file, "j.xml");
  EXPECT_TRUE(ran_->is_strict);
  EXPECT_EQ(ran_->progress, progress_mode::plain);
  EXPECT_EQ(ran_->color, color_mode::never);
  EXPECT_EQ(ran_->format, output_format::json);
  EXPECT_EQ(ran_->log_level, "debug");
}

TEST_F(CommandLine, RunHasDefaults) {
  call({"run", "a.yaml"});
  ASSERT_TRUE(ran_);
  EXPECT_FALSE(ran_->seed);
  EXPECT_FALSE(ran_->target);
  EXPECT_EQ(ran_->results_dir, "results");
  EXPECT_EQ(ran_->log_level, "warn");
  EXPECT_FALSE(ran_->is_strict);
  EXPECT_EQ(ran_->history, history_mode::full);
}

TEST_F(CommandLine, HistoryIsKeptAsFarAsWanted) {
  call({"run", "a.yaml", "--history", "violations"});
  ASSERT_TRUE(ran_);
  EXPECT_EQ(ran_->history, history_mode::violations);
  ::setenv("ORDEAL_HISTORY", "none", 1);
  call({"run", "a.yaml"});
  ::unsetenv("ORDEAL_HISTORY");
  ASSERT_TRUE(ran_);
  EXPECT_EQ(ran_->history, history_mode::none);
  EXPECT_EQ(call({"run", "a.yaml", "--history", "everything"}), exit_code::bad_command_line);
  EXPECT_NE(err().find("allowed: full, violations, none"), std::string::npos) << err();
}

TEST_F(CommandLine, VerifyPassesFlagsOn) {
  EXPECT_EQ(call({"verify", "results/latest", "--as", "strict", "--format", "json"}),
            exit_code::violation);
  ASSERT_TRUE(verified_);
  EXPECT_EQ(verified_->run, "results/latest");
  EXPECT_TRUE(verified_->is_strict);
  EXPECT_EQ(verified_->format, output_format::json);
  EXPECT_EQ(call({"verify"}), exit_code::bad_command_line);
}

TEST_F(CommandLine, HistoryPassesFlagsOn) {
  EXPECT_EQ(call({"history", "results/latest", "--from", "-0.5", "--to", "17.25", "--client",
                  "client-3", "--node=2", "--message", "client-3#17@room-1", "--kind",
                  "delivered,tapped", "--limit", "10"}),
            exit_code::inconclusive);
  ASSERT_TRUE(shown_);
  EXPECT_EQ(shown_->run, "results/latest");
  EXPECT_EQ(shown_->wanted.from, "-0.5");
  EXPECT_EQ(shown_->wanted.to, "17.25");
  EXPECT_EQ(shown_->wanted.client, "client-3");
  EXPECT_EQ(shown_->wanted.node, "2");
  EXPECT_EQ(shown_->wanted.message, "client-3#17@room-1");
  EXPECT_EQ(shown_->wanted.kinds, "delivered,tapped");
  EXPECT_EQ(shown_->limit, 10U);
  call({"history", "results/latest"});
  ASSERT_TRUE(shown_);
  EXPECT_EQ(shown_->limit, std::numeric_limits<std::uint64_t>::max());
  for (const char* limit : {"0", "-1", "ten"}) {
    EXPECT_EQ(call({"history", "results/latest", "--limit", limit}), exit_code::bad_command_line);
    EXPECT_EQ(err(), "error: --limit: '" + std::string(limit) +
                         "' is no number of lines\n  = a whole number from 1\n");
  }
}

TEST_F(CommandLine, AListHasTheFirstSentenceOfAnExplanation) {
  EXPECT_EQ(call({"list", "checks"}), exit_code::pass);
  EXPECT_NE(out().find("late             Nothing arrives later"), std::string::npos) << out();
  EXPECT_EQ(out().find("Inconclusive"), std::string::npos) << out();
  EXPECT_EQ(call({"explain", "delivery"}), exit_code::pass);
  EXPECT_NE(out().find("Inconclusive"), std::string::npos) << out();
}

TEST_F(CommandLine, FlagsHaveEnvironmentTwins) {
  ::setenv("ORDEAL_SEED", "11", 1);
  ::setenv("ORDEAL_LOG_LEVEL", "info", 1);
  call({"run", "a.yaml", "--log-level", "error"});
  ::unsetenv("ORDEAL_SEED");
  ::unsetenv("ORDEAL_LOG_LEVEL");
  ASSERT_TRUE(ran_);
  EXPECT_EQ(ran_->seed, 11U);
  EXPECT_EQ(ran_->log_level, "error");
}

TEST_F(CommandLine, MistakesAreExplained) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> mistakes{
      {{"rnu", "a.yaml"}, "error: unknown verb 'rnu'\n  = did you mean 'run'?\n"},
      {{"run", "a.yaml", "--sed", "1"},
       "error: unknown flag '--sed' of `ordeal run`\n  = did you mean '--seed'?\n"},
      {{"run", "a.yaml", "--seed", "0x1"},
       "error: --seed: '0x1' is not a whole number\n  = decimal digits, like 42\n"},
      {{"run", "a.yaml", "--set", "nodes"},
       "error: --set: 'nodes' has no name or no '='\n  = --set nodes=5\n"},
      {{"run", "a.yaml", "--progress", "plian"},
       "error: --progress: 'plian' is not known\n  = did you mean 'plain'?\n"},
      {{"run", "a.yaml", "--format", "xml"},
       "error: --format: 'xml' is not known\n  = allowed: text, json\n"},
      {{"run", "a.yaml", "--seed", "-1"},
       "error: --seed: '-1' is not a whole number\n  = decimal digits, like 42\n"},
      {{"run", "a.yaml", "--seed"},
       "error: --seed needs a value\n  = `ordeal run --help` shows how it is used\n"},
      {{"plan", "a.yaml", "b.yaml", "c.yaml"},
       "error: 'b.yaml' is one argument too many\n  = `ordeal plan --help` shows how it is "
       "used\n"},
      {{"run"}, "error: FILE is required\n  = `ordeal run --help` shows how it is used\n"},
      {{"list", "fault"}, "error: there is no list of 'fault'\n  = did you mean 'faults'?\n"},
      {{"explain", "redis_kil"},
       "error: there is nothing called 'redis_kil'\n  = did you mean 'redis_kill'?\n"},
      {{"conform", "reference", "--only", "outage/redis-crush"},
       "error: no conformance scenario has the id or tag 'outage/redis-crush'\n  = did you mean "
       "'outage/redis-crash'?\n"},
  };
  for (const auto& [arguments, text] : mistakes) {
    EXPECT_EQ(call(arguments), exit_code::bad_command_line);
    EXPECT_EQ(err(), text);
    EXPECT_EQ(out(), "");
    EXPECT_FALSE(ran_);
  }
  EXPECT_EQ(call({}), exit_code::bad_command_line);
  EXPECT_NE(err().find("Usage: ordeal VERB"), std::string::npos);
}

TEST_F(CommandLine, AMistakeInTheEnvironmentIsNamedThere) {
  ::setenv("ORDEAL_SEED", "abc", 1);
  EXPECT_EQ(call({"run", "a.yaml"}), exit_code::bad_command_line);
  EXPECT_TRUE(err().starts_with("error: ORDEAL_SEED: 'abc' is not a whole number")) << err();
  EXPECT_EQ(call({"run", "a.yaml", "--seed=x"}), exit_code::bad_command_line);
  EXPECT_TRUE(err().starts_with("error: --seed: 'x' is not a whole number")) << err();
  ::unsetenv("ORDEAL_SEED");
}

TEST_F(CommandLine, ShippedScenariosAreKnownByTheirIds) {
  call({"run", "examples/first-look"});
  ASSERT_TRUE(ran_);
  EXPECT_EQ(ran_->files, std::vector<std::string>{first_look});
  EXPECT_EQ(call({"plan", "examples/first-look"}), exit_code::pass);
  EXPECT_EQ(call({"validate", "examples/first-look"}), exit_code::pass);
  EXPECT_EQ(call({"plan", "examples/first-lok"}), exit_code::invalid_file);
  EXPECT_NE(err().find("`ordeal list scenarios`"), std::string::npos) << err();
}

TEST_F(CommandLine, AFileOfTheOtherKindIsOneProblem) {
  const std::string target = (source_root / "targets/reference/target.yaml").string();
  EXPECT_EQ(call({"plan", target}), exit_code::invalid_file);
  EXPECT_TRUE(err().starts_with("error: this is a target file, not a scenario")) << err();
  EXPECT_EQ(err().find("error:", 1), std::string::npos) << err();
  EXPECT_EQ(call({"conform", first_look}), exit_code::invalid_file);
  EXPECT_TRUE(err().starts_with("error: this is a scenario file, not a target")) << err();
  EXPECT_EQ(err().find("error:", 1), std::string::npos) << err();
}

TEST_F(CommandLine, AnEmptyListSaysWhy) {
  const world nowhere{out_, err_, "/nowhere", fault::kinds(), drivers_, {}, {}};
  EXPECT_EQ(run_command_line({"list", "scenarios"}, nowhere), exit_code::nothing_ran);
  EXPECT_NE(err().find("ORDEAL_SHARE"), std::string::npos);
}

TEST_F(CommandLine, HelpIsWrittenForPeople) {
  EXPECT_EQ(call({"help", "run"}), exit_code::pass);
  EXPECT_NE(out().find("Usage: ordeal run [OPTIONS] FILE..."), std::string::npos) << out();
  EXPECT_NE(out().find("ORDEAL_SEED=7"), std::string::npos) << out();
  for (const char* jargon : {"REQUIRED", "TEXT", "(Env:"})
    EXPECT_EQ(out().find(jargon), std::string::npos) << out();
}

TEST_F(CommandLine, HelpGoesToStdout) {
  EXPECT_EQ(call({"--help"}), exit_code::pass);
  EXPECT_NE(out().find("  conform   "), std::string::npos);
  EXPECT_EQ(call({"run", "--help"}), exit_code::pass);
  EXPECT_NE(out().find("Usage: ordeal run"), std::string::npos);
  EXPECT_NE(out().find("--seed"), std::string::npos);
  EXPECT_EQ(err(), "");
}

TEST_F(CommandLine, ValidateSaysOkOrShowsEveryProblem) {
  const std::string target = (source_root / "targets/reference/target.yaml").string();
  EXPECT_EQ(call({"validate", first_look, target}), exit_code::pass);
  EXPECT_EQ(out(), first_look + ": ok\n" + target + ": ok\n");
  EXPECT_EQ(err(), "");
  const std::string bad = write_file("bad.yaml", "schema_version: 1\nnam: x\n");
  EXPECT_EQ(call({"validate", first_look, bad}), exit_code::invalid_file);
  EXPECT_EQ(out(), first_look + ": ok\n");
  EXPECT_NE(err().find("unknown key 'nam' at the top level"), std::string::npos);
  EXPECT_NE(err().find("did you mean 'name'?"), std::string::npos);
  EXPECT_EQ(call({"validate", "/nowhere.yaml"}), exit_code::invalid_file);
  EXPECT_NE(err().find("cannot read '/nowhere.yaml': there is no such file"), std::string::npos);
  EXPECT_EQ(call({"validate", (source_root / "scenarios").string()}), exit_code::pass);
  EXPECT_EQ(call({"validate", first_look, "--set", "node=4"}), exit_code::invalid_file);
  EXPECT_NE(err().find("did you mean 'nodes'?"), std::string::npos);
  EXPECT_EQ(call({"validate", bad, "--format", "json"}), exit_code::invalid_file);
  const auto parsed = boost::json::parse(out());
  EXPECT_EQ(parsed.at(0).at("ok"), false);
  EXPECT_EQ(parsed.at(0).at("problems").as_array().back().at("line"), 2);
  EXPECT_EQ(err(), "");
}

TEST_F(CommandLine, ValidateFollowsTheScenarioToItsTarget) {
  write_file("broken-target.yaml", "schema_version: 1\nname: t\ndriver: signlr\n");
  const std::string file =
      write_file("follow.yaml",
                 "schema_version: 1\nname: f\ntarget: { name: ./broken-target.yaml }\nphases:\n  - "
                 "{ name: steady, duration: 1s }\n");
  EXPECT_EQ(call({"validate", file}), exit_code::invalid_file);
  EXPECT_NE(err().find("did you mean 'signalr'?"), std::string::npos);
}

TEST_F(CommandLine, PlanIsReproducible) {
  EXPECT_EQ(call({"plan", first_look, "--seed", "42"}), exit_code::pass);
  const std::string first = out();
  EXPECT_NE(first.find("crash         redis_kill"), std::string::npos) << first;
  EXPECT_NE(first.find("tell_nodes_after: 1s"), std::string::npos) << first;
  call({"plan", first_look, "--seed", "42"});
  EXPECT_EQ(out(), first);
  EXPECT_EQ(call({"plan", first_look, "--format", "json", "--set", "nodes=5"}), exit_code::pass);
  const auto parsed = boost::json::parse(out());
  EXPECT_EQ(parsed.at("nodes"), 5);
  EXPECT_EQ(parsed.at("clients").as_array().size(), 40U);
  EXPECT_EQ(parsed.at("faults").at(0).at("at_s").to_number<double>(), 5.0);
  EXPECT_EQ(call({"plan", first_look, "--target", "nobody"}), exit_code::invalid_file);
  EXPECT_NE(err().find("there is no target 'nobody'"), std::string::npos);
}

TEST_F(CommandLine, ConformSelects) {
  EXPECT_EQ(call({"conform", "reference"}), exit_code::inconclusive);
  ASSERT_TRUE(ran_);
  EXPECT_GE(ran_->files.size(), 4U);
  EXPECT_EQ(ran_->target, "reference");
  call({"conform", "reference", "--only", "outage/redis-*", "--only", "auth", "--skip",
        "auth/rotate-then-kill", "--skip", "outage/redis-restart-empty"});
  ASSERT_TRUE(ran_);
  ASSERT_EQ(ran_->files.size(), 1U);
  EXPECT_TRUE(ran_->files[0].ends_with("outage/redis-crash.yaml"));
  EXPECT_EQ(call({"conform", "reference", "--only", "outage", "--skip", "conformance"}),
            exit_code::nothing_ran);
  EXPECT_EQ(call({"conform", "referense"}), exit_code::invalid_file);
  EXPECT_NE(err().find("did you mean 'reference'?"), std::string::npos);
  EXPECT_FALSE(ran_);
}

TEST_F(CommandLine, RunTakesFolders) {
  const fs::path folder = source_root / "scenarios/conformance/outage";
  const auto scenario_count = std::distance(fs::directory_iterator(folder), {});
  call({"run", folder.string()});
  ASSERT_TRUE(ran_);
  EXPECT_EQ(ran_->files.size(), static_cast<std::size_t>(scenario_count));
  fs::create_directories(fs::path(testing::TempDir()) / "no-scenarios");
  EXPECT_EQ(call({"run", testing::TempDir() + "/no-scenarios"}), exit_code::nothing_ran);
  EXPECT_FALSE(ran_);
}

TEST_F(CommandLine, ListsEverything) {
  const std::vector<std::pair<std::string, std::string>> expected{
      {"scenarios", "conformance/outage/redis-crash"},
      {"targets", "reference"},
      {"faults", "redis_kill"},
      {"checks", "acknowledgement"},
      {"metrics", "recovery_time"},
      {"drivers", "signalr"}};
  for (const auto& [subject, item] : expected) {
    EXPECT_EQ(call({"list", subject}), exit_code::pass);
    EXPECT_NE(out().find(item), std::string::npos) << subject;
    EXPECT_EQ(call({"list", subject, "--format", "json"}), exit_code::pass);
    bool is_found = false;
    const auto parsed = boost::json::parse(out());
    for (const auto& entry : parsed.as_array())
      is_found = is_found || entry.at("id").as_string() == item;
    EXPECT_TRUE(is_found) << out();
  }
}

TEST_F(CommandLine, ExplainsEveryKindOfId) {
  const std::vector<std::pair<std::string, std::string>> expected{
      {"redis_password", "with.change"},
      {"total_order", "check total_order"},
      {"recovery_time", "metric recovery_time"},
      {"silent_loss", "finding silent_loss"},
      {"inconclusive", "verdict inconclusive"},
      {"6", "exit code 6"},
      {"exit code 5", "exit code 5\n  inconclusive: nothing wrong was seen"},
      {"kick", "parameter of redis_password\n  with.kick: true or false"},
      {"faults[0].with.kick", "parameter of redis_password"},
      {"faults[].at", "scenario key faults[].at"},
      {"faults[2].at", "scenario key faults[].at"},
      {"load.publish.rate", "default  100/s"},
      {"contract.order", "total, per_sender, none"},
      {"scenario", "    faults"},
      {"target", "target file"},
      {"persistence", "backplane.redis.persistence"}};
  for (const auto& [id, text] : expected) {
    EXPECT_EQ(call({"explain", id}), exit_code::pass) << id;
    EXPECT_NE(out().find(text), std::string::npos) << id << "\n" << out();
  }
}

TEST_F(CommandLine, VersionIsShort) {
  EXPECT_EQ(call({"version"}), exit_code::pass);
  EXPECT_TRUE(out().starts_with("ordeal "));
  call({"version", "--format", "json"});
  EXPECT_EQ(boost::json::parse(out()).at("schema_version"), 1);
}

}  // namespace
}  // namespace ordeal::harness
