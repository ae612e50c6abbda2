// The whole program on real input: launch, break, verify, report.
#include <signal.h>
#include <sys/stat.h>

#include <algorithm>
#include <boost/json/value_to.hpp>
#include <sstream>

#include "tests/integration/system/ordeal_run.h"
#include "tests/support/redis_server.h"

namespace ordeal::test {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

TEST_F(ordeal_run, ShortRunPassesAndLeavesCompleteResults) {
  const fs::path scenario = write("small.yaml", small_scenario(2));
  const auto run = start(scenario, {"--seed", "7"});
  ASSERT_EQ(run->wait(run_limit), 0) << run->err();
  EXPECT_TRUE(run->out().ends_with("result: 1 passed, 0 failed, 0 skipped\n")) << run->out();

  const json::value found = summary();
  EXPECT_EQ(found.at("verdict"), "pass");
  EXPECT_EQ(found.at("seed").to_number<int>(), 7);
  EXPECT_GT(found.at("totals").at("sent").to_number<int>(), 90);
  EXPECT_EQ(found.at("totals").at("obligations"), found.at("totals").at("delivered"));
  EXPECT_EQ(found.at("totals").at("obligations").to_number<int>(),
            4 * found.at("totals").at("ok").to_number<int>());
  for (const char* name : {"run.json", "events.jsonl", "series.jsonl", "junit.xml", "scenario.yaml",
                           "logs/node-1.log"}) {
    EXPECT_TRUE(fs::exists(results(name))) << name;
  }
  EXPECT_EQ(json::parse(read_file(results("run.json"))).at("state"), "finished");
}

// Both readers are gone long before the verdict: neither it nor a file changes.
TEST_F(ordeal_run, ReadersThatGoAwayChangeNeitherVerdictNorFiles) {
  const fs::path scenario = write("small.yaml", small_scenario(2));
  const std::string line = "exec " + binaries() + "/ordeal run " + scenario.string() +
                           " --results " + (scratch_.path() / "results").string() + " --junit " +
                           (scratch_.path() / "junit.xml").string();
  command program(
      {"bash", "-c", "(" + line + " 2> >(head -c 1 >&2)) | true; echo ${PIPESTATUS[0]}"},
      scratch_.path());
  ASSERT_EQ(program.wait(run_limit), 0);
  EXPECT_EQ(program.out(), "0\n") << program.err();
  EXPECT_EQ(summary().at("verdict"), "pass");
  EXPECT_NE(read_file(scratch_.path() / "junit.xml").find("</testsuites>"), std::string::npos);
  EXPECT_FALSE(fs::is_symlink(scratch_.path() / "results/current"));
}

TEST_F(ordeal_run, ClosedStreamsAreNoFault) {
  const fs::path scenario = write("small.yaml", small_scenario(1));
  const std::string line = binaries() + "/ordeal run " + scenario.string() + " --results " +
                           (scratch_.path() / "results").string();
  command program({"bash", "-c", line + " <&- >&- 2>&-; echo $?"}, scratch_.path());
  ASSERT_EQ(program.wait(run_limit), 0);
  EXPECT_EQ(program.out(), "0\n") << program.err();
  EXPECT_EQ(summary().at("verdict"), "pass");
}

TEST_F(ordeal_run, TooFewDescriptorsAreTheSystemsFaultAndSayWhatToSet) {
  const fs::path scenario = write("small.yaml", small_scenario(1));
  // Who is privileged could raise the limit again.
  const std::string shell =
      "if [ $(id -u) = 0 ]; then exec setpriv --bounding-set=-sys_resource \"$@\"; fi; exec \"$@\"";
  const std::string line = "ulimit -n 8; exec " + binaries() + "/ordeal run " + scenario.string() +
                           " --results " + (scratch_.path() / "results").string();
  command program({"bash", "-c", shell, "bash", "bash", "-c", line}, scratch_.path());
  EXPECT_EQ(program.wait(run_limit), 6) << program.err();
  EXPECT_NE(program.err().find("ulimit -Hn "), std::string::npos) << program.err();
  EXPECT_EQ(program.err().find("logs"), std::string::npos) << program.err();
}

TEST_F(ordeal_run, SurvivesACrashOfRedis) {
  const fs::path scenario =
      write("crash.yaml",
            small_scenario(
                5, "faults:\n  - { name: crash, at: steady+1s, kind: redis_kill, for: 1s }\n"));
  const auto run = start(scenario);
  ASSERT_EQ(run->wait(run_limit), 0) << run->out() << run->err();
  const json::value crash = summary().at("faults").at(0);
  EXPECT_EQ(crash.at("state"), "healed");
  EXPECT_GE(crash.at("active_s").to_number<double>(), 1.0);
  EXPECT_EQ(crash.at("recovery_s").as_object().size(), 2U);
}

TEST_F(ordeal_run, TypoInAScenarioIsNamedWithItsPlaceAndASuggestion) {
  std::string text = small_scenario(2);
  text.replace(text.find("duration"), 8, "duraton");
  const auto run = start(write("typo.yaml", text));
  EXPECT_EQ(run->wait(run_limit), 3);
  EXPECT_NE(run->err().find("did you mean 'duration'?"), std::string::npos) << run->err();
  EXPECT_NE(run->err().find("typo.yaml:13:"), std::string::npos) << run->err();
  EXPECT_FALSE(fs::exists(scratch_.path() / "results/latest"));
}

TEST_F(ordeal_run, MissingRedisServerSaysWhatToInstall) {
  fs::create_directory(scratch_.path() / "empty");
  const auto run = start(write("small.yaml", small_scenario(2)), {},
                         {{"PATH", (scratch_.path() / "empty").string()}});
  EXPECT_EQ(run->wait(run_limit), 6);
  EXPECT_NE(run->err().find("redis-server"), std::string::npos) << run->err();
  EXPECT_NE(run->err().find("install"), std::string::npos) << run->err();
}

// A scenario whose `redis:` line is another one.
std::string with_redis(const std::string& more) {
  std::string text = small_scenario(1);
  const std::string end = "password: generated } }";
  text.replace(text.find(end), end.size(), "password: generated }, " + more + " }");
  return text;
}

TEST_F(ordeal_run, ADirectiveThatTheServerRefusesIsAFaultOfTheFile) {
  const auto run = start(write("small.yaml", with_redis("config: { maxmemoryy: 64mb }")));
  EXPECT_EQ(run->wait(run_limit), 3) << run->out() << run->err();
  EXPECT_NE(run->err().find("small.yaml:6:"), std::string::npos) << run->err();
  EXPECT_NE(run->err().find("redis-server refuses 'maxmemoryy 64mb': Bad directive"),
            std::string::npos)
      << run->err();
}

TEST_F(ordeal_run, AMissingServerProgramIsNamed) {
  const auto run = start(write("small.yaml", with_redis("server: no-such-server")));
  EXPECT_EQ(run->wait(run_limit), 6) << run->out() << run->err();
  EXPECT_NE(run->err().find("cannot find no-such-server"), std::string::npos) << run->err();
  EXPECT_NE(run->err().find("backplane.redis.server"), std::string::npos) << run->err();
}

// Directives take effect, node limits too, and the results say which server it was.
TEST_F(ordeal_run, AnotherServerProgramWithDirectivesAndNodeLimits) {
  const fs::path server = write("my-server", "#!/bin/sh\nexec redis-server \"$@\"\n");
  fs::permissions(server, fs::perms::owner_all);
  std::string text = with_redis("server: ./my-server, config: { maxmemory: 77mb }");
  text.replace(text.find("duration: 1s"), 12, "duration: 5s");
  text.replace(text.find("nodes: 2"), 8, "nodes: 2, limits: { descriptors: 99 }");
  const auto run = start(write("small.yaml", text));
  ASSERT_TRUE(is_under_load(*run)) << run->err();
  std::string limits;
  for (const pid_t pid : run->descendants()) {
    const std::string process = "/proc/" + std::to_string(pid);
    if (read_file(process + "/comm") != "ordeal-chat\n") continue;
    std::istringstream lines(read_file(process + "/limits"));
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with("Max open files")) limits += line + "\n";
    }
  }
  EXPECT_EQ(std::count(limits.begin(), limits.end(), '\n'), 2) << limits;
  EXPECT_NE(limits.find(" 99 "), std::string::npos) << limits;
  EXPECT_EQ(run->wait(run_limit), 0) << run->out() << run->err();
  const std::string redis = json::value_to<std::string>(summary().at("redis"));
  EXPECT_TRUE(redis.ends_with(" managed (" + server.string() + ")")) << redis;
}

