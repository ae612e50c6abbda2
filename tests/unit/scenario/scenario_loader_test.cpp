#include "harness/scenario/scenario_loader.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "fault_kinds.h"
#include "harness/scenario/problem_list.h"
#include "harness/target/target_loader.h"
#include "harness/target/target_search.h"

namespace ordeal::harness {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

const fs::path source_root = ORDEAL_SOURCE_ROOT;

scenario load(const std::string& text, scenario_inputs inputs = {}) {
  const loaded_scenario loaded = parse_scenario(text, "/dir/s.yaml", test::fault_kinds(), inputs);
  EXPECT_TRUE(loaded.value) << render_all(loaded.problems, text);
  return loaded.value.value_or(scenario());
}

const std::string minimal =
    "schema_version: 1\nname: minimal\ntarget: { name: reference }\nphases:\n  - { name: steady, "
    "duration: 30s }\n";

TEST(ScenarioLoader, FillsInDefaults) {
  const scenario loaded = load(minimal);
  EXPECT_EQ(loaded.name, "minimal");
  EXPECT_EQ(loaded.nodes, 2U);
  EXPECT_EQ(loaded.redis.mode, redis_mode::managed);
  EXPECT_EQ(loaded.redis.persistence, fault::redis_persistence::aof);
  EXPECT_FALSE(loaded.redis.has_password);
  EXPECT_EQ(loaded.load.rooms, 1U);
  EXPECT_EQ(loaded.load.clients_per_node, 4U);
  EXPECT_EQ(loaded.load.send_period, 10ms);
  EXPECT_EQ(loaded.load.payload.bytes_min, 128U);
  EXPECT_EQ(loaded.load.payload.bytes_max, 128U);
  EXPECT_EQ(loaded.load.ramp, 1s);
  EXPECT_FALSE(loaded.load.reconnect_anywhere);
  EXPECT_EQ(loaded.load.answer_timeout, 30s);
  EXPECT_FALSE(loaded.load.silence_timeout) << "as the driver's published client";
  EXPECT_FALSE(loaded.phases.at(0).send_period);
  EXPECT_FALSE(loaded.seed);
  EXPECT_EQ(loaded.text, minimal);
}

TEST(ScenarioLoader, PhasesHaveRatesAndClientsPatience) {
  const scenario loaded = load(minimal +
                               "  - { name: quiet, duration: 1s, publish: { rate: 0/s } }\n"
                               "  - { name: burst, duration: 1s, publish: { rate: 1000/s } }\n"
                               "load: { client: { answer_timeout: 8s, silence_timeout: 12s } }\n");
  EXPECT_EQ(loaded.load.answer_timeout, 8s);
  EXPECT_EQ(loaded.load.silence_timeout, 12s);
  EXPECT_EQ(loaded.phases.at(1).send_period, 0s);
  EXPECT_EQ(loaded.phases.at(2).send_period, 1ms);
}

TEST(ScenarioLoader, ReadsEveryKey) {
  const scenario loaded = load(
      minimal +
      "seed: 7\ntags: [a, b]\nrequires: { capabilities: [netns] }\n"
      "backplane: { redis: { persistence: rdb, auth: { user: chat } } }\n"
      "load:\n  rooms: 2\n  clients: { per_node: 3, rooms_each: 2, ramp: 0s, reconnect: any }\n"
      "  publish: { rate: 30/m, payload: 1KiB, arrival: poisson }\n"
      "faults:\n"
      "  - { name: r, at: steady+1s, kind: redis_password, with: { change: rotate, kick: true } }\n"
      "  - { name: c, at: steady, kind: link_blackhole, target: { node: 2 }, for: 30s }\n"
      "  - { name: all, at: steady, kind: link_reset }\n"
      "expect:\n  - { metric: recovery_time, fault: r, max: 1500ms }\n"
      "  - { metric: late, max: 3 }\n  - { metric: delivery_latency, stat: p99, when: steady, max: "
      "1s, min: 1ms }\n");
  EXPECT_EQ(loaded.seed, 7U);
  EXPECT_EQ(loaded.tags, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(loaded.required_capabilities, std::vector<std::string>{"netns"});
  EXPECT_EQ(loaded.redis.persistence, fault::redis_persistence::rdb);
  EXPECT_TRUE(loaded.redis.has_password);
  EXPECT_EQ(loaded.redis.user, "chat");
  EXPECT_TRUE(loaded.load.reconnect_anywhere);
  EXPECT_EQ(loaded.load.arrival, arrival_kind::poisson);
  EXPECT_EQ(loaded.load.send_period, 2s);
  ASSERT_EQ(loaded.faults.size(), 3U);
  EXPECT_EQ(loaded.faults[0].offset, 1s);
  EXPECT_FALSE(loaded.faults[0].held);
  const std::map<std::string, std::string> with{{"change", "rotate"},
                                                {"kick", "true"},
                                                {"tell_nodes_after", "1000000000"},
                                                {"noise", "65536"},
                                                {"rounds", "1"}};
  EXPECT_EQ(loaded.faults[0].with, with);
  EXPECT_EQ(loaded.faults[1].nodes, std::vector<std::size_t>{1});
  EXPECT_EQ(loaded.faults[1].held, 30s);
  EXPECT_EQ(loaded.faults[2].nodes, (std::vector<std::size_t>{0, 1}));
  ASSERT_EQ(loaded.expectations.size(), 3U);
  EXPECT_EQ(loaded.expectations[0].stat, expected_stat::max);
  EXPECT_EQ(loaded.expectations[0].max, 1.5);
  EXPECT_EQ(loaded.expectations[1].stat, expected_stat::count);
  EXPECT_EQ(loaded.expectations[2].stat, expected_stat::p99);
  EXPECT_EQ(loaded.expectations[2].min, 0.001);
}

TEST(ScenarioLoader, ReadsServerDirectivesAndLimits) {
  const scenario loaded = load(
      "schema_version: 1\nname: s\ntarget: { name: reference, limits: { descriptors: 80 } }\n"
      "backplane: { redis: { server: ./valkey-server, config: { maxmemory: 64mb, "
      "client-output-buffer-limit: \"normal 2mb 0 0\", lazyfree-lazy-eviction: yes } } }\n"
      "phases:\n  - { name: steady, duration: 30s }\n");
  EXPECT_EQ(loaded.descriptors_max, 80U);
  EXPECT_EQ(loaded.redis.server, "/dir/valkey-server");
  ASSERT_EQ(loaded.redis.directives.size(), 3U);
  EXPECT_EQ(loaded.redis.directives[1].name, "client-output-buffer-limit");
  EXPECT_EQ(loaded.redis.directives[1].value, "normal 2mb 0 0");
  EXPECT_EQ(loaded.redis.directives[2].value, "yes");
  EXPECT_EQ(loaded.redis.directives_where[0].line, 4U);
  EXPECT_EQ(load(minimal).redis.server, "redis-server");
  EXPECT_EQ(load(minimal).descriptors_max, 0U);
}

TEST(ScenarioLoader, TakesVariablesFromFileCommandLineAndEnvironment) {
  const std::string text =
      "schema_version: 1\nname: v\nvars: { nodes: \"${COUNT:-3}\", twice: \"${nodes}${nodes}\" "
      "}\ntarget: { name: reference, nodes: \"${nodes}\" }\n"
      "load: { clients: { per_node: \"${twice}\" } }\nphases:\n  - { name: steady, duration: "
      "\"${HELD:-4}s\" }\n";
  scenario_inputs inputs;
  inputs.environment = [](const std::string& name) {
    return name == "HELD" ? std::optional<std::string>("9") : std::nullopt;
  };
  EXPECT_EQ(load(text, inputs).nodes, 3U);
  EXPECT_EQ(load(text, inputs).load.clients_per_node, 33U);
  EXPECT_EQ(load(text, inputs).phases[0].duration, 9s);
  inputs.variables = {{"nodes", "5"}};
  EXPECT_EQ(load(text, inputs).nodes, 5U);
  EXPECT_EQ(load(text, inputs).load.clients_per_node, 55U);
}

TEST(ScenarioLoader, ReadsAnExternalRedis) {
  const scenario loaded =
      load(minimal +
           "secrets: { redis_password: { from_file: pw } }\n"
           "backplane: { redis: { mode: external, url: \"redis://chat@example.org:6380/0\",\n"
           "  password: { secret: redis_password }, allow_faults: [client, link] } }\n");
  EXPECT_EQ(loaded.redis.mode, redis_mode::external);
  EXPECT_EQ(loaded.redis.url, "redis://chat@example.org:6380/0");
  ASSERT_TRUE(loaded.redis.password);
  EXPECT_EQ(loaded.redis.password->from_file, "/dir/pw");
  EXPECT_EQ(
      loaded.redis.allowed_faults,
      (std::vector<fault::fault_class>{fault::fault_class::client, fault::fault_class::link}));
}

TEST(ScenarioLoader, ResolvesTheTarget) {
  scenario_inputs inputs;
  inputs.known_targets = {"reference"};
  EXPECT_EQ(load(minimal, inputs).target_name, "reference");
  inputs.target = "other";  // --target: whoever gave it hears about it from the target loader
  EXPECT_EQ(load(minimal, inputs).target_name, "other");
  const std::string with_path =
      "schema_version: 1\nname: p\ntarget: { name: ../t/target.yaml }\nphases:\n  - { name: "
      "steady, duration: 1s }\n";
  EXPECT_EQ(load(with_path).target_name, "/t/target.yaml");
}

TEST(ScenarioLoader, SaysThatAFileIsMissing) {
  const loaded_scenario loaded = load_scenario("/nowhere/s.yaml", test::fault_kinds(), {});
  ASSERT_EQ(loaded.problems.size(), 1U);
  EXPECT_EQ(loaded.problems[0].message, "cannot read '/nowhere/s.yaml': there is no such file");
  EXPECT_EQ(load_scenario("/", test::fault_kinds(), {}).problems[0].message,
            "cannot read '/': it is a directory");
}

TEST(ShippedFiles, AreValid) {
  std::size_t scenario_count = 0;
  scenario_inputs inputs;
  inputs.known_targets = known_targets(source_root);
  for (const auto& entry : fs::recursive_directory_iterator(source_root / "scenarios")) {
    if (entry.path().extension() != ".yaml") continue;
    const loaded_scenario loaded = load_scenario(entry.path(), fault::kinds(), inputs);
    EXPECT_TRUE(loaded.value) << render_all(loaded.problems, loaded.text);
    ++scenario_count;
  }
  EXPECT_GE(scenario_count, 5U);
  const loaded_target reference = load_target("reference", source_root, {"signalr"});
  EXPECT_TRUE(reference.value) << render_all(reference.problems, reference.text);
}

}  // namespace
}  // namespace ordeal::harness
