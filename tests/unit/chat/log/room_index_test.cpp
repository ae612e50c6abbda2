// Goal: the index never says that a room has nothing where it may have something, and mostly knows that it has not.
#include "reference-server/log/room_index.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "tests/unit/chat/log/entries.h"

namespace ordeal::chat {
namespace {

using test::make_entry;

void note(room_index& index, std::uint64_t at, const std::string& room) {
  index.note(*make_entry(1, at, "text", room));
}

TEST(RoomIndex, KnowsWhereARoomHasMessages) {
  room_index index(10'000);
  for (std::uint64_t at = 1; at <= 3'000; ++at) note(index, at, at % 500 == 0 ? "a" : "b");
  EXPECT_EQ(index.first(0, 3'000, "a"), 500U);
  EXPECT_EQ(index.first(500, 3'000, "a"), 1'000U);
  EXPECT_EQ(index.first(2'500, 2'999, "a"), 0U);
  EXPECT_EQ(index.last(0, 2'999, "a"), 2'500U);
  EXPECT_EQ(index.last(2'500, 2'999, "a"), 0U);
  EXPECT_EQ(index.first(0, 3'000, "b"), 1U);
  EXPECT_EQ(index.first(0, 3'000, "empty"), 0U);
}

TEST(RoomIndex, AHeartbeatIsOfNoRoom) {
  room_index index(10'000);
  index.note(*test::make_beat({1, 1}, "origin", "1 1-5 2"));
  EXPECT_EQ(index.first(0, 1, ""), 0U);
}

TEST(RoomIndex, SaysPerhapsWhereItKnowsNothing) {
  room_index index(10'000);
  EXPECT_EQ(index.first(0, 100, "a"), 1U);
  EXPECT_EQ(index.last(0, 100, "a"), 100U);
  for (std::uint64_t at = 2'000; at <= 2'010; ++at) note(index, at, "b");
  EXPECT_EQ(index.first(1'999, 2'011, "a"), 2'011U);
  EXPECT_EQ(index.first(1'999, 2'010, "a"), 0U);
  EXPECT_EQ(index.first(1'998, 2'010, "a"), 1'999U);
  EXPECT_EQ(index.last(1'000, 2'010, "a"), 1'999U);
}

TEST(RoomIndex, ForgetsABranchThatIsLeft) {
  room_index index(10'000);
  for (std::uint64_t at = 1; at <= 5'000; ++at) note(index, at, "b");
  index.truncate(1'500);
  EXPECT_EQ(index.first(0, 1'500, "a"), 0U);
  EXPECT_EQ(index.first(0, 5'000, "a"), 1'501U);
  note(index, 1'501, "a");
  EXPECT_EQ(index.first(0, 5'000, "a"), 1'501U);
  EXPECT_EQ(index.first(1'501, 5'000, "a"), 1'502U) << "not known yet";
  index.truncate(0);
  EXPECT_EQ(index.first(0, 5'000, "c"), 1U);
}

TEST(RoomIndex, ForgetsTheOldestAboveItsSize) {
  room_index index(4'096);
  for (std::uint64_t at = 1; at <= 100'000; ++at) note(index, at, "b");
  EXPECT_EQ(index.first(0, 100'000, "a"), 1U);
  EXPECT_EQ(index.first(100'000 - 4'096, 100'000, "a"), 0U);
}

// Method: random notes and cuts beside a plain list of what is there; whatever holds the room must be found.
TEST(RoomIndex, MissesNothing) {
  std::mt19937 random(7);
  const auto draw = [&random](std::uint64_t most) { return random() % most; };
  for (int round = 0; round < 20; ++round) {
    room_index index(8'000);
    std::vector<std::string> rooms(6'001);
    std::uint64_t end = 1;
    for (int step = 0; step < 40; ++step) {
      if (draw(5) == 0 && end > 1) {
        end = 1 + draw(end);
        index.truncate(end - 1);
      }
      for (std::uint64_t count = draw(400); count > 0 && end <= 6'000; --count, ++end) {
        rooms[end] = std::to_string(draw(200));
        if (draw(50) != 0) note(index, end, rooms[end]);
      }
      const std::string room = std::to_string(draw(200));
      std::vector<std::uint64_t> expected, found;
      for (std::uint64_t at = 1; at < end; ++at) {
        if (rooms[at] == room) expected.push_back(at);
      }
      for (std::uint64_t at = index.first(0, end - 1, room); at != 0;
           at = index.first(at, end - 1, room)) {
        if (rooms[at] == room) found.push_back(at);
      }
      ASSERT_EQ(found, expected);
    }
  }
}

}  // namespace
}  // namespace ordeal::chat