// A target whose one node runs `command`, otherwise like the reference server.
std::string broken_target(const std::string& command) {
  return "schema_version: 1\n"
         "name: broken\n"
         "description: A node that never works.\n"
         "driver: signalr\n"
         "launch:\n"
         "  command: " +
         command +
         "\n"
         "  env: { ORDEAL_CHAT_REDIS_URL: \"${redis.url}\" }\n"
         "  ready: { http: /readyz, timeout: 1s }\n"
         "protocol:\n"
         "  path: /chat\n"
         "  join:    { send: Join, args: [\"${room}\", \"${cursor}\"], ack: true, cursor: result "
         "}\n"
         "  publish: { send: Send, args: [\"${room}\", \"${message_id}\", \"${payload}\"], ack: "
         "true }\n"
         "  receive: { on: Message, room: 0, cursor: 1, payload: 3 }\n"
         "  resume:  cursor\n"
         "contract: { delivery: every_message, order: total, duplicates: none, ack: appended, "
         "resume: true, recovery: 15s }\n";
}

TEST_F(ordeal_run, NodeThatNeverGetsReadyEndsTheRun) {
  const fs::path target = write("broken.yaml", broken_target("[sleep, \"60\"]"));
  const auto run = start(write("small.yaml", small_scenario(2, "", target.string())));
  EXPECT_EQ(run->wait(run_limit), 6);
  EXPECT_NE(run->err().find("not ready within 1 s"), std::string::npos) << run->err();
}

