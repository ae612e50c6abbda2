// Goal: a node that was away reads what it missed as fast as its clients take it, without being taken for deaf, and
// what is up to date never waits.
#include "tests/integration/chat/log/log_nodes.h"
#include "tests/integration/chat/log/redis_gate.h"

namespace ordeal::test {
namespace {

using namespace std::chrono_literals;

class Backlog : public LogNodes {
 protected:
  // Appends `count` messages of 10,000 bytes that `away` does not get.
  void miss(log_node& writer, log_node& away, std::size_t count) {
    gate_.shut();
    ASSERT_TRUE(until("away", [&] { return !away.is_ready(); }));
    const std::size_t before = writer.read.size();
    for (std::size_t i = 0; i < count; ++i)
      append(writer, std::to_string(i), "room", std::string(10'000, 'x'));
    ASSERT_TRUE(until("appended", [&] { return writer.read.size() == before + count; }));
  }
  // `away` has got the first part of what it missed, and waits for its clients.
  void be_held_up(log_node& writer, log_node& away, std::size_t count) {
    away.part_bytes = 100'000;
    miss(writer, away, count);
    away.is_crowded = true;
    gate_.open();
    ASSERT_TRUE(until("the first part is there", [&] { return away.parts_waited == 1; }));
  }
  chat::log_options away_options() {
    auto options = options_for(server_);
    options.redis.port = gate_.port();
    return options;
  }

  redis_server server_;
  redis_gate gate_{io_, server_.port()};
};

TEST_F(Backlog, IsReadNoFasterThanClientsTakeIt) {
  log_node& writer = add_ready_node(options_for(server_));
  log_node& away = add_ready_node(away_options());
  be_held_up(writer, away, 200);
  EXPECT_LE(away.read.size(), 10U);
  const auto reconnects = away.log->health().reconnects;
  ASSERT_TRUE(until("own heartbeats would be overdue",
                    [&] { return away.log->health().behind_age > 1'000ms; }));
  const chat::log_health& health = away.log->health();
  EXPECT_TRUE(health.is_paced);
  EXPECT_FALSE(health.is_ready);
  EXPECT_EQ(health.reconnects, reconnects) << "who waits for its clients is not deaf";
  EXPECT_EQ(away.parts_waited, 1);
  away.take_on();
  ASSERT_TRUE(until("caught up", [&] { return away.read.size() == 200; }));
  EXPECT_EQ(away.ids(), writer.ids());
  EXPECT_GE(away.parts_waited, 20);
  EXPECT_TRUE(until("ready", [&] { return away.is_ready(); }));
  gate_.close();
}

TEST_F(Backlog, NobodyWaitsWhereThereIsNone) {
  log_node& node = add_ready_node(options_for(server_));
  node.is_crowded = true;
  for (int i = 0; i < 5; ++i) append_now(node, std::to_string(i));
  EXPECT_TRUE(until("read", [&] { return node.read.size() == 5; }));
  EXPECT_EQ(node.parts_waited, 0);
}

// What was read of a log that is another one meanwhile is not handed over.
TEST_F(Backlog, OfALogThatWasReplacedIsDropped) {
  log_node& writer = add_ready_node(options_for(server_));
  log_node& away = add_ready_node(away_options());
  be_held_up(writer, away, 100);
  ASSERT_FALSE(server_.command({"FLUSHALL"})->is_error());
  ASSERT_TRUE(until("recovered", [&] { return away.log->health().recoveries == 1; }));
  away.take_on();
  ASSERT_TRUE(until("caught up", [&] { return away.read.size() == 100; }));
  EXPECT_EQ(away.ids(), writer.ids());
  EXPECT_EQ(away.gaps.size() + away.forks.size(), 0U);
  gate_.close();
}

}  // namespace
}  // namespace ordeal::test
