// Goal: what other nodes hold is believed as far as their beats say, as long as they are heard, and
// on this branch only.
#include "reference-server/log/holders.h"

#include <gtest/gtest.h>

#include "tests/unit/chat/log/entries.h"

namespace ordeal::chat {
namespace {

beat_text beat_of(std::uint64_t low, std::uint64_t upto) {
  static std::uint64_t written = 0;
  beat_text beat;
  beat.number = ++written;
  beat.read = {1, upto};
  beat.low = low;
  return beat;
}

TEST(BeatText, SurvivesTheRoundTrip) {
  beat_text beat;
  beat.number = 7;
  beat.read = {3, 40};
  beat.low = 12;
  EXPECT_EQ(format_beat(beat), "7 3-40 12");
  const auto parsed = parse_beat("7 3-40 12");
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->number, 7U);
  EXPECT_EQ(parsed->read, (position{3, 40}));
  EXPECT_EQ(parsed->low, 12U);
}

TEST(BeatText, RefusesWhatIsNotOne) {
  for (const char* text :
       {"", " ", "  ", "1", "1 ", "1 1-1", "1 1-1 ", "x 1-1 1", "1 1-x 1", "1 11 1", "1 1-1 x",
        "1 1-1 1 ", " 1 1-1 1", "1  1-1 1", "1 1-1 1 1", "-1 1-1 1", "1 1-1 18446744073709551616"})
    EXPECT_FALSE(parse_beat(text)) << "'" << text << "'";
}

TEST(Holders, HoldFromTheirLowToWhatTheyHaveRead) {
  holders known;
  EXPECT_FALSE(known.is_held(5)) << "nobody is there";
  EXPECT_EQ(known.kept_from(), 0U);
  known.on_other_beat("b", beat_of(5, 40));
  EXPECT_EQ(known.kept_from(), 5U);
  EXPECT_TRUE(known.is_held(5));
  EXPECT_TRUE(known.is_held(40));
  EXPECT_FALSE(known.is_held(41));
}

// What lies below is older than anything that another node will ever keep: waiting for it would be
// waiting for ever.
TEST(Holders, WhatIsOlderThanAnyOtherKeepsCountsAsHeld) {
  holders known;
  known.on_other_beat("b", beat_of(15, 20));
  known.on_other_beat("c", beat_of(10, 12));
  EXPECT_EQ(known.kept_from(), 10U);
  EXPECT_TRUE(known.is_held(9));
  EXPECT_TRUE(known.is_held(12));
  EXPECT_FALSE(known.is_held(13)) << "c is going to read it";
  EXPECT_FALSE(known.is_held(14));
  EXPECT_TRUE(known.is_held(15));
}

TEST(Holders, TheLatestBeatReplacesTheOneBefore) {
  holders known;
  known.on_other_beat("b", beat_of(1, 40));
  known.on_other_beat("b", beat_of(8, 30));
  EXPECT_TRUE(known.is_held(30));
  EXPECT_FALSE(known.is_held(31));
  EXPECT_EQ(known.kept_from(), 8U);
  EXPECT_EQ(known.all().size(), 1U);
}

TEST(Holders, MembersAreAllWhoHaveWritten) {
  holders known;
  known.on_written_by("b");
  known.on_other_beat("c", beat_of(1, 40));
  known.on_written_by("c");
  EXPECT_EQ(known.members(), (std::vector<std::string>{"b", "c"}));
  EXPECT_EQ(known.all().size(), 1U) << "but who has not beaten holds nothing as far as is known";
  for (int echo = 0; echo < 3; ++echo) known.on_own_echo(3);
  known.on_written_by("b");
  known.on_own_echo(3);
  EXPECT_EQ(known.members(), std::vector<std::string>{"b"});
}

TEST(Holders, AreForgottenAfterSoManyOwnEchoes) {
  holders known;
  known.on_other_beat("b", beat_of(1, 40));
  for (int echo = 0; echo < 3; ++echo) known.on_own_echo(3);
  EXPECT_EQ(known.all().at("b").silence, 3U);
  EXPECT_TRUE(known.is_held(10));
  known.on_own_echo(3);
  EXPECT_TRUE(known.all().empty());
  EXPECT_FALSE(known.is_held(10));
}

TEST(Holders, ABeatEndsTheSilenceOfItsSenderOnly) {
  holders known;
  known.on_other_beat("b", beat_of(1, 40));
  known.on_other_beat("c", beat_of(1, 40));
  for (int echo = 0; echo < 3; ++echo) known.on_own_echo(3);
  known.on_other_beat("c", beat_of(1, 41));
  known.on_own_echo(3);
  EXPECT_EQ(known.all().size(), 1U);
  EXPECT_EQ(known.all().at("c").silence, 1U);
}

TEST(Holders, ANodeIsAloneWhenItHasHeardNobodyForLong) {
  holders known;
  EXPECT_FALSE(known.is_alone(3)) << "others are presumed at first";
  for (int echo = 0; echo < 3; ++echo) known.on_own_echo(9);
  EXPECT_FALSE(known.is_alone(3));
  known.on_own_echo(9);
  EXPECT_TRUE(known.is_alone(3));
  EXPECT_EQ(known.echoes_alone(), 4U);
  known.on_other_beat("b", beat_of(1, 1));
  EXPECT_FALSE(known.is_alone(3));
  EXPECT_EQ(known.echoes_alone(), 0U);
}

TEST(Holders, PositionsOnALostBranchMeanNothing) {
  holders known;
  known.on_other_beat("b", beat_of(5, 40));
  known.on_other_beat("c", beat_of(35, 40));
  known.cut(30);
  EXPECT_TRUE(known.is_held(30));
  EXPECT_FALSE(known.is_held(31));
  EXPECT_FALSE(known.is_held(35)) << "what c holds lies on the lost branch altogether";
  EXPECT_EQ(known.all().size(), 2U) << "they are there all the same";
}

}  // namespace
}  // namespace ordeal::chat