TEST_F(ordeal_run, NodeThatEndsAtOnceShowsItsLastWords) {
  const fs::path target =
      write("broken.yaml", broken_target("[sh, -c, \"echo no such luck; exit 3\"]"));
  const auto run = start(write("small.yaml", small_scenario(2, "", target.string())));
  EXPECT_EQ(run->wait(run_limit), 6);
  EXPECT_NE(run->err().find("exit code 3"), std::string::npos) << run->err();
  EXPECT_NE(run->err().find("no such luck"), std::string::npos) << run->err();
}

TEST_F(ordeal_run, PortInUseIsNamed) {
  // Both nodes are told to listen on one port: the second cannot.
  const fs::path target =
      write("broken.yaml",
            broken_target("[\"${bin}/ordeal-chat\", --listen, \"127.0.0.1:${redis.port}\"]"));
  const auto run = start(write("small.yaml", small_scenario(2, "", target.string())));
  EXPECT_EQ(run->wait(run_limit), 6);
  EXPECT_NE(run->err().find("Address already in use"), std::string::npos) << run->err();
}

// A mistake in a target file, what it is told with, and the exit code.
struct target_mistake {
  const char* name;
  std::string right, wrong, told;
  int exit_code;
  friend void PrintTo(const target_mistake& of, std::ostream* to) { *to << of.name; }
};

class ordeal_run_with_mistake : public ordeal_run,
                                public testing::WithParamInterface<target_mistake> {};

TEST_P(ordeal_run_with_mistake, EndsItBeforeTheLoadAndConvictsNobody) {
  const target_mistake& mistake = GetParam();
  std::string text = read_file(fs::path(ORDEAL_SOURCES) / "targets/reference/target.yaml");
  const auto at = text.find(mistake.right);
  ASSERT_NE(at, std::string::npos) << "the reference target has changed";
  text.replace(at, mistake.right.size(), mistake.wrong);
  const fs::path target = write("mistaken.yaml", text);
  const auto run = start(write("small.yaml", small_scenario(2, "", target.string())));
  EXPECT_EQ(run->wait(run_limit), mistake.exit_code);
  EXPECT_NE(run->err().find(mistake.told), std::string::npos) << run->err();
  EXPECT_EQ(summary().at("verdict"), "error");
  EXPECT_EQ(summary().at("totals").at("sent").to_number<int>(), 0);
}

