// redis_password against a real server, for an ACL user and for the default user.
#include "tests/integration/fault/support/redis_test.h"

namespace ordeal::fault {
namespace {

using std::chrono::seconds;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class RedisPasswordTest : public redis_test {
 protected:
  std::unique_ptr<fault> make(const std::string& change, bool has_kick) {
    fault_spec spec;
    spec.kind = "redis_password";
    spec.with = {{"change", change},
                 {"kick", has_kick ? "true" : "false"},
                 {"tell_nodes_after", "2000000000"}};
    return find_kind(spec.kind)->make(spec, *environment_);
  }
  redis_settings default_user(std::string password) {
    redis_settings with = settings();
    with.user.clear();
    with.password = std::move(password);
    return with;
  }
  asio::awaitable<void> rotate(redis_settings with, bool has_kick);
  asio::awaitable<void> revoke(redis_settings with);
  asio::awaitable<void> never_injected(std::string change);
  asio::awaitable<void> server_is_down();
};

asio::awaitable<void> RedisPasswordTest::rotate(redis_settings with, bool has_kick) {
  co_await start_redis(std::move(with));
  const std::string before = redis_->password();
  const auto app = co_await application();
  const auto which = make("rotate", has_kick);
  EXPECT_EQ(which->hold(), seconds(2));
  step_result step = co_await which->inject();
  EXPECT_TRUE(step.is_ok) << step.evidence;
  std::string said = step.evidence;
  step = co_await which->confirm_active();
  EXPECT_TRUE(step.is_ok) << step.evidence;
  said += step.evidence;
  EXPECT_NE(redis_->password(), before);
  EXPECT_EQ(nodes_.told(), "") << "the nodes learn it later";
  std::vector<std::string_view> ping{"PING"};
  const std::string answer = co_await ask(app.get(), ping);
  if (has_kick) {
    EXPECT_THAT(answer, StartsWith("error: "));
    EXPECT_THAT(said, HasSubstr("closed 1 connections"));
  } else {
    EXPECT_EQ(answer, "PONG");
  }
  step = co_await which->heal();
  EXPECT_TRUE(step.is_ok) << step.evidence;
  said += step.evidence;
  EXPECT_EQ(nodes_.told(), redis_->password());
  step = co_await which->confirm_healed();
  EXPECT_TRUE(step.is_ok) << step.evidence;
  said += step.evidence;
  if (!before.empty()) {
    EXPECT_THAT(said, Not(HasSubstr(before)));
  }
  EXPECT_THAT(said, Not(HasSubstr(redis_->password())));
  co_await stop_redis();
}
TEST_F(RedisPasswordTest, RotatesTheAclUser) {
  test::run_coro(io_, rotate(settings(), true));
}
TEST_F(RedisPasswordTest, RotatesWithoutAKick) {
  test::run_coro(io_, rotate(settings(), false));
}
TEST_F(RedisPasswordTest, RotatesTheDefaultUser) {
  test::run_coro(io_, rotate(default_user(generate_password()), true));
}
TEST_F(RedisPasswordTest, GivesAnOpenServerAPassword) {
  test::run_coro(io_, rotate(default_user(""), true));
}

asio::awaitable<void> RedisPasswordTest::revoke(redis_settings with) {
  co_await start_redis(std::move(with));
  const std::string password = redis_->password();
  const auto app = co_await application();
  const auto which = make("revoke", true);
  EXPECT_FALSE(which->hold());
  step_result step = co_await which->inject();
  EXPECT_TRUE(step.is_ok) << step.evidence;
  EXPECT_THAT(step.evidence, HasSubstr("closed 1 connections"));
  step = co_await which->confirm_active();
  EXPECT_TRUE(step.is_ok) << step.evidence;
  step = co_await which->confirm_healed();
  EXPECT_FALSE(step.is_ok) << step.evidence;
  step = co_await which->heal();
  EXPECT_TRUE(step.is_ok) << step.evidence;
  step = co_await which->confirm_healed();
  EXPECT_TRUE(step.is_ok) << step.evidence;
  EXPECT_EQ(redis_->password(), password);
  EXPECT_EQ(nodes_.told(), "");
  co_await stop_redis();
}
TEST_F(RedisPasswordTest, RevokesTheAclUser) {
  test::run_coro(io_, revoke(settings()));
}
TEST_F(RedisPasswordTest, RevokesTheDefaultUser) {
  test::run_coro(io_, revoke(default_user(generate_password())));
}

asio::awaitable<void> RedisPasswordTest::never_injected(std::string change) {
  co_await start_redis(settings());
  const auto which = make(change, true);
  const step_result active = co_await which->confirm_active();
  EXPECT_FALSE(active.is_ok) << active.evidence;
  co_await stop_redis();
}
TEST_F(RedisPasswordTest, RotationThatWasNotInjectedIsNotConfirmed) {
  test::run_coro(io_, never_injected("rotate"));
}
TEST_F(RedisPasswordTest, RevocationThatWasNotInjectedIsNotConfirmed) {
  test::run_coro(io_, never_injected("revoke"));
}

// A login that fails because there is no server proves nothing about the password.
asio::awaitable<void> RedisPasswordTest::server_is_down() {
  co_await start_redis(settings());
  co_await stop_redis();
  for (const char* const change : {"rotate", "revoke"}) {
    const auto which = make(change, true);
    const step_result injected = co_await which->inject();
    EXPECT_FALSE(injected.is_ok) << injected.evidence;
    const step_result active = co_await which->confirm_active();
    EXPECT_FALSE(active.is_ok) << active.evidence;
  }
}
TEST_F(RedisPasswordTest, ServerThatIsDownConfirmsNothing) {
  test::run_coro(io_, server_is_down());
}

}  // namespace
}  // namespace ordeal::fault
