// What clients get when the log goes on without entries that they have seen: a notice with the
// range, then only what is new to them, whether they stay, resume, or are in the middle of a replay.
#include "tests/unit/chat/hub/hub_fixture.h"

namespace ordeal::chat::test {
namespace {

constexpr const char* fork_words = "messages there are no longer in the log";

class Fork : public hub_fixture {
 protected:
  // "a" has messages at 1-1 to 1-4.
  void fill() {
    for (const char* id : {"m1", "m2", "m3", "m4"}) log.publish("a", id, "x");
  }
  static cursor_place on_lost_branch(position common) {
    cursor_place place;
    place.status = range_status::ok;
    place.from = common;
    return place;
  }
};

TEST_F(Fork, IsToldWithItsRangeAndNothingComesTwice) {
  start();
  client reader = connect_and_greet();
  invoke(reader, "1", "Join", R"(["a",null])");
  fill();
  poll();
  news(reader);
  log.fork({1, 2}, 2);
  log.publish("a", "other", "x");
  log.publish("a", "m3", "x", position{1, 3});
  log.publish("a", "m5", "x");
  poll();
  EXPECT_EQ(news(reader), (lines{std::string("Fork(a,") + fork_words + ",log1:1-2,log1:1-4)",
                                 "Message(a,log1:2-3,other,x)", "Message(a,log1:2-5,m5,x)"}));
  EXPECT_EQ(hub->counters().resets[reset_cause::fork], 0U) << "the client misses nothing";
}

TEST_F(Fork, IsNoNewsForAClientThatHasSeenNothingOfIt) {
  start();
  log.publish("a", "m1", "x");
  client reader = connect_and_greet();
  invoke(reader, "1", "Join", R"(["a",null])");
  for (const char* id : {"m2", "m3"}) log.publish("b", id, "x");  // in a room of others
  poll();
  news(reader);
  log.fork({1, 1}, 2);
  log.publish("a", "m4", "x");
  poll();
  EXPECT_EQ(news(reader), lines{"Message(a,log1:2-2,m4,x)"});
}

TEST_F(Fork, ToAnotherLogIsAReset) {
  start();
  client reader = connect_and_greet();
  invoke(reader, "1", "Join", R"(["a",null])");
  fill();
  poll();
  news(reader);
  log.health().log_id = "log2";
  log.fork({}, 7);
  log.health().last_read = position{7, 40};
  log.publish("a", "m9", "x");
  poll();
  EXPECT_EQ(news(reader), (lines{"Reset(a,the log was replaced by another one,-,-)",
                                 "Message(a,log2:7-41,m9,x)"}));
  EXPECT_EQ(hub->counters().resets[reset_cause::fork], 1U);
}

TEST_F(Fork, DuringAReplayEndsTheConnectionForResume) {
  start();
  fill();
  client reader = connect_and_greet();
  log.is_range_held = true;
  invoke(reader, "1", "Join", R"(["a","log1:1-0"])");
  log.fork({1, 2}, 2);
  poll();
  log.let_go();
  poll();
  const lines got = news(reader);
  ASSERT_FALSE(got.empty());
  EXPECT_EQ(got.back(), "close(the log has changed: resume with your cursor,reconnect)");
  for (const std::string& each : got)
    EXPECT_EQ(each.find("Message"), std::string::npos) << "of a branch that is lost: " << each;
}

TEST_F(Fork, OnlyThoseInTheMiddleOfAReplayMustResume) {
  start();
  fill();
  client live = connect_and_greet();
  client joining = connect_and_greet();
  invoke(live, "1", "Join", R"(["a",null])");
  log.is_range_held = true;
  invoke(joining, "1", "Join", R"(["a","log1:1-0"])");
  news(live);
  log.fork({1, 2}, 2);
  log.let_go();
  poll();
  EXPECT_EQ(news(live), lines{std::string("Fork(a,") + fork_words + ",log1:1-2,log1:1-4)"});
  EXPECT_EQ(hub->session_count(), 1U);
}

// The cursor lies on a lost branch that this node has seen, too.
TEST_F(Fork, ResumedFromALostBranchGoesOnBehindIt) {
  start();
  log.publish("a", "m1", "x");
  log.publish("a", "m2", "x");
  log.fork({1, 2}, 2);
  log.publish("a", "other", "x");
  log.publish("a", "m3", "x", position{1, 3});
  log.publish("a", "m5", "x", position{1, 5});
  log.places[position{1, 4}] = on_lost_branch({1, 2});
  client reader = connect_and_greet();
  invoke(reader, "1", "Join", R"(["a","log1:1-4"])");
  log.publish("a", "m4", "x", position{1, 4});
  log.publish("a", "m6", "x");
  poll();
  EXPECT_EQ(news(reader), (lines{"1=log1:1-4", "Message(a,log1:2-3,other,x)",
                                 "Message(a,log1:2-5,m5,x)", "Message(a,log1:2-7,m6,x)"}))
      << "m3 and m4 were seen there, m5 was not";
  EXPECT_EQ(hub->counters().replayed, 2U);
}

TEST_F(Fork, ResumedFromALostBranchWhoseEndIsThePresentWaitsForNews) {
  start();
  log.publish("a", "m1", "x");
  log.places[position{1, 3}] = on_lost_branch({1, 1});
  client reader = connect_and_greet();
  invoke(reader, "1", "Join", R"(["a","log1:1-3"])");
  log.publish("a", "m2", "x", position{1, 2});
  log.publish("a", "m4", "x");
  poll();
  EXPECT_EQ(news(reader), (lines{"1=log1:1-3", "Message(a,log1:1-3,m4,x)"}));
}

TEST_F(Fork, ResumedFromABranchThatNobodyHereKnowsIsAReset) {
  start();
  fill();
  cursor_place lost = place_with(range_status::forked);
  lost.lost_from = {1, 3};
  lost.lost_to = {1, 9};
  log.places[position{1, 9}] = lost;
  client reader = connect_and_greet();
  invoke(reader, "1", "Join", R"(["a","log1:1-9"])");
  log.publish("a", "m5", "x");
  poll();
  EXPECT_EQ(
      news(reader),
      (lines{"Reset(a,the cursor lies on a branch of the log that was lost,log1:1-3,log1:1-9)",
             "1=log1:1-4", "Message(a,log1:1-5,m5,x)"}));
  EXPECT_EQ(hub->counters().resets[reset_cause::fork], 1U);
}

TEST_F(Fork, AheadOfTheNodeIsDecidedByTheLog) {
  start();
  fill();
  cursor_place lost = place_with(range_status::forked);
  lost.lost_from = {1, 5};
  lost.lost_to = {1, 9};
  log.check_answer = lost;
  client reader = connect_and_greet();
  invoke(reader, "1", "Join", R"(["a","log1:1-9"])");
  EXPECT_EQ(log.check_count, 1U);
  EXPECT_EQ(
      news(reader),
      (lines{"Reset(a,the cursor lies on a branch of the log that was lost,log1:1-5,log1:1-9)",
             "1=log1:1-4"}));
}

TEST_F(Fork, ARetryAfterItMayBeJoinedWithoutOldSeenPositions) {
  start();
  log.publish("a", "m1", "x");
  log.places[position{1, 3}] = on_lost_branch({1, 1});
  client reader = connect_and_greet();
  invoke(reader, "1", "Join", R"(["a","log1:1-3"])");
  invoke(reader, "2", "Join", R"(["a","log1:1-1"])");
  log.publish("a", "m2", "x", position{1, 2});
  poll();
  EXPECT_EQ(news(reader), (lines{"1=log1:1-3", "2=log1:1-1", "Message(a,log1:1-2,m2,x)"}))
      << "who asks from before the fork gets all of it";
}

}  // namespace
}  // namespace ordeal::chat::test
