// A private redis-server: start, restart with its data, logins, secrets that stay secret, and
// errors that help.
#include "fault-injection/redis/managed_redis.h"

#include <boost/asio/ip/tcp.hpp>
#include <csignal>

#include "tests/integration/fault/support/redis_test.h"

namespace ordeal::fault {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class ManagedRedisTest : public redis_test {
 protected:
  asio::awaitable<void> start_and_answer();
  asio::awaitable<void> survive_kill(redis_persistence persistence, std::string expected);
  asio::awaitable<void> login_as_configured(redis_settings with);
  asio::awaitable<void> change_password();
  asio::awaitable<void> bar_logins(redis_settings with);
  asio::awaitable<void> kick_only_the_application();
  asio::awaitable<void> keep_secrets();
  asio::awaitable<void> fail_to_start(redis_settings with, std::string expected);
  asio::awaitable<void> port_is_taken();
  asio::awaitable<void> silence();
};

asio::awaitable<void> ManagedRedisTest::start_and_answer() {
  co_await start_redis(settings());
  EXPECT_THAT(redis_->version(), HasSubstr("."));
  const std::string answer = co_await redis_->ping(seconds(5));
  EXPECT_EQ(answer, "PONG");
  const step_result again = co_await redis_->start();
  EXPECT_FALSE(again.is_ok);
  EXPECT_EQ(again.evidence, "redis-server runs already");
  const auto app = co_await application();
  std::vector<std::string_view> forbidden{"CONFIG", "GET", "dir"};
  const std::string refused = co_await ask(app.get(), forbidden);
  EXPECT_THAT(refused, StartsWith("NOPERM"));
  co_await stop_redis();
  const std::string after = co_await redis_->ping(seconds(5));
  EXPECT_THAT(after, Not("PONG"));
  EXPECT_FALSE(after.empty()) << "refused is not the same as silent";
}
TEST_F(ManagedRedisTest, StartsAndAnswers) {
  test::run_coro(io_, start_and_answer());
}

asio::awaitable<void> ManagedRedisTest::survive_kill(redis_persistence persistence,
                                                     std::string expected) {
  redis_settings with = settings();
  with.persistence = persistence;
  co_await start_redis(std::move(with));
  const std::uint16_t port = redis_->port();
  const std::string first_run = co_await read_run_id(*redis_);
  auto app = co_await application();
  // Two writes in a script stand in the append-only file as a transaction, replayed as the default user.
  std::vector<std::string_view> set{"EVAL",
                                    "redis.call('SET', KEYS[1], ARGV[1]) "
                                    "return redis.call('SET', KEYS[1] .. '2', ARGV[1])",
                                    "1", "key", "value"};
  const std::string answer = co_await ask(app.get(), set);
  EXPECT_EQ(answer, "OK");
  redis_->running_process()->signal(SIGKILL);
  const bool has_ended = co_await ended_within(*redis_->running_process(), seconds(10));
  EXPECT_TRUE(has_ended);
  EXPECT_EQ(redis_->running_process(), nullptr);
  const step_result started = co_await redis_->start();
  EXPECT_TRUE(started.is_ok) << started.evidence;
  EXPECT_EQ(redis_->port(), port);
  const std::string second_run = co_await read_run_id(*redis_);
  EXPECT_NE(first_run, second_run);
  app = co_await application();
  std::vector<std::string_view> get{"GET", "key"};
  const std::string kept = co_await ask(app.get(), get);
  EXPECT_EQ(kept, expected);
  co_await stop_redis();
}
TEST_F(ManagedRedisTest, AppendOnlyFileSurvivesKill) {
  test::run_coro(io_, survive_kill(redis_persistence::aof_always, "value"));
}
TEST_F(ManagedRedisTest, WithoutPersistenceAKillForgetsAll) {
  test::run_coro(io_, survive_kill(redis_persistence::none, ""));
}

asio::awaitable<void> ManagedRedisTest::login_as_configured(redis_settings with) {
  const std::string password = with.password;
  co_await start_redis(std::move(with));
  const step_result right = co_await redis_->try_login(password, seconds(5));
  EXPECT_TRUE(right.is_ok) << right.evidence;
  // An open server takes any password.
  const step_result wrong = co_await redis_->try_login("not the password", seconds(5));
  EXPECT_EQ(wrong.is_ok, password.empty()) << wrong.evidence;
  const step_result none = co_await redis_->try_login("", seconds(5));
  EXPECT_EQ(none.is_ok, password.empty()) << none.evidence;
  co_await stop_redis();
}
TEST_F(ManagedRedisTest, AclUserLogsIn) {
  test::run_coro(io_, login_as_configured(settings()));
}
TEST_F(ManagedRedisTest, DefaultUserLogsInWithItsPassword) {
  redis_settings with = settings();
  with.user.clear();
  test::run_coro(io_, login_as_configured(with));
}
TEST_F(ManagedRedisTest, OpenServerNeedsNoPassword) {
  redis_settings with = settings();
  with.user.clear();
  with.password.clear();
  test::run_coro(io_, login_as_configured(with));
}

asio::awaitable<void> ManagedRedisTest::change_password() {
  co_await start_redis(settings());
  const std::string old_password = redis_->password();
  const step_result changed = co_await redis_->set_password(generate_password());
  EXPECT_TRUE(changed.is_ok) << changed.evidence;
  const std::string new_password = redis_->password();
  EXPECT_NE(old_password, new_password);
  for (int round = 0; round < 2; ++round) {
    const step_result old_login = co_await redis_->try_login(old_password, seconds(5));
    EXPECT_FALSE(old_login.is_ok);
    EXPECT_THAT(old_login.evidence, HasSubstr("WRONGPASS"));
    const step_result new_login = co_await redis_->try_login(new_password, seconds(5));
    EXPECT_TRUE(new_login.is_ok) << new_login.evidence;
    co_await stop_redis();
    const step_result started = co_await redis_->start();
    EXPECT_TRUE(started.is_ok) << started.evidence;
  }
  co_await stop_redis();
}
TEST_F(ManagedRedisTest, NewPasswordOutlivesARestart) {
  test::run_coro(io_, change_password());
}

asio::awaitable<void> ManagedRedisTest::bar_logins(redis_settings with) {
  co_await start_redis(std::move(with));
  const step_result barred = co_await redis_->set_login_enabled(false);
  EXPECT_TRUE(barred.is_ok) << barred.evidence;
  step_result login = co_await redis_->try_login(redis_->password(), seconds(5));
  EXPECT_FALSE(login.is_ok) << login.evidence;
  const std::string answer = co_await redis_->ping(seconds(5));
  EXPECT_EQ(answer, "PONG");
  co_await stop_redis();
  const step_result started = co_await redis_->start();
  EXPECT_TRUE(started.is_ok) << started.evidence;
  login = co_await redis_->try_login(redis_->password(), seconds(5));
  EXPECT_FALSE(login.is_ok) << login.evidence;
  const step_result admitted = co_await redis_->set_login_enabled(true);
  EXPECT_TRUE(admitted.is_ok) << admitted.evidence;
  login = co_await redis_->try_login(redis_->password(), seconds(5));
  EXPECT_TRUE(login.is_ok) << login.evidence;
  co_await stop_redis();
}
TEST_F(ManagedRedisTest, BarsLoginsOfTheAclUser) {
  test::run_coro(io_, bar_logins(settings()));
}
TEST_F(ManagedRedisTest, BarsLoginsOfAnOpenServer) {
  redis_settings with = settings();
  with.user.clear();
  with.password.clear();
  test::run_coro(io_, bar_logins(with));
}

asio::awaitable<void> ManagedRedisTest::kick_only_the_application() {
  co_await start_redis(settings());
  const auto first = co_await application();
  const auto second = co_await application();
  const step_result kicked = co_await redis_->kick();
  EXPECT_TRUE(kicked.is_ok) << kicked.evidence;
  EXPECT_THAT(kicked.evidence, StartsWith("closed 2 connections of chat"));
  std::vector<std::string_view> ping{"PING"};
  const std::string answer = co_await ask(first.get(), ping);
  EXPECT_THAT(answer, StartsWith("error: "));
  const step_result again = co_await redis_->kick();
  EXPECT_TRUE(again.is_ok) << again.evidence;
  EXPECT_THAT(again.evidence, StartsWith("closed 0 connections"));
  co_await stop_redis();
}
TEST_F(ManagedRedisTest, KicksTheApplicationOnly) {
  test::run_coro(io_, kick_only_the_application());
}

asio::awaitable<void> ManagedRedisTest::keep_secrets() {
  co_await start_redis(settings());
  const std::string first = redis_->password();
  const step_result wrong = co_await redis_->try_login("wrong-" + first, seconds(5));
  EXPECT_THAT(wrong.evidence, Not(HasSubstr(first)));
  const step_result changed = co_await redis_->set_password(generate_password());
  EXPECT_TRUE(changed.is_ok);
  EXPECT_THAT(changed.evidence, Not(HasSubstr(redis_->password())));
  const auto proc =
      std::filesystem::path("/proc") / std::to_string(redis_->running_process()->pid());
  const std::string seen = contents_of(proc / "cmdline") + contents_of(proc / "environ") + log();
  EXPECT_THAT(seen, HasSubstr("redis-server"));
  EXPECT_THAT(seen, Not(HasSubstr(first)));
  EXPECT_THAT(seen, Not(HasSubstr(redis_->password())));
  co_await stop_redis();
}
TEST_F(ManagedRedisTest, PasswordsAreNowhereToBeSeen) {
  test::run_coro(io_, keep_secrets());
}

asio::awaitable<void> ManagedRedisTest::fail_to_start(redis_settings with, std::string expected) {
  redis_ = make_managed_redis(io_.get_executor(), *launcher_, std::move(with));
  const step_result started = co_await redis_->start();
  EXPECT_FALSE(started.is_ok);
  EXPECT_THAT(started.evidence, StartsWith(expected));
  EXPECT_EQ(redis_->running_process(), nullptr);
}
TEST_F(ManagedRedisTest, MissingProgramTellsWhatToDo) {
  redis_settings with = settings();
  with.program = "no-such-redis-server";
  test::run_coro(io_, fail_to_start(with,
                                    "cannot find no-such-redis-server: install it, or "
                                    "correct backplane.redis.server"));
}
TEST_F(ManagedRedisTest, ImpossibleUserNameIsRefusedBeforeTheServerSeesIt) {
  redis_settings with = settings();
  with.user = "two words";
  test::run_coro(io_, fail_to_start(with, "the Redis user 'two words'"));
  EXPECT_EQ(log(), "");
}

// The listener of somebody else sits on the port that was picked.
asio::awaitable<void> ManagedRedisTest::port_is_taken() {
  redis_ = make_managed_redis(io_.get_executor(), *launcher_, settings());
  const auto loopback = asio::ip::address_v4::loopback();
  const asio::ip::tcp::acceptor other(io_, asio::ip::tcp::endpoint(loopback, redis_->port()));
  const step_result started = co_await redis_->start();
  EXPECT_FALSE(started.is_ok);
  EXPECT_THAT(started.evidence, HasSubstr("ended at its start (exit code 1)"));
  EXPECT_THAT(started.evidence, HasSubstr("port " + std::to_string(redis_->port())));
}
TEST_F(ManagedRedisTest, TakenPortIsReported) {
  test::run_coro(io_, port_is_taken());
}

asio::awaitable<void> ManagedRedisTest::silence() {
  co_await start_redis(settings());
  process* const running = redis_->running_process();
  running->signal(SIGSTOP);
  const bool is_stopped = co_await wait_stopped(running->pid(), true, seconds(5));
  EXPECT_TRUE(is_stopped);
  const std::string answer = co_await redis_->ping(milliseconds(100));
  EXPECT_EQ(answer, "");
  const step_result login = co_await redis_->try_login(redis_->password(), milliseconds(100));
  EXPECT_FALSE(login.is_ok);
  EXPECT_EQ(login.evidence, "no answer to a login in 100 ms");
  co_await stop_redis();
}
TEST_F(ManagedRedisTest, SilenceIsNoAnswer) {
  test::run_coro(io_, silence());
}

}  // namespace
}  // namespace ordeal::fault