INSTANTIATE_TEST_SUITE_P(
    TargetFile, ordeal_run_with_mistake,
    testing::Values(
        target_mistake{"Name", "on: Message", "on: Mesage",
                       "it came back as Message, argument 3 of 4 (counted from 0), not as Mesage",
                       3},
        target_mistake{"Payload", "payload: 3", "payload: 9", "look at protocol.receive in", 3},
        target_mistake{"Method", "send: Send", "send: Sent",
                       "answered with the error 'refused: unknown method", 3},
        target_mistake{"Arguments", "\"${room}\", \"${message_id}\", \"${payload}\"",
                       "\"${room}\", \"${payload}\"", "Send takes (room, clientMessageId, text)",
                       3},
        target_mistake{"Path", "path: /chat", "path: /chat2",
                       "answered HTTP 404; look at protocol.path", 3},
        target_mistake{"Password", "ORDEAL_CHAT_REDIS_PASSWORD_FILE: \"${redis.password_file}\"",
                       "ORDEAL_CHAT_REDIS_PASSWORD: \"wrong\"", "Redis answers WRONGPASS to node-1",
                       6}),
    [](const auto& of) { return std::string(of.param.name); });

TEST_F(ordeal_run, UnansweredSendsAreUnknownAndTheRunGoesOn) {
  const std::string faults =
      "faults:\n  - { name: freeze, at: steady+500ms, kind: redis_pause, for: 1s }\n";
  std::string text = small_scenario(3, faults);
  const std::string publish = "  publish:";
  text.insert(text.find(publish), "  client: { answer_timeout: 200ms }\n");
  const auto run = start(write("small.yaml", text));
  EXPECT_EQ(run->wait(run_limit), 0) << run->err();
  EXPECT_GT(summary().at("totals").at("info").to_number<int>(), 0);
  const json::value reasons = summary().at("reasons");
  const auto is_unanswered = [](const json::value& each) {
    return each.at("kind") == "send_unanswered";
  };
  EXPECT_TRUE(std::any_of(reasons.as_array().begin(), reasons.as_array().end(), is_unanswered))
      << run->out();
}

// Everything goes well: the Redis that is killed is not theirs.
TEST_F(ordeal_run, NodesThatUseAnotherRedisProveNothing) {
  redis_server theirs;
  std::string text = read_file(fs::path(ORDEAL_SOURCES) / "targets/reference/target.yaml");
  const std::string url = "\"${redis.url}\"";
  text.replace(text.find(url), url.size(),
               "\"redis://127.0.0.1:" + std::to_string(theirs.port()) + "\"");
  const std::string password = "    ORDEAL_CHAT_REDIS_PASSWORD_FILE";
  text.replace(text.find(password), password.size(), "    NOT_A_PASSWORD_FILE");
  const fs::path target = write("elsewhere.yaml", text);
  const std::string faults =
      "faults:\n  - { name: crash, at: steady+500ms, kind: redis_kill, for: 500ms }\n";
  const auto run = start(write("small.yaml", small_scenario(3, faults, target.string())));
  EXPECT_EQ(run->wait(run_limit), 5) << run->err();
  EXPECT_NE(run->out().find("nothing ever went through Redis; crash touched nobody"),
            std::string::npos)
      << run->out();
}

TEST_F(ordeal_run, ANodeThatLooksForRedisElsewhereIsToldOfSoon) {
  std::string text = read_file(fs::path(ORDEAL_SOURCES) / "targets/reference/target.yaml");
  for (const auto& [was, is] : {std::pair("\"${redis.url}\"", "\"redis://127.0.0.1:1\""),
                                std::pair("timeout: 20s", "timeout: 7s")}) {
    ASSERT_NE(text.find(was), std::string::npos) << was;
    text.replace(text.find(was), std::string(was).size(), is);
  }
  const fs::path target = write("nowhere.yaml", text);
  const auto run = start(write("small.yaml", small_scenario(1, "", target.string())));
  EXPECT_EQ(run->wait(run_limit), 6) << run->err();
  const std::string why = "no 200 from /readyz (it answers 503: connecting for ";
  const std::string advice = "; it has not connected to the Redis under test: look at ";
  for (const char* begin : {" is not ready after 5 s: ", " was not ready within 7 s: "}) {
    const auto at = run->err().find(begin + why);
    ASSERT_NE(at, std::string::npos) << begin << run->err();
    EXPECT_LT(run->err().find(advice, at), run->err().find('\n', at)) << run->err();
  }
}

