// Goal: beats tell deafness, readiness and stability. Time is a number moved by hand.
#include "reference-server/log/heartbeat.h"

#include <gtest/gtest.h>

namespace ordeal::chat {
namespace {

using namespace std::chrono_literals;

class Heartbeat : public testing::Test {
 protected:
  static entry beat(std::string origin, std::string text) {
    entry result;
    result.kind = entry_kind::heartbeat;
    result.origin = std::move(origin);
    result.text = std::move(text);
    return result;
  }
  heartbeat::time_point at(std::chrono::milliseconds since_start) const {
    return start_ + since_start;
  }

  const heartbeat::time_point start_{1'000s};
  heartbeat beats_{"me", 100ms, start_};
};

TEST_F(Heartbeat, IsDueAtOnceAndThenEachInterval) {
  EXPECT_LE(beats_.next_due(), at(0ms));
  EXPECT_EQ(beats_.make_beat({1, 5}, at(0ms)), "1 1-5");
  EXPECT_EQ(beats_.next_due(), at(100ms));
  EXPECT_EQ(beats_.make_beat({1, 8}, at(120ms)), "2 1-8");
  EXPECT_EQ(beats_.next_due(), at(220ms));
}

TEST_F(Heartbeat, ReadyOnlyWhileTheEchoIsRecent) {
  EXPECT_FALSE(beats_.is_echo_recent(at(0ms)));
  EXPECT_FALSE(beats_.echo_age(at(0ms)));
  beats_.on_entry(beat("me", beats_.make_beat({1, 1}, at(0ms))), at(10ms));
  EXPECT_TRUE(beats_.is_echo_recent(at(310ms)));
  EXPECT_FALSE(beats_.is_echo_recent(at(311ms)));
  EXPECT_EQ(beats_.echo_age(at(60ms)), 50ms);
}

TEST_F(Heartbeat, OthersBeatsAreNoEcho) {
  beats_.on_entry(beat("other", "1 1-1"), at(10ms));
  EXPECT_FALSE(beats_.is_echo_recent(at(10ms)));
}

TEST_F(Heartbeat, OverdueWhenAppendedAndNotSeenForThreeIntervals) {
  beats_.make_beat({1, 1}, at(0ms));
  EXPECT_FALSE(beats_.is_echo_overdue(at(900ms)));  // not in the log: that is another trouble
  beats_.on_appended(at(5ms));
  EXPECT_FALSE(beats_.is_echo_overdue(at(305ms)));
  EXPECT_TRUE(beats_.is_echo_overdue(at(306ms)));
  beats_.make_beat({1, 1}, at(100ms));
  beats_.on_appended(at(105ms));
  EXPECT_TRUE(beats_.is_echo_overdue(at(306ms))) << "later beats do not excuse the first";
}

TEST_F(Heartbeat, EchoBeforeTheReplyIsNotMissed) {
  const auto text = beats_.make_beat({1, 1}, at(0ms));
  beats_.on_entry(beat("me", text), at(1ms));
  beats_.on_appended(at(2ms));
  EXPECT_FALSE(beats_.is_echo_overdue(at(900ms)));
}

TEST_F(Heartbeat, ReconnectStartsOver) {
  beats_.make_beat({1, 1}, at(0ms));
  beats_.on_appended(at(0ms));
  beats_.on_reconnect(at(50ms));
  EXPECT_FALSE(beats_.is_echo_overdue(at(900ms)));
  EXPECT_LE(beats_.next_due(), at(50ms));
}

TEST_F(Heartbeat, AnotherNodesPositionMakesStable) {
  beats_.on_entry(beat("other", "7 1-40"), at(10ms));
  EXPECT_EQ(beats_.stable_index(), 40U);
  beats_.on_entry(beat("third", "1 1-30"), at(11ms));
  EXPECT_EQ(beats_.stable_index(), 40U);
}

TEST_F(Heartbeat, OwnEchoMakesStableOnlyWhenAlone) {
  beats_.on_entry(beat("me", beats_.make_beat({1, 9}, at(0ms))), at(10ms));
  EXPECT_EQ(beats_.stable_index(), 0U) << "others are presumed at first";
  beats_.on_entry(beat("other", "1 1-3"), at(200ms));
  beats_.on_entry(beat("me", beats_.make_beat({1, 9}, at(400ms))), at(410ms));
  EXPECT_EQ(beats_.stable_index(), 3U);
  beats_.on_entry(beat("me", beats_.make_beat({1, 12}, at(500ms))), at(510ms));
  EXPECT_EQ(beats_.stable_index(), 12U) << "the other is silent for more than three intervals";
}

TEST_F(Heartbeat, IsDueEarlyWhenMuchWasRead) {
  beats_.make_beat({1, 1}, at(0ms));
  EXPECT_FALSE(beats_.on_read(heartbeat::read_bytes_max - 1, at(10ms)));
  EXPECT_EQ(beats_.next_due(), at(100ms));
  EXPECT_TRUE(beats_.on_read(1, at(20ms)));
  EXPECT_EQ(beats_.next_due(), at(20ms));
  beats_.make_beat({1, 1}, at(25ms));
  EXPECT_FALSE(beats_.on_read(heartbeat::read_bytes_max - 1, at(30ms)));
}

TEST_F(Heartbeat, IgnoresTextsItDoesNotUnderstand) {
  for (const char* text : {"", "1", "1 ", "x 1-1", "1 1", "1 1-x"})
    beats_.on_entry(beat("me", text), at(1ms));
  EXPECT_FALSE(beats_.is_echo_recent(at(1ms)));
}

}  // namespace
}  // namespace ordeal::chat
