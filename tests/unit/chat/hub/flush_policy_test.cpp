#include "reference-server/hub/flush_policy.h"

#include <gtest/gtest.h>

namespace ordeal::chat {
namespace {

using std::chrono::microseconds;

TEST(FlushPolicy, TheFirstFlushMayStartAtOnce) {
  const flush_policy policy{flush_pacing{}};
  EXPECT_LE(policy.due(), net::now());
}

TEST(FlushPolicy, PausesInProportionToTheCost) {
  flush_policy policy{flush_pacing{4, microseconds(8'000)}};
  const net::time_point start{};
  policy.on_flushed(start, start + microseconds(500));
  EXPECT_EQ(policy.due(), start + microseconds(2'500));
}

TEST(FlushPolicy, NeverPausesLongerThanTheCap) {
  flush_policy policy{flush_pacing{4, microseconds(8'000)}};
  const net::time_point start{};
  policy.on_flushed(start, start + microseconds(100'000));
  EXPECT_EQ(policy.due(), start + microseconds(108'000));
}

// Method: flush whenever it is allowed for a second of simulated time, each flush costs 0.7 ms.
TEST(FlushPolicy, BoundsTheShareOfACore) {
  flush_policy policy{flush_pacing{4, microseconds(8'000)}};
  net::time_point now{};
  const auto end = now + std::chrono::seconds(1);
  microseconds busy{0};
  while (now < end) {
    const auto started = now;
    now += microseconds(700);
    busy += microseconds(700);
    policy.on_flushed(started, now);
    now = policy.due();
  }
  EXPECT_LE(busy, microseconds(201'000));
  EXPECT_GE(busy, microseconds(190'000));
}

}  // namespace
}  // namespace ordeal::chat