TEST_F(ordeal_run, AFaultOfRedisNeedsATargetThatUsesIt) {
  const std::string text = read_file(fs::path(ORDEAL_SOURCES) / "targets/reference/target.yaml");
  const fs::path target = write("alone.yaml", text + "backplane: none\n");
  const std::string faults =
      "faults:\n  - { name: crash, at: steady+500ms, kind: redis_kill, for: 500ms }\n";
  const auto run = start(write("small.yaml", small_scenario(2, faults, target.string())));
  EXPECT_EQ(run->wait(run_limit), 3);
  EXPECT_NE(run->err().find("small.yaml:15"), std::string::npos) << run->err();
  EXPECT_NE(run->err().find("declares `backplane: none`"), std::string::npos) << run->err();
}

TEST_F(ordeal_run, UnwritableResultsEndBeforeAnythingStarts) {
  const fs::path file = write("results", "a file where the directory should be");
  const auto run = start(write("small.yaml", small_scenario(2)));
  EXPECT_EQ(run->wait(run_limit), 8);
  EXPECT_NE(run->err().find("results"), std::string::npos) << run->err();
}

TEST_F(ordeal_run, ResultsThatBecomeUnwritableEndTheRun) {
  const auto run = start(write("small.yaml", small_scenario(2)));
  ASSERT_TRUE(eventually([&] { return fs::exists(current("run.json")); }, run_limit));
  fs::create_directory(current("run.json.tmp"));
  EXPECT_EQ(run->wait(run_limit), 8) << run->out() << run->err();
  EXPECT_NE(run->err().find("run.json.tmp"), std::string::npos) << run->err();
}

TEST_F(ordeal_run, ReportsThatCannotBeWrittenAreNoPass) {
  const fs::path copy = scratch_.path() / "copy.xml";
  const auto run = start(write("small.yaml", small_scenario(2)), {"--junit", copy.string()});
  ASSERT_TRUE(eventually([&] { return fs::exists(current("run.json")); }, run_limit));
  fs::create_directory(current("summary.json.tmp"));
  const fs::path directory = fs::canonical(scratch_.path() / "results/current");
  EXPECT_EQ(run->wait(run_limit), 8) << run->out() << run->err();
  EXPECT_TRUE(run->out().starts_with("ERROR  small")) << run->out();
  EXPECT_TRUE(run->out().ends_with("result: 0 passed, 1 failed, 0 skipped\n")) << run->out();
  EXPECT_NE(read_file(copy).find("errors=\"1\""), std::string::npos) << read_file(copy);
  const std::string description = read_file(directory / "run.json");
  EXPECT_NE(description.find("\"state\":\"failed\""), std::string::npos) << description;
}

TEST_F(ordeal_run, WhatIsNoRegularFileIsNoScenario) {
  const auto pipe = scratch_.path() / "pipe.yaml";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  for (const fs::path& path : {pipe, fs::path("/dev/zero")}) {
    const auto run = start(path);
    EXPECT_EQ(run->wait(run_limit), 3) << path;
    EXPECT_NE(run->err().find("not a regular file"), std::string::npos) << run->err();
  }
  const auto run = start(write("small.yaml", small_scenario(2, "", pipe.string())));
  EXPECT_EQ(run->wait(run_limit), 3);
  EXPECT_NE(run->err().find("it is a pipe"), std::string::npos) << run->err();
}

TEST_F(ordeal_run, UnwritableJunitFileKeepsTheLastLineAndExitsWithEight) {
  const auto run = start(write("small.yaml", small_scenario(1)),
                         {"--junit", (scratch_.path() / "no/such/folder.xml").string()});
  EXPECT_EQ(run->wait(run_limit), 8) << run->out() << run->err();
  EXPECT_TRUE(run->out().ends_with("result: 1 passed, 0 failed, 0 skipped\n")) << run->out();
}

