// Rooms, cursors and the fan-out of the hub: who gets what, in which order on the wire.
#include <algorithm>

#include "tests/unit/chat/hub/hub_fixture.h"

namespace ordeal::chat::test {
namespace {

class Join : public hub_fixture {};

TEST_F(Join, WithoutCursorStartsAtThePresent) {
  start();
  log.publish("a", "m1", "before");
  client reader = connect_and_greet();
  invoke(reader, "1", "Join", R"(["a",null])");
  log.publish("a", "m2", "after");
  log.publish("b", "m3", "elsewhere");
  poll();
  EXPECT_EQ(news(reader), (lines{"1=log1:1-1", "Message(a,log1:1-2,m2,after)"}));
}

TEST_F(Join, EveryMemberGetsTheSameRecord) {
  start();
  client first = connect_and_greet();
  client second = connect_and_greet();
  for (client* reader : {&first, &second}) invoke(*reader, "1", "Join", R"(["a",null])");
  invoke(first, "2", "Send", R"(["a","m1","hello"])");
  EXPECT_EQ(news(second), (lines{"1=log1:1-0", "Message(a,log1:1-1,m1,hello)"}));
  EXPECT_EQ(news(first), (lines{"1=log1:1-0", "Message(a,log1:1-1,m1,hello)", "2=log1:1-1"}));
}

TEST_F(Join, WritesWhatIsQueuedAsOneFrame) {
  start();
  client reader = connect_and_greet();
  invoke(reader, "1", "Join", R"(["a",null])");
  news(reader);
  const std::size_t frames_before = reader.wire->frames.size();
  for (const char* id : {"m1", "m2", "m3"}) log.publish("a", id, "x");
  poll();
  EXPECT_EQ(news(reader).size(), 3U);
  EXPECT_EQ(reader.wire->frames.size(), frames_before + 1);
}

TEST_F(Join, ResumesWithItsOwnCursorThenWhatItMissed) {
  start();
  for (const char* id : {"m1", "m2", "m3"}) log.publish("a", id, "x");
  log.publish("b", "m4", "x");
  client reader = connect_and_greet();
  invoke(reader, "1", "Join", R"(["a","log1:1-1"])");
  log.publish("a", "m5", "x");
  poll();
  EXPECT_EQ(news(reader), (lines{"1=log1:1-1", "Message(a,log1:1-2,m2,x)",
                                 "Message(a,log1:1-3,m3,x)", "Message(a,log1:1-5,m5,x)"}));
}

// H17: what is read from the log while the replay is under way comes behind it, once.
TEST_F(Join, HoldsLiveMessagesBehindTheReplay) {
  start();
  log.publish("a", "m1", "x");
  client reader = connect_and_greet();
  log.is_range_held = true;
  invoke(reader, "1", "Join", R"(["a","log1:1-0"])");
  log.publish("a", "m2", "x");
  log.publish("a", "m3", "x");
  poll();
  EXPECT_EQ(news(reader), lines{});
  log.let_go();
  poll();
  EXPECT_EQ(news(reader), (lines{"1=log1:1-0", "Message(a,log1:1-1,m1,x)",
                                 "Message(a,log1:1-2,m2,x)", "Message(a,log1:1-3,m3,x)"}));
}

TEST_F(Join, ReplaysALongPastInSteps) {
  hub_limits limits;
  limits.out_queue_bytes_max = 8'000;  // 1,000 a step
  start(limits);
  const std::string text(100, 'x');
  lines expected{"1=log1:1-3"};
  for (int i = 1; i <= 57; ++i) {
    log.publish("a", "m" + std::to_string(i), text);
    if (i > 3)
      expected.push_back("Message(a,log1:1-" + std::to_string(i) + ",m" + std::to_string(i) + "," +
                         text + ")");
  }
  client reader = connect_and_greet();
  invoke(reader, "1", "Join", R"(["a","log1:1-3"])");
  EXPECT_EQ(news(reader), expected);
  EXPECT_EQ(log.range_count, 6U);
}

TEST_F(Join, ReplaysMoreThanTheQueueHolds) {
  hub_limits limits;
  limits.message_bytes_max = 1'000;
  limits.out_queue_bytes_max = 30'000;
  start(limits);
  const std::string text(1'000, 'x');
  for (int i = 1; i <= 100; ++i) log.publish("a", "m" + std::to_string(i), text);
  client reader = connect_and_greet();
  reader.wire->is_write_held = true;
  invoke(reader, "1", "Join", R"(["a","log1:1-0"])");
  EXPECT_EQ(news(reader), lines{});
  reader.wire->let_write();
  poll();
  EXPECT_EQ(news(reader).size(), 101U) << "the replay waits for the client instead of overflowing";
  EXPECT_EQ(hub->session_count(), 1U);
}

// Whoever reads nothing costs the node a step of its replay, of however many rooms, and no second read.
TEST_F(Join, ReadsTheNextStepWhenTheClientHasTakenTheLast) {
  hub_limits limits;
  limits.out_queue_bytes_max = 80'000;
  start(limits);
  const std::string text(1'000, 'x');
  for (int i = 1; i <= 300; ++i) log.publish(i % 2 == 0 ? "a" : "b", "m" + std::to_string(i), text);
  client reader = connect_and_greet();
  reader.wire->is_write_held = true;
  invoke(reader, "1", "Join", R"(["a","log1:1-0"])");
  invoke(reader, "2", "Join", R"(["b","log1:1-0"])");
  EXPECT_EQ(log.range_count, 1U);
  EXPECT_LT(hub->out_bytes(), 15'000U);
  reader.wire->let_write();
  poll();
  EXPECT_EQ(news(reader).size(), 302U);
  EXPECT_EQ(hub->counters().replayed, 300U);
  EXPECT_EQ(hub->out_bytes(), 0U);
}

// Rooms take turns: one with a long past does not keep the others waiting.
TEST_F(Join, ReplaysRoomsByTurns) {
  hub_limits limits;
  limits.out_queue_bytes_max = 80'000;
  start(limits);
  const std::string text(1'000, 'x');
  for (int i = 1; i <= 100; ++i) log.publish("a", "m" + std::to_string(i), text);
  log.publish("b", "m101", text);
  client reader = connect_and_greet();
  reader.wire->is_write_held = true;
  invoke(reader, "1", "Join", R"(["a","log1:1-0"])");
  invoke(reader, "2", "Join", R"(["b","log1:1-0"])");
  reader.wire->let_write();
  poll();
  const lines got = news(reader);
  ASSERT_EQ(got.size(), 103U);
  const auto second = std::find(got.begin(), got.end(), "2=log1:1-0");
  ASSERT_NE(second, got.end());
  EXPECT_LT(second - got.begin(), 30);
}

// New messages are not collected behind a replay that does not get on.
TEST_F(Join, HoldsNothingBackWhileItReplays) {
  hub_limits limits;
  limits.out_queue_bytes_max = 8'000;
  start(limits);
  const std::string text(500, 'x');
  for (int i = 1; i <= 20; ++i) log.publish("a", "m" + std::to_string(i), text);
  client reader = connect_and_greet();
  reader.wire->is_write_held = true;
  invoke(reader, "1", "Join", R"(["a","log1:1-0"])");
  for (int i = 21; i <= 100; ++i) log.publish("a", "m" + std::to_string(i), text);
  poll();
  EXPECT_EQ(hub->counters().ends[end_cause::slow], 0U);
  reader.wire->let_write();
  poll();
  const lines got = news(reader);
  ASSERT_EQ(got.size(), 101U);
  for (int i = 1; i <= 100; ++i)
    EXPECT_NE(got[static_cast<std::size_t>(i)].find(",m" + std::to_string(i) + ","),
              std::string::npos);
}

// H16: the client has read further than this node.
TEST_F(Join, FiltersWhatAClientAheadOfTheNodeHasAlready) {
  start();
  log.publish("a", "m1", "x");
  client reader = connect_and_greet();
  invoke(reader, "1", "Join", R"(["a","log1:1-3"])");
  for (const char* id : {"m2", "m3", "m4"}) log.publish("a", id, "x");
  poll();
  EXPECT_EQ(news(reader), (lines{"1=log1:1-3", "Message(a,log1:1-4,m4,x)"}));
}

TEST_F(Join, ResetsACursorFromTheFuture) {
  start();
  log.publish("a", "m1", "x");
  log.check_answer = place_with(range_status::future);
  client reader = connect_and_greet();
  invoke(reader, "1", "Join", R"(["a","log1:1-9"])");
  log.publish("a", "m2", "x");
  poll();
  EXPECT_EQ(news(reader), (lines{"Reset(a,the cursor is ahead of the log,log1:1-9,-)", "1=log1:1-1",
                                 "Message(a,log1:1-2,m2,x)"}));
}

TEST_F(Join, ResetsACursorOfAnotherLogOrOfNobody) {
  start();
  client reader = connect_and_greet();
  invoke(reader, "1", "Join", R"(["a","log2:1-0"])");
  invoke(reader, "2", "Join", R"(["b","nonsense"])");
  EXPECT_EQ(news(reader),
            (lines{"Reset(a,the cursor belongs to another log,log2:1-0,-)", "1=log1:1-0",
                   "Reset(b,the cursor is not one of this server,-,-)", "2=log1:1-0"}));
}

TEST_F(Join, ResetsACursorWhoseMessagesAreGone) {
  start();
  for (const char* id : {"m1", "m2"}) log.publish("a", id, "x");
  log.range_answer = range_status::trimmed;
  client reader = connect_and_greet();
  invoke(reader, "1", "Join", R"(["a","log1:1-1"])");
  log.publish("a", "m3", "x");
  poll();
  EXPECT_EQ(news(reader),
            (lines{"Reset(a,messages after the cursor are no longer kept,log1:1-1,log1:1-2)",
                   "1=log1:1-2", "Message(a,log1:1-3,m3,x)"}));
}

TEST_F(Join, MayBeRepeatedWhenTheLogCannotBeRead) {
  start();
  log.publish("a", "m1", "x");
  log.range_answer = range_status::unavailable;
  client reader = connect_and_greet();
  invoke(reader, "1", "Join", R"(["a","log1:1-0"])");
  EXPECT_EQ(news(reader), lines{"1!retry: the log cannot be read at the moment"});
  EXPECT_EQ(hub->room_count(), 0U);
  log.range_answer = range_status::ok;
  invoke(reader, "2", "Join", R"(["a","log1:1-0"])");
  EXPECT_EQ(news(reader), (lines{"2=log1:1-0", "Message(a,log1:1-1,m1,x)"}));
}

TEST_F(Join, MustWaitForANodeThatHasNoLogYet) {
  start();
  log.health().log_id.clear();
  client reader = connect_and_greet();
  invoke(reader, "1", "Join", R"(["a",null])");
  EXPECT_EQ(news(reader), lines{"1!retry: this node has not reached its log yet"});
}

TEST_F(Join, AgainOnTheSameConnectionResumes) {
  start();
  client reader = connect_and_greet();
  invoke(reader, "1", "Join", R"(["a",null])");
  log.publish("a", "m1", "x");
  poll();
  invoke(reader, "2", "Join", R"(["a","log1:1-0"])");
  log.publish("a", "m2", "x");
  poll();
  EXPECT_EQ(news(reader), (lines{"1=log1:1-0", "Message(a,log1:1-1,m1,x)", "2=log1:1-0",
                                 "Message(a,log1:1-1,m1,x)", "Message(a,log1:1-2,m2,x)"}));
}

TEST_F(Join, IsSupersededByALaterLeave) {
  start();
  log.publish("a", "m1", "x");
  client reader = connect_and_greet();
  log.is_range_held = true;
  invoke(reader, "1", "Join", R"(["a","log1:1-0"])");
  invoke(reader, "2", "Leave", R"(["a"])");
  log.let_go();
  poll();
  EXPECT_EQ(news(reader),
            (lines{"2=", "1!retry: superseded by a later Join or Leave of this room"}));
  EXPECT_EQ(hub->room_count(), 0U);
}

TEST_F(Join, KeepsTheLimitOfRooms) {
  hub_limits limits;
  limits.rooms_per_client_max = 2;
  start(limits);
  client reader = connect_and_greet();
  invoke(reader, "1", "Join", R"(["a",null])");
  invoke(reader, "2", "Join", R"(["b",null])");
  invoke(reader, "3", "Join", R"(["c",null])");
  invoke(reader, "4", "Join", R"(["b",null])");
  EXPECT_EQ(news(reader), (lines{"1=log1:1-0", "2=log1:1-0",
                                 "3!refused: a client may be in 2 rooms at most", "4=log1:1-0"}));
}

TEST_F(Join, EndsWithLeave) {
  start();
  client reader = connect_and_greet();
  invoke(reader, "1", "Join", R"(["a",null])");
  invoke(reader, "2", "Leave", R"(["a"])");
  log.publish("a", "m1", "x");
  poll();
  EXPECT_EQ(news(reader), (lines{"1=log1:1-0", "2="}));
}

TEST_F(Join, AGapOfTheNodeResetsEveryRoom) {
  start();
  log.publish("a", "m1", "x");
  client reader = connect_and_greet();
  invoke(reader, "1", "Join", R"(["a","log1:1-0"])");
  invoke(reader, "2", "Join", R"(["b",null])");
  log.publish("a", "m2", "x");
  poll();
  news(reader);
  log.health().last_read = position{1, 9};
  hub->on_gap(3, 9);
  log.publish("b", "m3", "x");
  poll();
  const std::string why = ",this node could not read messages before they were trimmed,";
  EXPECT_EQ(news(reader),
            (lines{"Reset(a" + why + "log1:1-2,log1:1-9)", "Reset(b" + why + "log1:1-1,log1:1-9)",
                   "Message(b,log1:1-10,m3,x)"}))
      << "from where each room was, to where it goes on";
  EXPECT_EQ(hub->counters().resets[reset_cause::gap], 2U);
}

TEST_F(Join, ASlowClientIsCutOffAndNobodyElseNotices) {
  hub_limits limits;
  limits.out_queue_bytes_max = 500;
  start(limits);
  client slow = connect_and_greet();
  client quick = connect_and_greet();
  for (client* reader : {&slow, &quick}) {
    invoke(*reader, "1", "Join", R"(["a",null])");
    news(*reader);
  }
  slow.wire->is_write_held = true;
  lines expected;
  for (int i = 1; i <= 20; ++i) {
    log.publish("a", "m" + std::to_string(i), "x");
    expected.push_back("Message(a,log1:1-" + std::to_string(i) + ",m" + std::to_string(i) + ",x)");
    poll();
  }
  EXPECT_EQ(news(quick), expected);
  slow.wire->let_write();
  poll();
  EXPECT_EQ(news(slow),
            (lines{expected.front(), "close(too slow: resume with your cursor,reconnect)"}))
      << "what was being written, then the end: nothing behind a gap";
  EXPECT_EQ(slow.wire->close_code, 1008);
  EXPECT_EQ(hub->session_count(), 1U);
  EXPECT_EQ(hub->counters().ends[end_cause::slow], 1U);
}

}  // namespace
}  // namespace ordeal::chat::test
