// Goal: the buffer knows exactly what it is complete for, keeps its bounds, and picks rooms and
// ranges right.
#include "reference-server/log/replay_buffer.h"

#include <gtest/gtest.h>

#include "tests/unit/chat/log/entries.h"

namespace ordeal::chat {
namespace {

using test::make_entry;
using numbers = std::vector<std::uint64_t>;

numbers indexes(const replay_buffer& buffer, std::uint64_t after, std::uint64_t upto,
                std::string_view room = "room") {
  std::vector<entry_ptr> found;
  buffer.collect(after, upto, room, found);
  numbers result;
  for (const entry_ptr& each : found) result.push_back(each->at.index);
  return result;
}

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

TEST(ReplayBuffer, CollectsTheRoomWithinTheRange) {
  replay_buffer buffer(10, 1U << 20);
  buffer.reset(1);
  for (const std::uint64_t index : {2U, 3U, 4U, 5U})
    buffer.add(make_entry(1, index, "text", index == 4 ? "other" : "room"));
  buffer.add(test::make_beat({1, 6}, "origin", "1 1-5 2"));
  EXPECT_EQ(indexes(buffer, 2, 5), (numbers{3, 5}));
  EXPECT_EQ(indexes(buffer, 0, 4), (numbers{2, 3}));
  EXPECT_EQ(indexes(buffer, 0, 99, "other"), (numbers{4}));
  EXPECT_TRUE(indexes(buffer, 5, 99).empty());
  EXPECT_TRUE(indexes(buffer, 0, 99, "").empty()) << "a heartbeat is no message";
}

TEST(ReplayBuffer, CollectsUpToWhereThereIsEnough) {
  replay_buffer buffer(10, 1U << 20);
  for (std::uint64_t index = 1; index <= 6; ++index)
    buffer.add(make_entry(1, index, std::string(1'000, 'x'), index == 2 ? "other" : "room"));
  std::vector<entry_ptr> found;
  EXPECT_EQ(buffer.collect(0, 6, "room", found, 2'000), 3U);
  EXPECT_EQ(found.size(), 2U);
  EXPECT_EQ(buffer.collect(3, 6, "room", found, 1), 4U) << "one at least";
  EXPECT_EQ(buffer.collect(4, 6, "other", found, 1), 6U) << "there is none up to the end";
  EXPECT_EQ(found.size(), 3U);
}

TEST(ReplayBuffer, DropsTheOldestAboveItsCount) {
  replay_buffer buffer(2, 1U << 20);
  fill(buffer, 1, 3);
  EXPECT_EQ(buffer.size(), 2U);
  EXPECT_TRUE(buffer.covers(1));
  EXPECT_FALSE(buffer.covers(0));
  EXPECT_EQ(indexes(buffer, 1, 99), (numbers{2, 3}));
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
  EXPECT_TRUE(indexes(buffer, 0, 99).empty());
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