TEST_F(ordeal_run, MissingSecretIsNoBug) {
  std::string text = small_scenario(2);
  const std::size_t begin = text.find("  redis: {"), end = text.find('\n', begin);
  text.replace(begin, end - begin,
               "  redis: { mode: external, url: \"redis://chat@127.0.0.1:1/0\", "
               "password: { secret: main } }");
  text += "secrets: { main: { from_env: ORDEAL_TEST_NO_SUCH_VARIABLE } }\n";
  const auto run = start(write("external.yaml", text));
  EXPECT_EQ(run->wait(run_limit), 6) << run->err();
  EXPECT_NE(run->err().find("ORDEAL_TEST_NO_SUCH_VARIABLE is not set"), std::string::npos)
      << run->err();
}

TEST_F(ordeal_run, TerminatedDuringTheSetUpLeavesAtOnce) {
  std::string text = broken_target("[sleep, \"60\"]");
  text.replace(text.find("timeout: 1s"), 11, "timeout: 50s");
  const fs::path target = write("broken.yaml", text);
  const auto run = start(write("small.yaml", small_scenario(2, "", target.string())));
  const auto has_children = [&] { return run->descendants().size() >= 4; };
  ASSERT_TRUE(eventually(has_children, run_limit)) << run->err();
  const std::set<pid_t> children = run->descendants();
  run->signal(SIGTERM);
  EXPECT_EQ(run->wait(std::chrono::seconds(10)), 143) << run->err();
  for (const pid_t pid : children) {
    EXPECT_TRUE(eventually([pid] { return !is_alive(pid); }, std::chrono::seconds(10)))
        << "pid " << pid << " survived";
  }
}

TEST_F(ordeal_run, RedisKilledBySomebodyElseEndsTheRun) {
  const auto run = start(write("small.yaml", small_scenario(30)));
  ASSERT_TRUE(is_under_load(*run)) << run->err();
  for (const pid_t pid : run->descendants()) {
    if (read_file("/proc/" + std::to_string(pid) + "/comm") == "redis-server\n")
      ::kill(pid, SIGKILL);
  }
  EXPECT_EQ(run->wait(run_limit), 6);
  EXPECT_NE(run->err().find("redis-server ended"), std::string::npos) << run->err();
}

TEST_F(ordeal_run, FirstInterruptJudgesThePartialRun) {
  const auto run = start(write("small.yaml", small_scenario(60)));
  ASSERT_TRUE(is_under_load(*run)) << run->err();
  const std::set<pid_t> children = run->descendants();
  run->signal(SIGINT);
  EXPECT_EQ(run->wait(run_limit), 130) << run->err();
  EXPECT_NE(run->err().find("a second signal leaves at once"), std::string::npos) << run->err();
  EXPECT_EQ(summary().at("findings").at("lost").to_number<int>(), 0);
  EXPECT_GT(summary().at("totals").at("delivered").to_number<int>(), 0);
  for (const pid_t pid : children) EXPECT_FALSE(is_alive(pid));
}

TEST_F(ordeal_run, SecondInterruptLeavesAtOnceAndLeavesNobodyBehind) {
  const auto run = start(
      write("slow.yaml",
            small_scenario(
                60, "faults:\n  - { name: down, at: steady+1s, kind: redis_pause, for: 50s }\n")));
  ASSERT_TRUE(is_under_load(*run)) << run->err();
  const std::set<pid_t> children = run->descendants();
  EXPECT_GE(children.size(), 4U);  // the warden, Redis, two nodes
  run->signal(SIGINT);
  run->signal(SIGINT);
  run->signal(SIGTERM);
  EXPECT_TRUE(run->wait(std::chrono::seconds(10)).has_value());
  for (const pid_t pid : children) {
    EXPECT_TRUE(eventually([pid] { return !is_alive(pid); }, std::chrono::seconds(10)))
        << "pid " << pid << " survived";
  }
}

