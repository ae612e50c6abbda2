// Goal: the master is found through real sentinels, also when one of them is dead, stale, locked or wrong, and each
// failure says which of them said what.
#include "net/redis/sentinel.h"

#include <fstream>

#include "net/async/clock.h"
#include "net/async/condition.h"
#include "net/async/task_group.h"
#include "net/redis/master_watch.h"
#include "tests/integration/redis/redis_fixture.h"
#include "tests/support/command.h"

namespace ordeal::net::redis {
namespace {

using namespace std::chrono_literals;

constexpr auto master_name = "chat-master";

class RedisSentinel : public RedisFixture {
 protected:
  static test::redis_sentinel_options watching(const test::redis_server& master) {
    test::redis_sentinel_options options;
    options.master_port = master.port();
    return options;
  }
  static connection_options through(std::vector<server_address> sentinels) {
    connection_options options;
    options.sentinel.master_name = master_name;
    options.sentinel.places = std::move(sentinels);
    options.sentinel.memory = std::make_shared<sentinel_memory>(options.sentinel.places);
    return options;
  }
  static server_address address_of(const test::redis_server& server) {
    return {"127.0.0.1", server.port()};
  }
  // Without the five seconds that a master waits for more replicas.
  static test::redis_server_options quick_to_sync() {
    test::redis_server_options options;
    options.extra_config = "repl-diskless-sync-delay 0\n";
    return options;
  }
  static server_address nobody() { return {"127.0.0.1", test::free_port()}; }
  // Fails the test unless the text holds all of these.
  static void expect_words(const open_result& found, std::vector<std::string> parts) {
    EXPECT_TRUE(found.ec.failed());
    for (const std::string& part : parts)
      EXPECT_TRUE(contains(found.detail, part)) << "no '" << part << "' in: " << found.detail;
  }
  static bool follows(test::redis_server& replica, const test::redis_server& master) {
    const auto port = std::to_string(master.port());
    (void)replica.command({"REPLICAOF", "127.0.0.1", port});
    const auto is_up = [&] {
      const auto text = std::string(replica.command({"INFO", "replication"})->text());
      return contains(text, "master_link_status:up");
    };
    return test::eventually(is_up, 20s);
  }
};

TEST_F(RedisSentinel, NamesTheMaster) {
  test::redis_server master;
  test::redis_sentinel sentinel(watching(master));
  auto options = through({nobody(), sentinel.address()});
  options.database = 2;
  const auto first = open(options);
  ASSERT_FALSE(first.ec) << first.detail;
  EXPECT_EQ(first.at, address_of(master));
  EXPECT_EQ(ask(*first.opened, {"SET", "k", "v"}), "OK");
  EXPECT_EQ(options.sentinel.memory->order().front(), sentinel.address());
}

TEST_F(RedisSentinel, ASilentOneDoesNotUseUpTheTime) {
  test::redis_server master;
  test::redis_sentinel silent(watching(master));
  test::redis_sentinel sentinel(watching(master));
  silent.pause();
  const auto found = open(through({silent.address(), sentinel.address()}));
  EXPECT_FALSE(found.ec) << found.detail;
  auto alone = through({silent.address()});
  alone.connect_timeout = 200ms;
  const auto before = now();
  expect_words(open(alone), {"sentinel " + to_text(silent.address()) + " does not answer"});
  EXPECT_LT(now() - before, 2s);
  silent.resume();
}

TEST_F(RedisSentinel, ItsPasswordIsItsOwn) {
  test::redis_server_options locked;
  locked.password = "of-redis";
  test::redis_server master(locked);
  auto guarded = watching(master);
  guarded.password = "of-sentinel";
  guarded.master_password = "of-redis";
  test::redis_sentinel sentinel(guarded);
  auto options = through({sentinel.address()});
  options.auth.password = "of-redis";
  const std::string who = "sentinel " + to_text(sentinel.address());
  const auto missing = open(options);
  expect_words(missing, {who + " refused the login: NOAUTH", "not that of Redis",
                         "--redis-sentinel-password-file"});
  options.sentinel.auth.password = "of-redis";
  const auto wrong = open(options);
  expect_words(wrong, {who + " refused the login: WRONGPASS"});
  EXPECT_FALSE(contains(wrong.detail, "of-redis")) << wrong.detail;
  options.sentinel.auth.password = "of-sentinel";
  const auto found = open(options);
  EXPECT_FALSE(found.ec) << found.detail;
  options.auth.password = "other";
  const auto refused = open(options);
  EXPECT_EQ(refused.ec, make_error_code(errc::auth_failed));
  expect_words(refused, {who + " names " + to_text(address_of(master)), "WRONGPASS"});
}

TEST_F(RedisSentinel, ItsUserAndPasswordFileAreItsOwn) {
  test::redis_server master;
  test::redis_sentinel sentinel(watching(master));
  const auto made = sentinel.command(
      {"ACL", "SETUSER", "watcher", "on", ">first", "+auth", "+sentinel", "+subscribe", "&*"});
  ASSERT_FALSE(made->is_error()) << made->text();
  const auto file = master.directory() / "sentinel-secret";
  auto options = through({sentinel.address()});
  options.sentinel.auth.user = "watcher";
  options.sentinel.auth.password_file = file;
  const auto unreadable = open(options);
  expect_words(unreadable, {"cannot be asked: cannot read the password file " + file.string()});
  std::ofstream(file) << "first\n";
  const auto found = open(options);
  EXPECT_FALSE(found.ec) << found.detail;
  ASSERT_FALSE(sentinel.command({"ACL", "SETUSER", "watcher", "resetpass", ">second"})->is_error());
  const auto rotated = open(options);
  expect_words(rotated, {"refused the login: WRONGPASS"});
  EXPECT_FALSE(contains(rotated.detail, "first")) << rotated.detail;
  std::ofstream(file) << "second\n";
  const auto again = open(options);
  EXPECT_FALSE(again.ec) << again.detail;
}

TEST_F(RedisSentinel, AnOpenOneTakesANeedlessPassword) {
  test::redis_server master;
  test::redis_sentinel sentinel(watching(master));
  auto options = through({sentinel.address()});
  options.sentinel.auth.password = "needless";
  const auto found = open(options);
  EXPECT_FALSE(found.ec) << found.detail;
}

TEST_F(RedisSentinel, EveryRefusalIsToldApart) {
  test::redis_server master;
  test::redis_sentinel sentinel(watching(master));
  const auto dead = nobody();
  auto options = through({dead, address_of(master), sentinel.address()});
  options.sentinel.master_name = "stranger";
  const auto found = open(options);
  EXPECT_EQ(found.ec, make_error_code(errc::no_master));
  expect_words(found,
               {"no master 'stranger'", to_text(dead) + " cannot be used: Connection refused",
                to_text(address_of(master)) + " is no sentinel",
                to_text(sentinel.address()) + " knows no master of that name"});
}

TEST_F(RedisSentinel, ASentinelIsNoRedis) {
  test::redis_server master;
  test::redis_sentinel sentinel(watching(master));
  connection_options options;
  options.port = sentinel.port();
  const auto found = open(options);
  EXPECT_EQ(found.ec, make_error_code(errc::wrong_kind));
  expect_words(found, {"redis+sentinel://"});
}

// A sentinel that was away during a failover goes on naming the old master, which is a replica by now.
TEST_F(RedisSentinel, AStaleOneIsPassedOver) {
  test::redis_server old_master, master(quick_to_sync());
  ASSERT_TRUE(follows(old_master, master));
  test::redis_sentinel stale(watching(old_master));
  test::redis_sentinel sentinel(watching(master));
  const auto alone = open(through({stale.address()}));
  // It may have found out already whose replica that is.
  if (alone.ec) {
    EXPECT_EQ(alone.ec, make_error_code(errc::no_master));
    expect_words(alone, {"names " + to_text(address_of(old_master)) + ", which is a replica of " +
                         to_text(address_of(master))});
  }
  const auto found = open(through({stale.address(), sentinel.address()}));
  ASSERT_FALSE(found.ec) << found.detail;
  EXPECT_EQ(found.at, address_of(master));
}

TEST_F(RedisSentinel, OthersAreLearned) {
  test::redis_server master;
  test::redis_sentinel one(watching(master));
  test::redis_sentinel other(watching(master));
  const auto knows_other = [&] {
    return one.command({"SENTINEL", "sentinels", master_name})->size() == 1;
  };
  ASSERT_TRUE(test::eventually(knows_other, 20s)) << "the sentinels do not find each other";
  const auto options = through({one.address()});
  ASSERT_FALSE(open(options).ec);
  EXPECT_EQ(options.sentinel.memory->order().size(), 2U);
  one.kill();
  const auto found = open(options);
  EXPECT_FALSE(found.ec) << found.detail;
}

TEST_F(RedisSentinel, TlsToRedisToSentinelsAndToBoth) {
  test::scratch_directory directory;
  test::certificate_authority authority(directory.path(), "ours");
  test::redis_server_options serving;
  serving.tls.emplace();
  serving.tls->own = authority.issue("server");
  serving.tls->ca_file = authority.ca_file();
  test::redis_server master(serving);
  test::redis_sentinel_options guard = watching(master);
  guard.tls = serving.tls;
  test::redis_sentinel plain_named(guard);
  guard.master_port = master.tls_port();
  guard.extra_config = "tls-replication yes\n";
  test::redis_sentinel tls_named(guard);
  const server_address plain_named_tls{"127.0.0.1", plain_named.tls_port()};
  const server_address tls_named_tls{"127.0.0.1", tls_named.tls_port()};

  auto options = through({plain_named_tls});
  options.sentinel.has_tls = true;
  options.tls.ca_file = authority.ca_file();
  const auto to_sentinel = open(options);
  EXPECT_FALSE(to_sentinel.ec) << to_sentinel.detail;
  options = through({tls_named_tls});
  options.sentinel.has_tls = true;
  options.tls.ca_file = authority.ca_file();
  options.tls.is_on = true;
  const auto both = open(options);
  EXPECT_FALSE(both.ec) << both.detail;
  options = through({tls_named.address()});
  options.tls.ca_file = authority.ca_file();
  options.tls.is_on = true;
  const auto to_redis = open(options);
  EXPECT_FALSE(to_redis.ec) << to_redis.detail;
  options.sentinel.has_tls = true;  // but that is its plain port
  options.connect_timeout = 500ms;
  expect_words(open(options), {to_text(tls_named.address()), "--redis-sentinel-tls false"});
  options = through({tls_named_tls});
  expect_words(open(options), {to_text(tls_named_tls), "--redis-sentinel-tls true"});
}

// What a watch said, and the ways to wait for it.
struct observed {
  explicit observed(asio::any_io_executor ex) : changed(ex) {}
  master_watch::other_master callback() {
    return [this](const server_address& found) {
      masters.push_back(found);
      changed.notify_all();
    };
  }
  condition changed;
  std::vector<server_address> masters;
};

// A coroutine that waits for `is_true`, which blocks for a moment, beside a watch.
template <class F>
asio::awaitable<bool> eventually(F is_true) {
  const auto deadline = now() + 20s;
  while (!is_true()) {
    if (now() >= deadline) co_return false;
    co_await sleep_for(10ms);
  }
  co_return true;
}

bool has_subscriber(test::redis_sentinel& sentinel) {
  return !sentinel.command({"CLIENT", "LIST", "TYPE", "pubsub"})->text().empty();
}

std::int64_t commands_of(test::redis_sentinel& sentinel) {
  constexpr std::string_view key = "total_commands_processed:";
  const std::string text(sentinel.command({"INFO", "stats"})->text());
  const auto at = text.find(key);
  return at == std::string::npos ? 0 : std::stoll(text.substr(at + key.size()));
}

asio::awaitable<void> fail_over(master_watch& watch, observed& seen, test::redis_sentinel& doomed,
                                test::redis_sentinel& sentinel, std::string& trouble) {
  task_group group(co_await asio::this_coro::executor);
  group.spawn("watch", watch.run());
  const auto is_subscribed = [&doomed] { return has_subscriber(doomed); };
  const bool is_watching = co_await eventually(is_subscribed);
  if (!is_watching) trouble = "nobody subscribed";
  doomed.kill();
  // Refused until the sentinel has seen the replica.
  const auto takes_order = [&sentinel] {
    return !sentinel.command({"SENTINEL", "failover", master_name})->is_error();
  };
  const bool was_told = co_await eventually(takes_order);
  if (!was_told) trouble = "the sentinel refused to fail over";
  const auto deadline = now() + 20s;
  while (seen.masters.empty() && now() < deadline) co_await seen.changed.wait_until(deadline);
  watch.stop();
  co_await group.join();
}

TEST_F(RedisSentinel, TheWatchNoticesAFailover) {
  test::redis_server master(quick_to_sync()), replica;
  ASSERT_TRUE(follows(replica, master));
  test::redis_sentinel doomed(watching(master));
  test::redis_sentinel sentinel(watching(master));
  auto options = through({doomed.address(), sentinel.address()});
  observed seen(io_.get_executor());
  master_watch watch(io_.get_executor(), options, seen.callback(), 200ms);
  watch.set_current(address_of(master));
  std::string trouble;
  test::run_coro(io_, fail_over(watch, seen, doomed, sentinel, trouble), 60s);
  EXPECT_EQ(trouble, "");
  EXPECT_EQ(seen.masters, (std::vector{address_of(replica)}));
  const auto found = open(options);
  ASSERT_FALSE(found.ec) << found.detail;
  EXPECT_EQ(found.at, address_of(replica));
}

// Until the sentinel was asked some more times.
asio::awaitable<void> watch_for_a_while(master_watch& watch, test::redis_sentinel& sentinel,
                                        bool is_cancelled, bool& was_asked) {
  task_group group(co_await asio::this_coro::executor);
  group.spawn("watch", watch.run());
  std::int64_t commands = commands_of(sentinel);
  std::int64_t asked = 0;
  const auto is_asked = [&] {
    const std::int64_t before = commands;
    commands = commands_of(sentinel);
    asked += commands - before - 1;  // that question was one itself
    return asked > 8;
  };
  was_asked = co_await eventually(is_asked);
  if (is_cancelled) {
    group.cancel();
  } else {
    watch.stop();
  }
  co_await group.join();
}

TEST_F(RedisSentinel, TheWatchIsQuietWhileNothingChanges) {
  test::redis_server master;
  test::redis_sentinel sentinel(watching(master));
  for (const bool is_cancelled : {false, true}) {
    observed seen(io_.get_executor());
    master_watch watch(io_.get_executor(), through({sentinel.address()}), seen.callback(), 20ms);
    watch.set_current(address_of(master));
    bool was_asked = false;
    test::run_coro(io_, watch_for_a_while(watch, sentinel, is_cancelled, was_asked), 40s);
    EXPECT_TRUE(was_asked);
    EXPECT_TRUE(seen.masters.empty());
  }
}

TEST_F(RedisSentinel, TheWatchDoesNotBelieveAStaleSentinel) {
  test::redis_server old_master, master(quick_to_sync());
  ASSERT_TRUE(follows(old_master, master));
  test::redis_sentinel stale(watching(old_master));
  observed seen(io_.get_executor());
  master_watch watch(io_.get_executor(), through({stale.address()}), seen.callback(), 20ms);
  watch.set_current(address_of(master));
  bool was_asked = false;
  test::run_coro(io_, watch_for_a_while(watch, stale, false, was_asked), 40s);
  EXPECT_TRUE(was_asked);
  EXPECT_TRUE(seen.masters.empty());
}

asio::awaitable<void> watch_until_told(master_watch& watch, observed& seen) {
  task_group group(co_await asio::this_coro::executor);
  group.spawn("watch", watch.run());
  const auto deadline = now() + 10s;
  while (seen.masters.empty() && now() < deadline) co_await seen.changed.wait_until(deadline);
  watch.stop();
  co_await group.join();
}

// The announcement was missed: asking finds out.
TEST_F(RedisSentinel, TheWatchTellsWhoeverComesLate) {
  test::redis_server former, master;
  test::redis_sentinel sentinel(watching(master));
  observed seen(io_.get_executor());
  master_watch watch(io_.get_executor(), through({sentinel.address()}), seen.callback(), 50ms);
  watch.set_current(address_of(former));
  test::run_coro(io_, watch_until_told(watch, seen));
  EXPECT_EQ(seen.masters, (std::vector{address_of(master)}));
}

TEST_F(RedisSentinel, TheWatchNeedsSentinels) {
  observed seen(io_.get_executor());
  master_watch watch(io_.get_executor(), connection_options(), seen.callback());
  test::run_coro(io_, watch.run(), 1s);
  EXPECT_TRUE(seen.masters.empty());
}

}  // namespace
}  // namespace ordeal::net::redis
