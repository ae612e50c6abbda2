// Goal: a log never stands still because it has filled Redis: it fits by itself, gives way when the
// memory does not suffice after all, and says so when nothing is left to give.
#include "reference-server/log/log_commands.h"
#include "tests/integration/chat/log/log_nodes.h"

namespace ordeal::test {
namespace {

using chat::append_status;
using chat::log_state;

constexpr std::size_t large_bytes = 60'000;
constexpr std::size_t large_total = 500;  // 30 MB
constexpr std::size_t in_flight = 25;

redis_server_options with_memory(std::string_view maxmemory) {
  redis_server_options options;
  options.extra_config = "maxmemory " + std::string(maxmemory) + "\n";
  return options;
}

class Retention : public LogNodes {
 protected:
  // Through both nodes in turn; the next ones when these were read, so that replies on their way take little memory.
  void send(log_node& one, log_node& two, std::size_t count, std::size_t bytes) {
    for (std::size_t sent = 0; sent < count && !HasFatalFailure(); sent += in_flight) {
      std::vector<outcome_ptr> outcomes;
      for (std::size_t i = sent; i < sent + in_flight; ++i)
        outcomes.push_back(
            append(i % 2 == 0 ? one : two, std::to_string(i), "room", std::string(bytes, 'm')));
      ASSERT_TRUE(until("read", [&] {
        return one.read.size() == sent + in_flight && two.read.size() == sent + in_flight;
      }));
      for (const outcome_ptr& each : outcomes) {
        ASSERT_TRUE(until("answered", [&] { return each->has_value(); }));
        ASSERT_EQ((*each)->status, append_status::appended) << (*each)->reason;
      }
    }
    EXPECT_TRUE(one.gaps.empty());
    EXPECT_TRUE(two.gaps.empty());
  }
};

TEST_F(Retention, TheDefaultFitsRedis) {
  redis_server server(with_memory("32mb"));
  log_node& one = add_ready_node(options_for(server));
  log_node& two = add_ready_node(options_for(server));
  send(one, two, large_total, large_bytes);
  const chat::log_health& health = one.log->health();
  EXPECT_EQ(health.retained_bytes, 16U << 20);
  EXPECT_LE(health.log_bytes, (16U << 20) + (1U << 20));
  EXPECT_GT(health.log_entries, 200U) << "and no more went than had to";
  EXPECT_EQ(health.trimmed_early + two.log->health().trimmed_early, 0U);
}

TEST_F(Retention, TheOldestMakeRoomWhenRedisIsFull) {
  redis_server server(with_memory("16mb"));
  auto options = options_for(server);
  options.retained_bytes = 1U << 30;
  log_node& one = add_ready_node(options);
  log_node& two = add_ready_node(options);
  send(one, two, large_total, large_bytes);
  EXPECT_GT(one.log->health().trimmed_early + two.log->health().trimmed_early, 100U);
  EXPECT_GE(one.log->health().log_entries, chat::kept_entries_min);
  EXPECT_EQ(one.log->health().reconnects + two.log->health().reconnects, 0U);
}

TEST_F(Retention, ASmallerLimitIsReachedAfterARestart) {
  redis_server server;
  auto options = options_for(server);
  log_node& before = add_ready_node(options);
  for (int i = 0; i < 3'000; ++i) append(before, std::to_string(i));
  ASSERT_TRUE(until("read", [&] { return before.read.size() == 3'000; }));
  stop(before, std::chrono::seconds(5));
  options.retained_entries = 300;
  log_node& after = add_node(options);
  ASSERT_TRUE(until("trimmed", [&] {
    const std::uint64_t entries = after.log->health().log_entries;
    return after.is_ready() && entries >= 300 && entries < 500;
  }));
  EXPECT_EQ(append_now(after, "new").status, append_status::appended);
}

// Whatever is done to order the log writes little, and must not wait for memory.
TEST_F(Retention, ARecoveryOfAFullRedis) {
  redis_server server;
  log_node& one = add_ready_node(options_for(server));
  log_node& two = add_ready_node(options_for(server));
  send(one, two, 400, 100);
  ASSERT_FALSE(server.command({"CONFIG", "SET", "maxmemory", "1"})->is_error());
  ASSERT_EQ(server.command({"DEL", "{chat}:meta"})->integer(), 1);
  ASSERT_TRUE(until("recovered, and down to what stays", [&] {
    const std::string& reason = one.log->health().reason;
    return one.log->health().recoveries == 1 && one.state() == log_state::open &&
           reason.find("down to its newest 128 entries: raise its maxmemory") != std::string::npos;
  }));
  EXPECT_EQ(server.command({"XLEN", "{chat}:log"})->integer(), 128);
  ASSERT_FALSE(server.command({"CONFIG", "SET", "maxmemory", "0"})->is_error());
  ASSERT_TRUE(until("ready", [&] { return one.is_ready() && two.is_ready(); }));
  EXPECT_EQ(append_now(one, "after").status, append_status::appended);
  EXPECT_TRUE(two.gaps.empty());
}

}  // namespace
}  // namespace ordeal::test