// Nobody sends them on purpose; and whoever stops the warden does not stop the run.
TEST_F(ordeal_run, StraySignalsDoNotEndARun) {
  const auto run = start(write("small.yaml", small_scenario(4)));
  ASSERT_TRUE(is_under_load(*run)) << run->err();
  pid_t warden = -1;
  for (const pid_t pid : run->descendants()) {
    if (read_file("/proc/" + std::to_string(pid) + "/comm") == "ordeal-warden\n") warden = pid;
  }
  ASSERT_GT(warden, 0);
  for (const int number : {SIGUSR1, SIGUSR2, SIGALRM, SIGVTALRM, SIGPROF, SIGPIPE, SIGIO, SIGPWR,
                           SIGXFSZ, SIGRTMIN + 1}) {
    run->signal(number);
    ::kill(warden, number);
  }
  ::kill(warden, SIGSTOP);
  EXPECT_EQ(run->wait(run_limit), 0) << run->out() << run->err();
  EXPECT_EQ(summary().at("verdict"), "pass");
}

class ordeal_run_ended_by : public ordeal_run, public testing::WithParamInterface<int> {};

// What the run kept to itself goes with it, however it goes.
TEST_P(ordeal_run_ended_by, LeavesNoSecretsBehind) {
  const auto run = start(write("small.yaml", small_scenario(60)));
  ASSERT_TRUE(is_under_load(*run)) << run->err();
  const auto folders = [&run] {
    std::vector<fs::path> found;
    for (const fs::path parent : {"/dev/shm", "/tmp"}) {
      for (const fs::directory_entry& entry : fs::directory_iterator(parent)) {
        const std::string begin = "ordeal-" + std::to_string(run->pid()) + "-";
        if (entry.path().filename().string().starts_with(begin)) found.push_back(entry.path());
      }
    }
    return found;
  };
  ASSERT_EQ(folders().size(), 1U);
  run->signal(GetParam());
  ASSERT_EQ(run->wait(run_limit), 128 + GetParam());
  EXPECT_TRUE(eventually([&] { return folders().empty(); }, std::chrono::seconds(20)))
      << folders().front();
}

INSTANTIATE_TEST_SUITE_P(Signals, ordeal_run_ended_by, testing::Values(SIGKILL, SIGQUIT, SIGABRT));

TEST_F(ordeal_run, KilledRunLeavesReadableResultsAndNobodyBehind) {
  const auto run = start(write("small.yaml", small_scenario(60)));
  ASSERT_TRUE(is_under_load(*run)) << run->err();
  const std::set<pid_t> children = run->descendants();
  EXPECT_GE(children.size(), 4U);
  run->signal(SIGKILL);
  ASSERT_EQ(run->wait(run_limit), 128 + SIGKILL);
  for (const pid_t pid : children) {
    EXPECT_TRUE(eventually([pid] { return !is_alive(pid); }, std::chrono::seconds(10)))
        << "pid " << pid << " survived";
  }
  EXPECT_EQ(json::parse(read_file(current("run.json"))).at("state"), "running");
  for (const char* name : {"events.jsonl", "series.jsonl"}) {
    std::ifstream file(current(name));
    std::size_t lines = 0;
    for (std::string line; std::getline(file, line); ++lines)
      EXPECT_NO_THROW(json::parse(line)) << name << ": " << line;
    EXPECT_GT(lines, 0U) << name;
  }
}

