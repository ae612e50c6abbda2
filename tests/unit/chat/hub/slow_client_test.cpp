// Goal: what waits for clients that do not read is bounded, in time for each and in memory for all.
#include "tests/unit/chat/hub/hub_fixture.h"

namespace ordeal::chat::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class SlowClient : public hub_fixture {
 protected:
  client join_room(const std::string& room) {
    client reader = connect_and_greet();
    invoke(reader, "1", "Join", R"([")" + room + R"(",null])");
    news(reader);
    return reader;
  }
  // The hub looks after its clients once in a while, by the clock.
  bool until(const std::function<bool()>& is_true) {
    const auto deadline = net::now() + seconds(20);
    while (!is_true() && net::now() < deadline) poll();
    return is_true();
  }
};

TEST_F(SlowClient, ThatTakesNothingIsCutOffEvenIfItPings) {
  hub_limits limits;
  limits.ping_interval = milliseconds(100);
  limits.client_timeout = milliseconds(600);
  start(limits);
  client quick = join_room("a");
  client stuck = join_room("a");
  stuck.wire->is_write_held = true;
  log.publish("a", "m1", "x");
  EXPECT_TRUE(until([&] {
    tell(stuck, R"({"type":6})");
    tell(quick, R"({"type":6})");
    return hub->session_count() == 1;
  }));
  EXPECT_TRUE(stuck.wire->is_gone);
  EXPECT_EQ(hub->counters().ends[end_cause::stalled], 1U);
  EXPECT_EQ(hub->counters().ends[end_cause::silent], 0U);
  EXPECT_EQ(quick.wire->close_code, 0) << "who takes what comes may be quiet";
}

// Method: as one frame goes the next message comes, so that something waits all the time.
TEST_F(SlowClient, ThatTakesALittleNowAndThenStays) {
  hub_limits limits;
  limits.frame_bytes_max = 1;  // a record a frame
  limits.ping_interval = milliseconds(100);
  limits.client_timeout = milliseconds(700);
  start(limits);
  client slow = join_room("a");
  slow.wire->is_write_held = true;
  int count = 0;
  const auto publish = [&] { log.publish("a", "m" + std::to_string(++count), "x"); };
  for (int i = 0; i < 30; ++i) publish();
  poll();
  const auto end = net::now() + 2 * limits.client_timeout;
  while (net::now() < end) {
    tell(slow, R"({"type":6})");
    slow.wire->let_one_write();
    publish();
    poll();
  }
  EXPECT_EQ(hub->session_count(), 1U);
  EXPECT_EQ(hub->counters().ends[end_cause::stalled], 0U);
}

TEST_F(SlowClient, GoesWhenTooMuchWaitsForAllTogether) {
  hub_limits limits;
  limits.out_queue_bytes_max = 40'000;
  limits.out_total_bytes_max = 100'000;
  limits.drain_pause_max = milliseconds(1);
  start(limits);
  std::vector<client> stuck;
  client quick = join_room("quick");
  for (int i = 0; i < 4; ++i) {
    stuck.push_back(join_room("r" + std::to_string(i)));
    stuck.back().wire->is_write_held = true;
    for (int k = 0; k < 3; ++k)
      log.publish("r" + std::to_string(i), "m" + std::to_string(k), std::string(10'000, 'x'));
    log.publish("quick", "q" + std::to_string(i), "x");
    poll();
    const auto later = net::now() + milliseconds(2);
    until([&] { return net::now() >= later; });
  }
  EXPECT_TRUE(until([&] { return stuck[0].wire->is_gone; })) << "the one that is stuck for longest";
  EXPECT_EQ(hub->session_count(), 4U);
  EXPECT_LE(hub->out_bytes(), limits.out_total_bytes_max);
  EXPECT_EQ(hub->counters().ends[end_cause::memory], 1U);
  EXPECT_EQ(news(quick).size(), 4U);
  EXPECT_FALSE(stuck[3].wire->is_gone);
}

TEST_F(SlowClient, IsNotWhoGetsTheSameAsAllOthers) {
  hub_limits limits;
  limits.out_queue_bytes_max = 40'000;
  limits.out_total_bytes_max = 100'000;
  start(limits);
  std::vector<client> all;
  for (int i = 0; i < 20; ++i) {
    all.push_back(join_room("a"));
    all.back().wire->is_write_held = true;
  }
  for (int k = 0; k < 3; ++k) log.publish("a", "m" + std::to_string(k), std::string(10'000, 'x'));
  poll();
  EXPECT_EQ(hub->session_count(), 20U) << "a record that they share is in memory once";
  EXPECT_LT(hub->out_bytes(), 40'000U);
}

TEST_F(SlowClient, ReplaysWaitWhileTooMuchWaits) {
  hub_limits limits;
  limits.out_queue_bytes_max = 40'000;
  limits.out_total_bytes_max = 45'000;
  limits.ping_interval = milliseconds(100);
  limits.client_timeout = seconds(2);
  start(limits);
  for (int k = 0; k < 30; ++k) log.publish("a", "m" + std::to_string(k), std::string(1'000, 'x'));
  std::vector<client> stuck;
  for (int i = 0; i < 6; ++i) {
    stuck.push_back(connect_and_greet());
    stuck.back().wire->is_write_held = true;
    invoke(stuck.back(), "1", "Join", R"(["a","log1:1-0"])");
    EXPECT_LE(hub->out_bytes(), limits.out_total_bytes_max + 15'000);
  }
  // They go, and who reads gets its turn.
  client reader = connect_and_greet();
  invoke(reader, "1", "Join", R"(["a","log1:1-0"])");
  std::size_t count = 0;
  EXPECT_TRUE(until([&] {
    tell(reader, R"({"type":6})");
    count += news(reader).size();
    return count >= 31;
  })) << count
      << " records; sessions " << hub->session_count() << ", bytes " << hub->out_bytes()
      << ", silent " << hub->counters().ends[end_cause::silent] << ", stalled "
      << hub->counters().ends[end_cause::stalled] << ", memory "
      << hub->counters().ends[end_cause::memory] << ", slow "
      << hub->counters().ends[end_cause::slow] << ", code " << reader.wire->close_code;
}

}  // namespace
}  // namespace ordeal::chat::test
