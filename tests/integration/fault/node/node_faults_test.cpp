// node_kill and node_pause against real processes: each step does what it says, and nothing is
// confirmed that was not injected.
#include <gmock/gmock.h>

#include <csignal>

#include "tests/integration/fault/support/fake_nodes.h"

namespace ordeal::fault {
namespace {

using testing::HasSubstr;
using testing::Not;

class NodeFaultsTest : public warden_test {
 protected:
  asio::awaitable<void> start_nodes() {
    for (std::size_t node = 0; node < nodes_.node_count(); ++node) {
      const step_result started = co_await nodes_.start(node);
      EXPECT_TRUE(started.is_ok) << started.evidence;
    }
  }
  std::unique_ptr<fault> make(const std::string& kind, std::vector<std::size_t> nodes) {
    fault_spec spec;
    spec.kind = kind;
    spec.nodes = std::move(nodes);
    return find_kind(kind)->make(spec, environment_);
  }
  asio::awaitable<void> kill_one();
  asio::awaitable<void> kill_all();
  asio::awaitable<void> kill_what_is_down();
  asio::awaitable<void> pause_one();
  asio::awaitable<void> never_injected();

  fake_nodes nodes_{launcher_.get(), 2};
  fake_environment environment_{io_.get_executor(), nullptr, &nodes_};
};

asio::awaitable<void> NodeFaultsTest::kill_one() {
  co_await start_nodes();
  const pid_t before = nodes_.running_process(1)->pid();
  const auto which = make("node_kill", {1});
  EXPECT_FALSE(which->hold());
  step_result step = co_await which->inject();
  EXPECT_TRUE(step.is_ok) << step.evidence;
  EXPECT_EQ(nodes_.expected_exits(0), 0);
  EXPECT_EQ(nodes_.expected_exits(1), 1);
  step = co_await which->confirm_active();
  EXPECT_TRUE(step.is_ok) << step.evidence;
  EXPECT_THAT(step.evidence, HasSubstr("node-2: pid " + std::to_string(before) + " has ended"));
  EXPECT_FALSE(process_state(before));
  EXPECT_NE(nodes_.running_process(0), nullptr);
  step = co_await which->confirm_healed();
  EXPECT_FALSE(step.is_ok);
  step = co_await which->heal();
  EXPECT_TRUE(step.is_ok) << step.evidence;
  step = co_await which->confirm_healed();
  EXPECT_TRUE(step.is_ok) << step.evidence;
  EXPECT_NE(nodes_.running_process(1)->pid(), before);
  nodes_ = fake_nodes(nullptr);
}
TEST_F(NodeFaultsTest, KillEndsOneNodeAndStartsItAgain) {
  test::run_coro(io_, kill_one());
}

asio::awaitable<void> NodeFaultsTest::kill_all() {
  co_await start_nodes();
  const auto which = make("node_kill", {});
  step_result step = co_await which->inject();
  EXPECT_TRUE(step.is_ok) << step.evidence;
  step = co_await which->confirm_active();
  EXPECT_TRUE(step.is_ok) << step.evidence;
  EXPECT_EQ(nodes_.running_process(0), nullptr);
  EXPECT_EQ(nodes_.running_process(1), nullptr);
  step = co_await which->heal();
  EXPECT_TRUE(step.is_ok) << step.evidence;
  step = co_await which->confirm_healed();
  EXPECT_TRUE(step.is_ok) << step.evidence;
  nodes_ = fake_nodes(nullptr);
}
TEST_F(NodeFaultsTest, WithoutATargetEveryNodeIsHit) {
  test::run_coro(io_, kill_all());
}

asio::awaitable<void> NodeFaultsTest::kill_what_is_down() {
  const auto which = make("node_kill", {0});
  const step_result step = co_await which->inject();
  EXPECT_FALSE(step.is_ok);
  EXPECT_EQ(step.evidence, "node-1: is down");
  EXPECT_EQ(nodes_.expected_exits(0), 0);
}
TEST_F(NodeFaultsTest, WhatIsDownCannotBeKilled) {
  test::run_coro(io_, kill_what_is_down());
}

asio::awaitable<void> NodeFaultsTest::pause_one() {
  co_await start_nodes();
  const auto which = make("node_pause", {0});
  step_result step = co_await which->inject();
  EXPECT_TRUE(step.is_ok) << step.evidence;
  step = co_await which->confirm_active();
  EXPECT_TRUE(step.is_ok) << step.evidence;
  EXPECT_THAT(step.evidence, HasSubstr("in state T"));
  EXPECT_NE(process_state(nodes_.running_process(1)->pid()), 'T');
  step = co_await which->heal();
  EXPECT_TRUE(step.is_ok) << step.evidence;
  step = co_await which->confirm_healed();
  EXPECT_TRUE(step.is_ok) << step.evidence;
  EXPECT_THAT(step.evidence, Not(HasSubstr("in state T")));
  EXPECT_EQ(nodes_.expected_exits(0), 0);
  nodes_ = fake_nodes(nullptr);
}
TEST_F(NodeFaultsTest, PauseFreezesOneNode) {
  test::run_coro(io_, pause_one());
}

asio::awaitable<void> NodeFaultsTest::never_injected() {
  co_await start_nodes();
  const auto kill = make("node_kill", {0});
  const auto pause = make("node_pause", {0});
  const step_result killed = co_await kill->confirm_active();
  EXPECT_FALSE(killed.is_ok) << killed.evidence;
  EXPECT_THAT(killed.evidence, HasSubstr("still runs"));
  const step_result paused = co_await pause->confirm_active();
  EXPECT_FALSE(paused.is_ok) << paused.evidence;
  nodes_ = fake_nodes(nullptr);
}
TEST_F(NodeFaultsTest, WhatWasNotInjectedIsNotConfirmed) {
  test::run_coro(io_, never_injected());
}

}  // namespace
}  // namespace ordeal::fault
