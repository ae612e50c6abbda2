// Delays stay within their ceiling and use all of it; nodes are tried in turn.
#include "harness/fleet/backoff.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace ordeal::harness {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

backoff make_backoff(std::uint64_t seed = 1) {
  return backoff(milliseconds(50), milliseconds(2'000), net::random_stream(seed, "test"));
}

TEST(Backoff, CeilingDoublesUpToTheLargest) {
  const int ceilings_ms[] = {50, 100, 200, 400, 800, 1'600, 2'000, 2'000, 2'000};
  std::vector<nanoseconds> longest(std::size(ceilings_ms)),
      shortest(longest.size(), nanoseconds::max());
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    auto delays = make_backoff(seed);
    for (std::size_t step = 0; step < longest.size(); ++step) {
      const auto delay = delays.next();
      longest[step] = std::max(longest[step], delay);
      shortest[step] = std::min(shortest[step], delay);
    }
  }
  for (std::size_t step = 0; step < longest.size(); ++step) {
    const milliseconds ceiling(ceilings_ms[step]);
    EXPECT_LE(longest[step], ceiling) << "step " << step;
    EXPECT_GT(longest[step], ceiling * 9 / 10) << "step " << step;
    EXPECT_LT(shortest[step], ceiling / 10) << "full jitter, step " << step;
    EXPECT_GE(shortest[step], nanoseconds(0));
  }
}

TEST(Backoff, ResetStartsSmallAgain) {
  auto delays = make_backoff();
  for (int step = 0; step < 8; ++step) delays.next();
  for (int count = 0; count < 100; ++count) {
    delays.reset();
    EXPECT_LE(delays.next(), milliseconds(50));
  }
}

TEST(Backoff, SameStreamSameDelays) {
  auto one = make_backoff(), other = make_backoff();
  for (int step = 0; step < 20; ++step) EXPECT_EQ(one.next(), other.next());
}

TEST(ReconnectPolicy, StaysAtHome) {
  reconnect_policy policy(node_id{2}, 3, false, make_backoff());
  for (int count = 0; count < 5; ++count) {
    EXPECT_EQ(policy.node(), node_id{2});
    policy.on_lost();
  }
}

TEST(ReconnectPolicy, TriesTheOthersInTurn) {
  reconnect_policy policy(node_id{1}, 3, true, make_backoff());
  for (const std::uint32_t expected : {1U, 2U, 0U, 1U}) {
    EXPECT_EQ(policy.node(), node_id{expected});
    policy.on_lost();
  }
}

TEST(ReconnectPolicy, ServedConnectionForgetsTheFailures) {
  reconnect_policy policy(node_id{0}, 1, false, make_backoff());
  for (int count = 0; count < 20; ++count) policy.on_lost();
  policy.on_served();
  EXPECT_LE(policy.on_lost(), milliseconds(50));
}

}  // namespace
}  // namespace ordeal::harness
