// Goal: the four rules for what comes from the stream.
#include "reference-server/log/read_sequence.h"

#include <gtest/gtest.h>

namespace ordeal::chat {
namespace {

TEST(ReadSequence, DeliversTheNextIndex) {
  read_sequence sequence({1, 10});
  EXPECT_EQ(sequence.on_entry({1, 11}), read_step::deliver);
  EXPECT_EQ(sequence.on_entry({1, 12}), read_step::deliver);
  EXPECT_EQ(sequence.last(), (position{1, 12}));
}

TEST(ReadSequence, ANewerEpochMayContinue) {
  read_sequence sequence({1, 10});
  EXPECT_EQ(sequence.on_entry({4, 11}), read_step::deliver);
  EXPECT_EQ(sequence.on_entry({4, 12}), read_step::deliver);
}

TEST(ReadSequence, AJumpIsAGapAndReadingGoesOnThere) {
  read_sequence sequence({1, 10});
  EXPECT_EQ(sequence.on_entry({1, 13}), read_step::gap);
  EXPECT_EQ(sequence.on_entry({1, 14}), read_step::deliver);
  EXPECT_EQ(sequence.on_entry({2, 20}), read_step::gap);
}

TEST(ReadSequence, ANewerEpochBelowWhatWasReadIsAFork) {
  read_sequence sequence({1, 70});
  EXPECT_EQ(sequence.on_entry({2, 68}), read_step::fork);
  EXPECT_EQ(sequence.on_entry({2, 70}), read_step::fork);
  EXPECT_EQ(sequence.last(), (position{1, 70}));
}

TEST(ReadSequence, NothingIsReadTwice) {
  read_sequence sequence({2, 10});
  EXPECT_EQ(sequence.on_entry({2, 10}), read_step::fork);
  EXPECT_EQ(sequence.on_entry({1, 11}), read_step::fork);
}

}  // namespace
}  // namespace ordeal::chat
