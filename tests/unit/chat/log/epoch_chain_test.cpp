// Goal: the chain tells which positions a log holds, and where two histories part. Literal chains,
// literal answers.
#include "reference-server/log/epoch_chain.h"

#include <gtest/gtest.h>

#include "tests/unit/chat/log/entries.h"

namespace ordeal::chat {
namespace {

using test::make_chain;
using segments = std::vector<epoch_chain::segment>;

TEST(EpochChain, OrdersWhatComesInAnyOrder) {
  const epoch_chain chain = make_chain({{3'000'007, 40}, {1, 1}, {2'000'005, 11}});
  EXPECT_EQ(chain.segments(), (segments{{1, 1}, {2'000'005, 11}, {3'000'007, 40}}));
}

TEST(EpochChain, TakesEachEpochOnce) {
  epoch_chain chain = make_chain({{1, 1}, {2, 11}});
  chain.add(1, 5);
  chain.add(2, 11);
  EXPECT_EQ(chain.segments(), (segments{{1, 1}, {2, 11}}));
}

TEST(EpochChain, AnEpochEndsWhereTheNextBegins) {
  const epoch_chain chain = make_chain({{1, 1}, {2, 11}, {5, 12}});
  EXPECT_EQ(chain.end_of(1, 20), 10U);
  EXPECT_EQ(chain.end_of(2, 20), 11U);
  EXPECT_EQ(chain.end_of(5, 20), 20U);
  EXPECT_EQ(chain.end_of(3, 20), std::nullopt);
  EXPECT_EQ(epoch_chain().end_of(1, 20), std::nullopt);
}

TEST(EpochChain, HoldsWhatLiesWithinItsEpoch) {
  const epoch_chain chain = make_chain({{1, 1}, {2, 11}});
  EXPECT_TRUE(chain.holds({1, 1}, 20));
  EXPECT_TRUE(chain.holds({1, 10}, 20));
  EXPECT_TRUE(chain.holds({2, 11}, 20));
  EXPECT_TRUE(chain.holds({2, 20}, 20));
}

TEST(EpochChain, DoesNotHoldTheSameIndexOfAnotherEpoch) {
  const epoch_chain chain = make_chain({{1, 1}, {2, 11}});
  EXPECT_FALSE(chain.holds({1, 11}, 20)) << "epoch 1 ended before";
  EXPECT_FALSE(chain.holds({2, 10}, 20)) << "epoch 2 had not begun";
  EXPECT_FALSE(chain.holds({2, 21}, 20)) << "beyond the top";
  EXPECT_FALSE(chain.holds({3, 15}, 20)) << "no such epoch";
  EXPECT_FALSE(epoch_chain().holds({1, 1}, 20));
}

TEST(EpochChain, HoldsNothingBelowItsFirstSegment) {
  const epoch_chain chain = make_chain({{4, 100}});
  EXPECT_FALSE(chain.holds({4, 99}, 200));
  EXPECT_TRUE(chain.holds({4, 100}, 200));
}

TEST(EpochChain, TellsTheEpochOfAnIndex) {
  const epoch_chain chain = make_chain({{4, 100}, {6, 110}});
  EXPECT_EQ(chain.epoch_at(99), 0U);
  EXPECT_EQ(chain.epoch_at(100), 4U);
  EXPECT_EQ(chain.epoch_at(109), 4U);
  EXPECT_EQ(chain.epoch_at(110), 6U);
  EXPECT_EQ(chain.epoch_at(9'999), 6U);
}

TEST(EpochChain, CutsWhatBeginsAboveAnIndex) {
  const epoch_chain chain = make_chain({{1, 1}, {2, 11}, {5, 12}});
  EXPECT_EQ(chain.up_to(11), make_chain({{1, 1}, {2, 11}}));
  EXPECT_EQ(chain.up_to(10), make_chain({{1, 1}}));
  EXPECT_EQ(chain.up_to(0), epoch_chain());
  EXPECT_EQ(chain.up_to(99), chain);
}

TEST(CommonPosition, IsTheShorterEndWithinOneEpoch) {
  const epoch_chain chain = make_chain({{1, 1}});
  EXPECT_EQ(common_position(chain, {1, 20}, chain, 12), (position{1, 12}));
  EXPECT_EQ(common_position(chain, {1, 12}, chain, 20), (position{1, 12}));
}

// One read 11..15 of epoch 1, the log went on with epoch 2 at 11: entries up to 10 are the same.
TEST(CommonPosition, EndsWhereTheOtherBranchBegan) {
  const epoch_chain one = make_chain({{1, 1}});
  const epoch_chain other = make_chain({{1, 1}, {2, 11}});
  EXPECT_EQ(common_position(one, {1, 15}, other, 30), (position{1, 10}));
  EXPECT_EQ(common_position(other, {2, 30}, one, 15), (position{1, 10}));
}

TEST(CommonPosition, OfTwoBranchesIsWhereTheFirstOfThemBegan) {
  const epoch_chain one = make_chain({{1, 1}, {2'000'005, 13}});
  const epoch_chain other = make_chain({{1, 1}, {2'000'009, 11}});
  EXPECT_EQ(common_position(one, {2'000'005, 18}, other, 40), (position{1, 10}));
}

TEST(CommonPosition, LooksAtTheNewestEpochThatBothHave) {
  const epoch_chain one = make_chain({{1, 1}, {2, 11}, {3, 21}});
  const epoch_chain other = make_chain({{1, 1}, {2, 11}, {4, 16}});
  EXPECT_EQ(common_position(one, {3, 25}, other, 40), (position{2, 15}));
}

TEST(CommonPosition, IsNothingForChainsThatShareNoEpoch) {
  EXPECT_EQ(common_position(make_chain({{1, 1}}), {1, 9}, make_chain({{2, 1}}), 9), position{});
  EXPECT_EQ(common_position(epoch_chain(), {}, make_chain({{1, 1}}), 9), position{});
  EXPECT_EQ(common_position(make_chain({{1, 1}}), {1, 9}, epoch_chain(), 0), position{});
}

// The shared epoch was rolled back to before its first entry: only the epoch before it is common.
TEST(CommonPosition, SkipsAnEpochOfWhichTheOtherHasNothingLeft) {
  const epoch_chain chain = make_chain({{1, 1}, {2, 11}});
  EXPECT_EQ(common_position(chain, {2, 15}, chain, 10), (position{1, 10}));
}

TEST(Epochs, CountInTerms) {
  EXPECT_EQ(term_of(1), 0U);
  EXPECT_EQ(term_of(epochs_per_term - 1), 0U);
  EXPECT_EQ(term_of(3 * epochs_per_term + 17), 3U);
}

TEST(IsFurther, IsTheOrderOfPositionsOnOneBranch) {
  EXPECT_TRUE(is_further({1'000'001, 8}, {1'000'001, 7}));
  EXPECT_FALSE(is_further({1'000'001, 7}, {1'000'001, 8}));
  EXPECT_FALSE(is_further({1'000'001, 7}, {1'000'001, 7}));
  EXPECT_TRUE(is_further({2'000'001, 8}, {1'000'001, 7}));
}

TEST(IsFurther, BetweenBranchesTheLaterTermDecidesThenTheLength) {
  EXPECT_TRUE(is_further({2'000'001, 5}, {1'999'999, 90})) << "the later term, though shorter";
  EXPECT_TRUE(is_further({2'000'001, 6}, {2'999'999, 5})) << "the longer of one term";
  EXPECT_TRUE(is_further({2'000'002, 5}, {2'000'001, 5})) << "the digits are the last resort";
  EXPECT_FALSE(is_further({2'000'001, 5}, {2'000'002, 5}));
  EXPECT_TRUE(is_further({1, 1}, {}));
}

}  // namespace
}  // namespace ordeal::chat
