// Goal: the buffer knows exactly what it is complete for and keeps its bounds.
#include "reference-server/log/replay_buffer.h"

#include <gtest/gtest.h>

#include "tests/unit/chat/log/entries.h"

namespace ordeal::chat {
namespace {

using test::make_entry;
void fill(replay_buffer& buffer, std::uint64_t from, std::uint64_t to) {
  for (std::uint64_t index = from; index <= to; ++index) buffer.add(make_entry(1, index));
}

TEST(ReplayBuffer, IsCompleteFromWhereItStarted) {
  replay_buffer buffer(10, 1U << 20);
  buffer.reset(100);
  EXPECT_TRUE(buffer.covers(100));
  EXPECT_TRUE(buffer.covers(200));
  EXPECT_FALSE(buffer.covers(99));
  EXPECT_EQ(buffer.low(), 101U);
  EXPECT_EQ(buffer.end(), 101U);
}

TEST(ReplayBuffer, FindsAnEntryByItsIndex) {
  replay_buffer buffer(3, 1U << 20);
  buffer.reset(6);
  fill(buffer, 7, 11);
  EXPECT_EQ(buffer.low(), 9U);
  EXPECT_EQ(buffer.end(), 12U);
  EXPECT_EQ(buffer.at(8), nullptr) << "dropped";
  ASSERT_NE(buffer.at(9), nullptr);
  EXPECT_EQ(buffer.at(9)->at, (position{1, 9}));
  EXPECT_EQ(buffer.at(11)->at, (position{1, 11}));
  EXPECT_EQ(buffer.at(12), nullptr) << "not there yet";
  EXPECT_EQ(buffer.at(0), nullptr);
}

TEST(ReplayBuffer, DropsTheOldestAboveItsCount) {
  replay_buffer buffer(2, 1U << 20);
  fill(buffer, 1, 3);
  EXPECT_EQ(buffer.size(), 2U);
  EXPECT_TRUE(buffer.covers(1));
  EXPECT_FALSE(buffer.covers(0));
  EXPECT_EQ(buffer.at(1), nullptr);
  EXPECT_NE(buffer.at(2), nullptr);
}

TEST(ReplayBuffer, DropsTheOldestAboveItsBytes) {
  replay_buffer buffer(1'000, 10'000);
  for (std::uint64_t index = 1; index <= 20; ++index)
    buffer.add(make_entry(1, index, std::string(1'000, 'x')));
  EXPECT_LT(buffer.size(), 10U);
  EXPECT_GT(buffer.size(), 5U);
  EXPECT_LE(buffer.bytes(), 10'000U);
  EXPECT_TRUE(buffer.covers(20 - buffer.size()));
  EXPECT_FALSE(buffer.covers(19 - buffer.size()));
}

TEST(ReplayBuffer, ForgetsEverythingAtAGap) {
  replay_buffer buffer(10, 1U << 20);
  buffer.reset(4);
  fill(buffer, 5, 5);
  buffer.reset(20);
  EXPECT_FALSE(buffer.covers(5));
  EXPECT_TRUE(buffer.covers(20));
  EXPECT_EQ(buffer.bytes(), 0U);
  EXPECT_EQ(buffer.size(), 0U);
}

TEST(ReplayBuffer, TruncatesWhatLiesAboveAnIndex) {
  replay_buffer buffer(10, 1U << 20);
  fill(buffer, 1, 8);
  const std::size_t bytes_of_all = buffer.bytes();
  buffer.truncate(5);
  EXPECT_EQ(buffer.end(), 6U);
  EXPECT_EQ(buffer.low(), 1U);
  EXPECT_EQ(buffer.at(6), nullptr);
  EXPECT_LT(buffer.bytes(), bytes_of_all);
  buffer.add(make_entry(2, 6));
  EXPECT_EQ(buffer.at(6)->at, (position{2, 6})) << "the other branch goes on from there";
}

TEST(ReplayBuffer, TruncatedToNothingGoesOnWhereTheLogDoes) {
  replay_buffer buffer(3, 1U << 20);
  fill(buffer, 1, 8);
  ASSERT_EQ(buffer.low(), 6U);
  buffer.truncate(4);
  EXPECT_EQ(buffer.size(), 0U);
  EXPECT_EQ(buffer.bytes(), 0U);
  EXPECT_EQ(buffer.low(), 5U);
  EXPECT_TRUE(buffer.covers(4));
  EXPECT_FALSE(buffer.covers(3));
  buffer.add(make_entry(2, 5));
  EXPECT_EQ(buffer.end(), 6U);
}

TEST(ReplayBuffer, TruncatingAboveItsEndChangesNothing) {
  replay_buffer buffer(3, 1U << 20);
  fill(buffer, 1, 3);
  buffer.truncate(3);
  EXPECT_EQ(buffer.end(), 4U);
  EXPECT_EQ(buffer.size(), 3U);
}

}  // namespace
}  // namespace ordeal::chat
