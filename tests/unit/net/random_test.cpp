// Random streams: the same seed and name give the same draws everywhere, and streams do not disturb
// each other.
#include "net/async/random.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

namespace ordeal::net {
namespace {

std::vector<std::uint64_t> draws(random_stream stream, int count = 20) {
  std::vector<std::uint64_t> drawn;
  for (int i = 0; i < count; ++i) drawn.push_back(stream.next());
  return drawn;
}

TEST(RandomStream, SameSeedSameDraws) {
  EXPECT_EQ(draws(random_stream(42, "fault", 3)), draws(random_stream(42, "fault", 3)));
}

// A literal: a change of the generator would silently change every plan that people kept a seed of.
TEST(RandomStream, DrawsAreTheSameInEveryBuild) {
  random_stream stream(1, "reference");
  EXPECT_EQ(stream.next(), 15739965462885399977ULL);
  EXPECT_EQ(stream.next(), 18378682153033266101ULL);
}

TEST(RandomStream, SeedNameAndIndexEachMakeAnotherStream) {
  const std::set<std::vector<std::uint64_t>> streams{
      draws(random_stream(1, "a", 0)), draws(random_stream(2, "a", 0)),
      draws(random_stream(1, "b", 0)), draws(random_stream(1, "a", 1)),
      draws(random_stream(1, "", 0))};
  EXPECT_EQ(streams.size(), 5U);
}

TEST(RandomStream, BelowStaysBelowAndReachesEveryValue) {
  random_stream stream(7, "dice");
  std::vector<int> counts(6);
  for (int i = 0; i < 6000; ++i) ++counts[stream.below(6)];
  for (const int count : counts) {
    EXPECT_GT(count, 800);
    EXPECT_LT(count, 1200);
  }
  for (int i = 0; i < 100; ++i) EXPECT_EQ(stream.below(1), 0U);
  for (int i = 0; i < 100; ++i) EXPECT_LT(stream.below(UINT64_MAX), UINT64_MAX);
}

TEST(RandomStream, UnitIsInItsIntervalAndCentred) {
  random_stream stream(7, "unit");
  double sum = 0;
  for (int i = 0; i < 10'000; ++i) {
    const double value = stream.unit();
    ASSERT_GE(value, 0.0);
    ASSERT_LT(value, 1.0);
    sum += value;
  }
  EXPECT_NEAR(sum / 10'000, 0.5, 0.02);
}

TEST(RandomId, HasLengthAlphabetAndNoTwin) {
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) {
    const std::string id = random_id(13);
    EXPECT_EQ(id.size(), 13U);
    EXPECT_EQ(id.find_first_not_of("0123456789abcdefghijklmnopqrstuv"), std::string::npos);
    seen.insert(id);
  }
  EXPECT_EQ(seen.size(), 1000U);
}

}  // namespace
}  // namespace ordeal::net
