// redis_kill, redis_stop and redis_pause against a real server: each step does what it says, and
// nothing is confirmed that was not injected.
#include "tests/integration/fault/support/redis_test.h"

namespace ordeal::fault {
namespace {

using std::chrono::seconds;
using testing::HasSubstr;

class RedisFaultsTest : public redis_test {
 protected:
  std::unique_ptr<fault> make(const std::string& kind) {
    fault_spec spec;
    spec.kind = kind;
    spec.held = seconds(1);
    return find_kind(kind)->make(spec, *environment_);
  }
  asio::awaitable<void> outage(std::string kind, std::string expected_exit);
  asio::awaitable<void> pause();
  asio::awaitable<void> never_injected(std::string kind);
  asio::awaitable<void> already_down(std::string kind);
  asio::awaitable<void> external(std::string kind);
};

asio::awaitable<void> RedisFaultsTest::outage(std::string kind, std::string expected_exit) {
  redis_settings with = settings();
  with.persistence = redis_persistence::aof_always;
  co_await start_redis(std::move(with));
  const pid_t before = redis_->running_process()->pid();
  const auto which = make(kind);
  step_result step = co_await which->inject();
  EXPECT_TRUE(step.is_ok) << step.evidence;
  step = co_await which->confirm_active();
  EXPECT_TRUE(step.is_ok) << step.evidence;
  EXPECT_THAT(step.evidence, HasSubstr("Connection refused"));
  EXPECT_FALSE(process_state(before));
  const process_exit ended = co_await redis_->stop(seconds(0));
  EXPECT_EQ(ended.describe(), expected_exit);
  step = co_await which->confirm_healed();
  EXPECT_FALSE(step.is_ok) << step.evidence;
  step = co_await which->heal();
  EXPECT_TRUE(step.is_ok) << step.evidence;
  step = co_await which->confirm_healed();
  EXPECT_TRUE(step.is_ok) << step.evidence;
  step = co_await which->confirm_active();
  EXPECT_FALSE(step.is_ok) << step.evidence;
  co_await stop_redis();
}
TEST_F(RedisFaultsTest, KillIsACrash) {
  test::run_coro(io_, outage("redis_kill", "killed by SIGKILL"), seconds(40));
}
TEST_F(RedisFaultsTest, StopIsInOrder) {
  test::run_coro(io_, outage("redis_stop", "exit code 0"), seconds(40));
}

asio::awaitable<void> RedisFaultsTest::pause() {
  co_await start_redis(settings());
  const pid_t before = redis_->running_process()->pid();
  const auto app = co_await application();
  const auto which = make("redis_pause");
  step_result step = co_await which->inject();
  EXPECT_TRUE(step.is_ok) << step.evidence;
  step = co_await which->confirm_active();
  EXPECT_TRUE(step.is_ok) << step.evidence;
  EXPECT_THAT(step.evidence, HasSubstr("in state T; PING on a new connection: no reply in 300 ms"));
  step = co_await which->heal();
  EXPECT_TRUE(step.is_ok) << step.evidence;
  step = co_await which->confirm_healed();
  EXPECT_TRUE(step.is_ok) << step.evidence;
  EXPECT_EQ(redis_->running_process()->pid(), before);
  std::vector<std::string_view> ping{"PING"};
  const std::string answer = co_await ask(app.get(), ping);
  EXPECT_EQ(answer, "PONG") << "connections stay open";
  co_await stop_redis();
}
TEST_F(RedisFaultsTest, PauseIsSilence) {
  test::run_coro(io_, pause());
}

asio::awaitable<void> RedisFaultsTest::never_injected(std::string kind) {
  co_await start_redis(settings());
  const auto which = make(kind);
  const step_result active = co_await which->confirm_active();
  EXPECT_FALSE(active.is_ok) << active.evidence;
  co_await stop_redis();
}
TEST_F(RedisFaultsTest, KillThatWasNotInjectedIsNotConfirmed) {
  test::run_coro(io_, never_injected("redis_kill"));
}
TEST_F(RedisFaultsTest, StopThatWasNotInjectedIsNotConfirmed) {
  test::run_coro(io_, never_injected("redis_stop"));
}
TEST_F(RedisFaultsTest, PauseThatWasNotInjectedIsNotConfirmed) {
  test::run_coro(io_, never_injected("redis_pause"));
}

asio::awaitable<void> RedisFaultsTest::already_down(std::string kind) {
  co_await start_redis(settings());
  co_await stop_redis();
  const auto which = make(kind);
  const step_result injected = co_await which->inject();
  EXPECT_FALSE(injected.is_ok);
  EXPECT_THAT(injected.evidence, HasSubstr("down"));
}
TEST_F(RedisFaultsTest, WhatIsDownCannotBeKilled) {
  test::run_coro(io_, already_down("redis_kill"));
}
TEST_F(RedisFaultsTest, WhatIsDownCannotBePaused) {
  test::run_coro(io_, already_down("redis_pause"));
}

asio::awaitable<void> RedisFaultsTest::external(std::string kind) {
  const auto which = make(kind);
  const step_result injected = co_await which->inject();
  EXPECT_FALSE(injected.is_ok);
  EXPECT_THAT(injected.evidence, HasSubstr("mode: managed"));
  const step_result active = co_await which->confirm_active();
  EXPECT_FALSE(active.is_ok);
}
TEST_F(RedisFaultsTest, ExternalRedisHasNoProcessToHit) {
  environment_.emplace(io_.get_executor(), nullptr, &nodes_);
  for (const char* const kind : {"redis_kill", "redis_stop", "redis_pause"})
    test::run_coro(io_, external(kind));
}

}  // namespace
}  // namespace ordeal::fault
