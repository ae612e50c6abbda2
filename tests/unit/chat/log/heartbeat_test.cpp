// Goal: beats tell deafness and readiness. Time is a number moved by hand; who holds what is told by
// holders_test.
#include "reference-server/log/heartbeat.h"

#include <gtest/gtest.h>

namespace ordeal::chat {
namespace {

using namespace std::chrono_literals;

class Heartbeat : public testing::Test {
 protected:
  heartbeat::time_point at(std::chrono::milliseconds since_start) const {
    return start_ + since_start;
  }

  const heartbeat::time_point start_{1'000s};
  heartbeat beats_{100ms, start_};
};

TEST_F(Heartbeat, IsDueAtOnceAndThenEachInterval) {
  EXPECT_LE(beats_.next_due(), at(0ms));
  beats_.on_due(at(0ms));
  EXPECT_EQ(beats_.next_due(), at(100ms));
  beats_.on_due(at(120ms));
  EXPECT_EQ(beats_.next_due(), at(220ms));
}

TEST_F(Heartbeat, ReadyOnlyWhileTheEchoIsRecent) {
  EXPECT_FALSE(beats_.is_echo_recent(at(0ms)));
  EXPECT_FALSE(beats_.echo_age(at(0ms)));
  beats_.on_progress(1, 1, at(10ms));
  EXPECT_TRUE(beats_.is_echo_recent(at(310ms)));
  EXPECT_FALSE(beats_.is_echo_recent(at(311ms)));
  EXPECT_EQ(beats_.echo_age(at(60ms)), 50ms);
}

TEST_F(Heartbeat, TheSameEchoAgainIsNoNewOne) {
  beats_.on_progress(1, 1, at(10ms));
  beats_.on_progress(1, 1, at(200ms));
  EXPECT_EQ(beats_.echo_age(at(210ms)), 200ms);
}

TEST_F(Heartbeat, OverdueWhenAppendedAndNotSeenForThreeIntervals) {
  EXPECT_FALSE(beats_.is_echo_overdue(at(900ms)));  // not in the log: that is another trouble
  beats_.on_progress(1, 0, at(5ms));
  EXPECT_FALSE(beats_.is_echo_overdue(at(305ms)));
  EXPECT_TRUE(beats_.is_echo_overdue(at(306ms)));
  beats_.on_progress(2, 0, at(105ms));
  EXPECT_TRUE(beats_.is_echo_overdue(at(306ms))) << "later beats do not excuse the first";
  beats_.on_progress(2, 1, at(310ms));
  EXPECT_FALSE(beats_.is_echo_overdue(at(900ms)));
}

TEST_F(Heartbeat, EchoBeforeTheReplyIsNotMissed) {
  beats_.on_progress(0, 1, at(1ms));
  beats_.on_progress(1, 1, at(2ms));
  EXPECT_FALSE(beats_.is_echo_overdue(at(900ms)));
}

TEST_F(Heartbeat, ReconnectStartsOver) {
  beats_.on_due(at(0ms));
  beats_.on_progress(1, 0, at(0ms));
  beats_.on_reconnect(at(50ms));
  EXPECT_FALSE(beats_.is_echo_overdue(at(900ms)));
  EXPECT_LE(beats_.next_due(), at(50ms));
}

TEST_F(Heartbeat, IsDueEarlyWhenMuchWasRead) {
  beats_.on_due(at(0ms));
  EXPECT_FALSE(beats_.on_read(heartbeat::read_bytes_max - 1, at(10ms)));
  EXPECT_EQ(beats_.next_due(), at(100ms));
  EXPECT_TRUE(beats_.on_read(1, at(20ms)));
  EXPECT_EQ(beats_.next_due(), at(20ms));
  beats_.on_due(at(25ms));
  EXPECT_FALSE(beats_.on_read(heartbeat::read_bytes_max - 1, at(30ms)));
}

}  // namespace
}  // namespace ordeal::chat
