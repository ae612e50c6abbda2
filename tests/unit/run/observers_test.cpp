// What the observers decide about their readings; and that the readings of this very process make sense.
#include <gtest/gtest.h>

#include "harness/run/observers/clock_observer.h"
#include "harness/run/observers/fleet_observer.h"
#include "harness/run/observers/log_observer.h"
#include "harness/run/observers/node_observer.h"

namespace ordeal::harness {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

clock_readings at(nanoseconds wall, nanoseconds monotonic, nanoseconds boot) {
  return {seconds(1'000'000) + wall, seconds(500) + monotonic, seconds(700) + boot};
}

TEST(ClockObserver, EvenTimeIsNoJump) {
  EXPECT_FALSE(find_jump(at({}, {}, {}), at(seconds(1), seconds(1), seconds(1))));
  // Slewed, as fast as a daemon may.
  EXPECT_FALSE(find_jump(at({}, {}, {}), at(milliseconds(1'083), seconds(1), seconds(1))));
  EXPECT_FALSE(find_jump(at({}, {}, {}), at(milliseconds(9'170), seconds(10), seconds(10))))
      << "ten seconds between two readings";
}

TEST(ClockObserver, AStepOfTheWallClockIsSeenBothWays) {
  const auto ahead = find_jump(at({}, {}, {}), at(milliseconds(1'101), seconds(1), seconds(1)));
  ASSERT_TRUE(ahead);
  EXPECT_EQ(ahead->step, milliseconds(101));
  EXPECT_FALSE(ahead->was_suspended);
  const auto back = find_jump(at({}, {}, {}), at(-seconds(60), seconds(1), seconds(1)));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->step, -seconds(61));
}

TEST(ClockObserver, ASleepIsOneEvent) {
  const auto slept = find_jump(at({}, {}, {}), at(seconds(31), seconds(1), seconds(31)));
  ASSERT_TRUE(slept);
  EXPECT_EQ(slept->step, seconds(30));
  EXPECT_TRUE(slept->was_suspended);
}

TEST(ClockObserver, ReadsThisMachine) {
  const auto before = read_clocks();
  const auto after = read_clocks();
  ASSERT_TRUE(before && after);
  EXPECT_LE(before->monotonic, after->monotonic);
  EXPECT_LE(before->boot, after->boot);
  EXPECT_GT(before->wall, seconds(1'600'000'000)) << "the wall clock counts from 1970";
}

TEST(LoopMeter, ReportsOnceASecond) {
  const net::time_point begun{};
  loop_meter meter(begun, milliseconds(500));
  auto now = begun;
  for (int ring = 0; ring < 9; ++ring) {
    EXPECT_EQ(meter.due(), now + milliseconds(100));
    now = meter.due();
    EXPECT_FALSE(meter.rang(now, milliseconds(600)));
  }
  const auto usage = meter.rang(meter.due(), milliseconds(750));
  ASSERT_TRUE(usage);
  EXPECT_EQ(usage->busy_permille, 250U);
  EXPECT_EQ(usage->stall, nanoseconds(0));
  EXPECT_EQ(usage->overflowed, 0U);
}

TEST(LoopMeter, KeepsTheLongestStallOfEachSecond) {
  const net::time_point begun{};
  loop_meter meter(begun, {});
  EXPECT_FALSE(meter.rang(meter.due() + milliseconds(5), {}));
  EXPECT_FALSE(meter.rang(meter.due() + milliseconds(300), {}));
  const auto usage = meter.rang(meter.due() + milliseconds(700), milliseconds(1'305));
  ASSERT_TRUE(usage);
  EXPECT_EQ(usage->stall, milliseconds(700));
  EXPECT_EQ(usage->busy_permille, 1'000U);
  auto calm = meter.rang(meter.due(), milliseconds(1'305));
  while (!calm) calm = meter.rang(meter.due(), milliseconds(1'305));
  EXPECT_EQ(calm->stall, nanoseconds(0));
  EXPECT_EQ(calm->busy_permille, 0U);
}

TEST(NodeObserver, ReadsResidentPages) {
  EXPECT_EQ(parse_resident_pages("730 446 419 5 0 89 0"), 446U);
  for (const char* const line : {"", "730", "730 ", "730 x"}) {
    EXPECT_FALSE(parse_resident_pages(line)) << line;
  }
}

TEST(LogObserver, EqualLinesAreOneAndTroubleComesFirst) {
  std::vector<std::string> lines{"client-1 came", "client-2 came",
                                 "2026-11-27T19:12:33.5Z ERROR AUTH hunter2 refused"};
  auto heard = reasons_in(lines, node_id{1}, seconds(3), {"hunter2"});
  ASSERT_EQ(heard.size(), 2U);
  EXPECT_EQ(heard[0].text, "client-# came");
  EXPECT_EQ(heard[0].count, 2U);
  EXPECT_EQ(heard[1].text, "ERROR AUTH *** refused");
  EXPECT_EQ(heard[1].at, seconds(3));
  lines.clear();
  for (char c = 'a'; c <= 'z'; ++c) lines.push_back(std::string("said ") + c);
  lines.emplace_back("ERROR at the end");
  heard = reasons_in(lines, node_id{1}, seconds(3), {});
  ASSERT_EQ(heard.size(), 12U);
  EXPECT_EQ(heard[0].text, "ERROR at the end");
}

}  // namespace
}  // namespace ordeal::harness
