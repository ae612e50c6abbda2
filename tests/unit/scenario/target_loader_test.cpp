#include "harness/target/target_loader.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "harness/scenario/problem_list.h"
#include "harness/target/contract.h"
#include "harness/target/target_search.h"

namespace ordeal::harness {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

TEST(TargetLoader, ReadsTheReferenceTarget) {
  const loaded_target loaded = load_target("reference", ORDEAL_SOURCE_ROOT, {"signalr"});
  ASSERT_TRUE(loaded.value) << render_all(loaded.problems, loaded.text);
  const target& got = *loaded.value;
  EXPECT_EQ(got.driver, "signalr");
  ASSERT_TRUE(got.launch);
  EXPECT_EQ(got.launch->command, std::vector<std::string>{"${bin}/ordeal-chat"});
  EXPECT_EQ(got.launch->env.size(), 5U);
  EXPECT_EQ(got.launch->env[0].second, "127.0.0.1:${node.port}");  // filled in by the run
  EXPECT_TRUE(fs::path(got.launch->workdir).is_absolute());
  EXPECT_EQ(got.launch->ready.kind, ready_kind::http);
  EXPECT_EQ(got.launch->ready.text, "/readyz");
  EXPECT_EQ(got.launch->ready.timeout, 20s);
  EXPECT_EQ(got.protocol.path, "/chat?sender=${client}");
  EXPECT_EQ(got.protocol.join.name, "Join");
  EXPECT_TRUE(got.protocol.join.is_cursor_result);
  EXPECT_EQ(got.protocol.publish.arguments,
            (std::vector<std::string>{"${room}", "${message_id}", "${payload}"}));
  EXPECT_FALSE(got.protocol.publish.is_cursor_result);
  EXPECT_EQ(got.protocol.receive.payload, 3U);
  EXPECT_EQ(got.protocol.receive.room, 0U);
  EXPECT_EQ(got.protocol.receive.cursor, 1U);
  ASSERT_TRUE(got.protocol.reset);
  EXPECT_EQ(got.protocol.reset->name, "Reset");
  EXPECT_EQ(got.protocol.resume, resume_kind::cursor);
  EXPECT_EQ(got.protocol.retry_prefix, "retry:");
  EXPECT_EQ(describe(got.promises), describe(strict_contract()));
}

TEST(TargetLoader, ReadsOtherShapes) {
  const std::string text =
      "schema_version: 1\nname: t\ndriver: json\nlaunch: { command: [server, \"${node.port}\"], "
      "workdir: app, prepare: [npm, ci], requires: [node],\n"
      "  ready: { log: listening, timeout: 5s } }\n"
      "protocol:\n  join: { send: join, args: [\"${room}\"], ack: false }\n  publish: { send: "
      "chat, args: [\"${payload}\"] }\n"
      "  receive: { on: chat }\n  refused_prefix: no\n"
      "contract: { delivery: best_effort_in_outage, order: per_sender, duplicates: in_outage, ack: "
      "accepted, resume: false, recovery: 1m }\n";
  const loaded_target loaded = parse_target(text, "/dir/target.yaml", {"signalr", "json"});
  ASSERT_TRUE(loaded.value) << render_all(loaded.problems, text);
  const target& got = *loaded.value;
  EXPECT_EQ(got.launch->workdir, "/dir/app");
  EXPECT_EQ(got.launch->prepare, (std::vector<std::string>{"npm", "ci"}));
  EXPECT_EQ(got.launch->required_programs, std::vector<std::string>{"node"});
  EXPECT_EQ(got.launch->ready.kind, ready_kind::log);
  EXPECT_FALSE(got.protocol.join.has_ack);
  EXPECT_FALSE(got.protocol.receive.room);
  EXPECT_FALSE(got.protocol.reset);
  EXPECT_EQ(got.protocol.refused_prefix, "no");
  EXPECT_EQ(describe(got.promises),
            "delivery best_effort_in_outage, order per_sender, duplicates in_outage, ack accepted, "
            "resume false, recovery 1m");
}

TEST(TargetLoader, WordsAreInTheOrderOfTheEnumerators) {
  contract last;
  last.delivery = delivery_promise::best_effort;
  last.order = order_promise::none;
  last.duplicates = duplicates_promise::allowed;
  last.ack = ack_promise::none;
  EXPECT_EQ(
      describe(last),
      "delivery best_effort, order none, duplicates allowed, ack none, resume true, recovery 15s");
}

TEST(TargetLoader, SuggestsATarget) {
  const loaded_target loaded = load_target("referense", ORDEAL_SOURCE_ROOT, {"signalr"});
  ASSERT_EQ(loaded.problems.size(), 1U);
  EXPECT_EQ(loaded.problems[0].message, "there is no target 'referense'");
  EXPECT_EQ(loaded.problems[0].suggestion, "did you mean 'reference'?");
}

TEST(TargetSearch, FindsTheSharedFilesFromTheProgram) {
  const fs::path root = fs::path(testing::TempDir()) / "ordeal-share-test";
  fs::remove_all(root);
  for (const char* folder :
       {"tree/build/release/bin", "tree/targets", "tree/scenarios", "usr/bin",
        "usr/share/ordeal/targets", "usr/share/ordeal/scenarios", "elsewhere/bin"}) {
    fs::create_directories(root / folder);
  }
  EXPECT_EQ(find_share(root / "tree/build/release/bin/ordeal"), root / "tree");
  EXPECT_EQ(find_share(root / "usr/bin/ordeal"), root / "usr/share/ordeal");
  EXPECT_EQ(find_share(root / "elsewhere/bin/ordeal"), fs::path());
  fs::remove_all(root);
}

}  // namespace
}  // namespace ordeal::harness
