// Goal: behind its log a node waits for clients that take what it gives them, for no others, and not for ever.
#include "reference-server/hub/catch_up.h"

#include "tests/unit/chat/hub/hub_fixture.h"

namespace ordeal::chat::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class CatchUp : public hub_fixture {
 protected:
  static hub_limits small() {
    hub_limits limits;
    limits.out_queue_bytes_max = 4'000;  // crowded above 1,000
    limits.drain_pause_max = seconds(60);
    return limits;
  }
  client join_room() {
    client reader = connect_and_greet();
    invoke(reader, "1", "Join", R"(["a",null])");
    news(reader);
    return reader;
  }
  void publish_part() {
    for (int i = 0; i < 12; ++i) log.publish("a", "m" + std::to_string(++published_), text_);
  }
  // As the log does: the part, and at once the question.
  asio::awaitable<void> hand_over() {
    publish_part();
    co_await hub->wait_for_clients();
    is_over_ = true;
  }
  void start_part() {
    is_over_ = false;
    tasks().spawn("part", hand_over());
    poll();
  }
  bool ends() {
    const auto deadline = net::now() + seconds(20);
    while (!is_over_ && net::now() < deadline) poll();
    return is_over_;
  }

  bool is_over_ = false;

 private:
  std::string text_ = std::string(50, 'x');
  int published_ = 0;
};

TEST_F(CatchUp, DoesNotWaitWhereEverybodyTakesWhatComes) {
  start(small());
  client reader = join_room();
  start_part();
  EXPECT_TRUE(is_over_);
  EXPECT_EQ(news(reader).size(), 12U);
}

TEST_F(CatchUp, WaitsForAClientThatDrains) {
  start(small());
  client reader = join_room();
  reader.wire->is_write_held = true;
  start_part();
  EXPECT_FALSE(is_over_);
  reader.wire->let_write();
  poll();
  EXPECT_TRUE(is_over_);
  EXPECT_EQ(news(reader).size(), 12U);
  EXPECT_GT(hub->counters().catch_up_wait.count(), 0);
}

TEST_F(CatchUp, DoesNotWaitForAClientThatTakesNothing) {
  hub_limits limits = small();
  limits.drain_pause_max = milliseconds(1);
  start(limits);
  client stuck = join_room();
  stuck.wire->is_write_held = true;
  start_part();
  EXPECT_TRUE(ends());
  EXPECT_LT(hub->counters().catch_up_wait, seconds(5));
  publish_part();
  publish_part();
  publish_part();
  poll();
  EXPECT_EQ(hub->counters().ends[end_cause::slow], 0U) << "it is told so when it reads on";
  stuck.wire->let_write();
  poll();
  EXPECT_EQ(news(stuck).back(), "close(too slow: resume with your cursor,reconnect)");
}

TEST_F(CatchUp, WaitsNoLongerThanItsPatience) {
  hub_limits limits = small();
  limits.catch_up_wait = milliseconds(5);
  start(limits);
  client slow = join_room();
  slow.wire->is_write_held = true;
  start_part();
  EXPECT_TRUE(ends());
  start_part();
  EXPECT_TRUE(ends());
  EXPECT_LT(hub->counters().catch_up_wait, seconds(5));
}

TEST_F(CatchUp, DoesNotWaitForAClientThatGoes) {
  start(small());
  client slow = join_room();
  slow.wire->is_write_held = true;
  start_part();
  EXPECT_FALSE(is_over_);
  slow.wire->hang_up();
  poll();
  EXPECT_TRUE(is_over_);
}

}  // namespace
}  // namespace ordeal::chat::test
