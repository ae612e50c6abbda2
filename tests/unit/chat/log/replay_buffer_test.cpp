// Goal: the buffer knows exactly what it is complete for, keeps its bounds, and picks rooms and
// ranges right.
#include "reference-server/log/replay_buffer.h"

#include <gtest/gtest.h>

#include "tests/unit/chat/log/entries.h"

namespace ordeal::chat {
namespace {

using test::make_entry;

std::vector<std::uint64_t> indexes(const replay_buffer& buffer, std::uint64_t after,
                                   std::uint64_t upto, std::string_view room = "room") {
  std::vector<entry_ptr> found;
  buffer.collect(after, upto, room, found);
  std::vector<std::uint64_t> result;
  for (const entry_ptr& each : found) result.push_back(each->at.index);
  return result;
}

TEST(ReplayBuffer, IsCompleteFromWhereItStarted) {
  replay_buffer buffer(10, 1U << 20);
  buffer.reset(100);
  EXPECT_TRUE(buffer.covers(100));
  EXPECT_TRUE(buffer.covers(200));
  EXPECT_FALSE(buffer.covers(99));
}

TEST(ReplayBuffer, CollectsTheRoomWithinTheRange) {
  replay_buffer buffer(10, 1U << 20);
  for (const std::uint64_t index : {2U, 3U, 5U, 8U}) buffer.add(make_entry(1, index));
  buffer.add(make_entry(1, 9, "text", "other"));
  EXPECT_EQ(indexes(buffer, 2, 8), (std::vector<std::uint64_t>{3, 5, 8}));
  EXPECT_EQ(indexes(buffer, 0, 4), (std::vector<std::uint64_t>{2, 3}));
  EXPECT_EQ(indexes(buffer, 0, 99, "other"), (std::vector<std::uint64_t>{9}));
  EXPECT_TRUE(indexes(buffer, 9, 99).empty());
}

TEST(ReplayBuffer, DropsTheOldestAboveItsCount) {
  replay_buffer buffer(2, 1U << 20);
  for (const std::uint64_t index : {1U, 4U, 6U}) buffer.add(make_entry(1, index));
  EXPECT_EQ(buffer.size(), 2U);
  EXPECT_TRUE(buffer.covers(1));
  EXPECT_FALSE(buffer.covers(0));
  EXPECT_EQ(indexes(buffer, 1, 99), (std::vector<std::uint64_t>{4, 6}));
}

TEST(ReplayBuffer, DropsTheOldestAboveItsBytes) {
  replay_buffer buffer(1'000, 10'000);
  for (std::uint64_t index = 1; index <= 20; ++index)
    buffer.add(make_entry(1, index, std::string(1'000, 'x')));
  EXPECT_LT(buffer.size(), 10U);
  EXPECT_GT(buffer.size(), 5U);
  EXPECT_TRUE(buffer.covers(20 - buffer.size()));
  EXPECT_FALSE(buffer.covers(19 - buffer.size()));
}

TEST(ReplayBuffer, ForgetsEverythingAtAGap) {
  replay_buffer buffer(10, 1U << 20);
  buffer.add(make_entry(1, 5));
  buffer.reset(20);
  EXPECT_FALSE(buffer.covers(5));
  EXPECT_TRUE(buffer.covers(20));
  EXPECT_TRUE(indexes(buffer, 0, 99).empty());
}

}  // namespace
}  // namespace ordeal::chat