// A Redis that belongs to somebody: faults of links only, our keys gone afterwards, theirs untouched.
TEST_F(ordeal_run, ExternalRedisIsLeftAsItWas) {
  redis_server redis;
  redis.set_password("a-password-of-theirs");
  redis.command({"SET", "theirs", "precious"});
  const std::string scenario =
      "schema_version: 1\n"
      "name: external\n"
      "description: Somebody's Redis.\n"
      "tags: [test]\n"
      "secrets:\n"
      "  redis_password: { from_env: THEIR_PASSWORD }\n"
      "backplane:\n"
      "  redis:\n"
      "    mode: external\n"
      "    url: redis://127.0.0.1:" +
      std::to_string(redis.port()) +
      "/0\n"
      "    password: { secret: redis_password }\n"
      "    allow_faults: [client, node, link]\n"
      "target: { name: reference, nodes: 2 }\n"
      "load:\n"
      "  rooms: 1\n"
      "  clients: { per_node: 2, rooms_each: 1, ramp: 100ms }\n"
      "  publish: { rate: 50/s, payload: 128B, arrival: constant }\n"
      "phases:\n"
      "  - { name: steady, duration: 3s }\n"
      "faults:\n"
      "  - { name: cut, at: steady+500ms, kind: KIND, target: { node: 2 }, for: 1s }\n";
  const auto with = [&scenario](const std::string& kind, const std::string& victim) {
    std::string text = scenario;
    text.replace(text.find("KIND"), 4, kind);
    const std::string target = "target: { node: 2 }, ";
    if (victim == "redis") text.erase(text.find(target), target.size());
    return text;
  };
  const std::map<std::string, std::string> env{{"THEIR_PASSWORD", "a-password-of-theirs"}};

  const auto refused = start(write("kill.yaml", with("redis_kill", "redis")), {}, env);
  EXPECT_EQ(refused->wait(run_limit), 7) << refused->err();

  const auto run = start(write("cut.yaml", with("link_blackhole", "node")), {}, env);
  EXPECT_EQ(run->wait(run_limit), 0) << run->out() << run->err();
  EXPECT_EQ(redis.command({"GET", "theirs"})->text(), "precious");
  EXPECT_EQ(redis.command({"DBSIZE"})->integer(), 1);
}

// The marker is the generated password itself, taken from the nodes' password file while the run
// goes on; rotated once.
TEST_F(ordeal_run, NoPasswordOnACommandLineInALogOrInAResult) {
  const auto run = start(
      write("rotate.yaml",
            small_scenario(4,
                           "faults:\n  - { name: rotate, at: steady+2s, kind: redis_password, "
                           "with: { change: rotate, kick: true, tell_nodes_after: 500ms } }\n")));
  ASSERT_TRUE(is_under_load(*run)) << run->err();
  std::set<std::string> secrets;
  std::string command_lines;
  const auto look = [&] {
    for (const fs::path parent : {"/dev/shm", "/tmp"}) {
      for (const fs::directory_entry& entry : fs::directory_iterator(parent)) {
        if (entry.path().filename().string().rfind("ordeal-" + std::to_string(run->pid()) + "-",
                                                   0) != 0)
          continue;
        std::string secret = read_file(entry.path() / "redis-password");
        if (!secret.empty()) secrets.insert(secret.substr(0, secret.find('\n')));
      }
    }
    for (const pid_t pid : run->descendants())
      command_lines += read_file("/proc/" + std::to_string(pid) + "/cmdline");
    return !is_alive(run->pid());
  };
  ASSERT_TRUE(eventually(look, run_limit));
  EXPECT_EQ(run->wait(run_limit), 0) << run->out() << run->err();
  ASSERT_EQ(secrets.size(), 2U);
  EXPECT_NE(command_lines.find("ordeal-chat"), std::string::npos);
  std::size_t files = 0;
  for (const std::string& secret : secrets) {
    ASSERT_GE(secret.size(), 16U);
    EXPECT_EQ(command_lines.find(secret), std::string::npos);
    EXPECT_EQ(run->out().find(secret), std::string::npos);
    EXPECT_EQ(run->err().find(secret), std::string::npos);
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(scratch_.path())) {
      if (!entry.is_regular_file()) continue;
      ++files;
      EXPECT_EQ(read_file(entry.path()).find(secret), std::string::npos) << entry.path();
    }
  }
  EXPECT_GT(files, 10U);
}

TEST_F(ordeal_run, FaultThatNeverTookEffectIsInconclusive) {
  // Redis is down already when the second fault wants to pause it.
  const auto run = start(write(
      "overlap.yaml",
      small_scenario(6,
                     "faults:\n"
                     "  - { name: first, at: steady+1s, kind: redis_kill, for: 3s }\n"
                     "  - { name: second, at: steady+2s, kind: redis_pause, for: 500ms }\n")));
  EXPECT_EQ(run->wait(run_limit), 5) << run->out() << run->err();
  EXPECT_EQ(summary().at("faults").at(1).at("state"), "failed");
  EXPECT_NE(run->out().find("1 inconclusive"), std::string::npos) << run->out();
}

}  // namespace
}  // namespace ordeal::test
