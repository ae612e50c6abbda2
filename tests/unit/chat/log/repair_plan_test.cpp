// Goal: whatever Redis has left and whatever the winner has read, the plan keeps the newest branch
// whole and mixes nothing. The node "me" has read log1 up to 1-20 unless a test says otherwise.
#include <gtest/gtest.h>

#include "reference-server/log/recovery.h"
#include "tests/unit/chat/log/entries.h"

namespace ordeal::chat {
namespace {

using test::make_chain;
using test::make_entry;
using marks = std::map<std::string, std::uint64_t>;

class RepairPlan : public testing::Test {
 protected:
  RepairPlan() {
    log_.state = "recovering";
    log_.round = "someone.1";
    read_up_to({1, 20}, make_chain({{1, 1}}));
  }
  // This node has read all of `chain`, and holds it from `low` on.
  void read_up_to(position last, const epoch_chain& chain, std::uint64_t low = 1) {
    chain_ = chain;
    held_.reset(low - 1);
    for (std::uint64_t index = low; index <= last.index; ++index)
      held_.add(make_entry(chain.epoch_at(index), index));
    report mine;
    mine.log_id = "log1";
    mine.last = last;
    mine.low = low;
    mine.marks = {{"me", 9}, {"other", 4}};
    reports_["me"] = mine;
  }
  void read_nothing() {
    chain_ = epoch_chain();
    held_.reset(0);
    reports_["me"] = report();
  }
  // Redis has all of `chain` from `floor` to `tail`, and everything that belongs to it.
  void redis_has(position tail, const epoch_chain& chain, std::uint64_t floor = 1) {
    log_.has_meta = log_.has_all_keys = true;
    log_.log_id = "log1";
    log_.epoch = tail.epoch;
    log_.top = tail.index;
    log_.floor = floor;
    log_.chain = chain;
    log_.first = make_entry(chain.epoch_at(floor), floor);
    log_.tail = make_entry(tail.epoch, tail.index);
    const position last = reports_["me"].last;
    const bool is_held = chain.holds(last, tail.index) && last.index >= floor && last.index > 0;
    log_.held = is_held ? make_entry(last.epoch, last.index) : nullptr;
  }
  repair_plan plan() const {
    const repair_input from{"me", reports_, log_, chain_, held_, "fresh", 77};
    return plan_repair(from);
  }

  reports_by_origin reports_;
  log_facts log_;
  epoch_chain chain_;
  replay_buffer held_{1'000, 1U << 20};
};

TEST_F(RepairPlan, RestoresEverythingIntoAnEmptyRedis) {
  const repair_plan what = plan();
  EXPECT_FALSE(what.removes) << "nothing is there";
  EXPECT_EQ(what.keep, position{});
  EXPECT_TRUE(what.restores);
  EXPECT_EQ(what.log_id, "log1");
  EXPECT_EQ(what.epoch, 1'000'077U) << "the next term";
  EXPECT_EQ(what.chain, make_chain({{1, 1}}));
  EXPECT_EQ(what.marks, (marks{{"me", 9}, {"other", 4}}));
  EXPECT_TRUE(what.replaces_marks);
  EXPECT_EQ(what.claim.round, "someone.1");
}

TEST_F(RepairPlan, BeginsALogWhereNobodyKnowsOne) {
  read_nothing();
  const repair_plan what = plan();
  EXPECT_FALSE(what.removes);
  EXPECT_FALSE(what.restores);
  EXPECT_EQ(what.keep, position{});
  EXPECT_EQ(what.log_id, "fresh");
  EXPECT_EQ(what.epoch, 1'000'077U) << "no two nodes begin with one epoch";
  EXPECT_EQ(what.chain, epoch_chain());
  EXPECT_TRUE(what.marks.empty());
}

TEST_F(RepairPlan, RestoresWhatIsMissingBehindAPrefix) {
  redis_has({1, 12}, make_chain({{1, 1}}));
  const repair_plan what = plan();
  EXPECT_FALSE(what.removes);
  EXPECT_EQ(what.keep, (position{1, 12}));
  EXPECT_TRUE(what.restores);
  EXPECT_EQ(what.chain, make_chain({{1, 1}}));
  EXPECT_FALSE(what.replaces_marks) << "those in Redis are of this branch, and may be the larger";
}

TEST_F(RepairPlan, ConfirmsWhatIsWhole) {
  redis_has({1, 20}, make_chain({{1, 1}}));
  const repair_plan what = plan();
  EXPECT_FALSE(what.removes);
  EXPECT_FALSE(what.restores);
  EXPECT_EQ(what.keep, (position{1, 20}));
  EXPECT_EQ(what.log_id, "log1");
  EXPECT_EQ(what.epoch, 1'000'077U);
  EXPECT_FALSE(what.replaces_marks);
}

TEST_F(RepairPlan, KeepsWhatRedisHasBeyondOnTheSameBranch) {
  redis_has({1, 25}, make_chain({{1, 1}}));
  const repair_plan what = plan();
  EXPECT_FALSE(what.removes);
  EXPECT_FALSE(what.restores);
  EXPECT_EQ(what.keep, (position{1, 25}));
  EXPECT_EQ(what.marks, (marks{{"me", 9}, {"other", 4}}));
}

TEST_F(RepairPlan, AJoinerConfirmsWhatItCannotJudge) {
  read_nothing();
  redis_has({2'000'005, 25}, make_chain({{1, 1}, {2'000'005, 11}}));
  const repair_plan what = plan();
  EXPECT_FALSE(what.removes);
  EXPECT_FALSE(what.restores);
  EXPECT_EQ(what.keep, (position{2'000'005, 25}));
  EXPECT_EQ(what.log_id, "log1");
  EXPECT_EQ(what.chain, make_chain({{1, 1}, {2'000'005, 11}}));
  EXPECT_EQ(what.epoch, 3'000'077U);
  EXPECT_FALSE(what.replaces_marks);
}

TEST_F(RepairPlan, ReplacesABranchThatIsOlder) {
  read_up_to({3'000'007, 18}, make_chain({{1, 1}, {3'000'007, 13}}));
  redis_has({2'000'005, 15}, make_chain({{1, 1}, {2'000'005, 11}}));
  const repair_plan what = plan();
  EXPECT_EQ(what.keep, (position{1, 10}));
  EXPECT_TRUE(what.removes);
  EXPECT_TRUE(what.restores);
  EXPECT_EQ(what.chain, make_chain({{1, 1}, {3'000'007, 13}})) << "nothing of the other branch";
  EXPECT_EQ(what.epoch, 4'000'077U);
  EXPECT_TRUE(what.replaces_marks) << "the lost branch must not count as known";
}

TEST_F(RepairPlan, ReplacesAnOlderBranchThatIsLonger) {
  read_up_to({3'000'007, 18}, make_chain({{1, 1}, {3'000'007, 13}}));
  redis_has({2'000'005, 40}, make_chain({{1, 1}, {2'000'005, 11}}));
  const repair_plan what = plan();
  EXPECT_EQ(what.keep, (position{1, 10}));
  EXPECT_TRUE(what.removes);
  EXPECT_TRUE(what.restores);
}

TEST_F(RepairPlan, GivesWayToABranchThatIsNewer) {
  read_up_to({2'000'005, 18}, make_chain({{1, 1}, {2'000'005, 13}}));
  redis_has({3'000'007, 15}, make_chain({{1, 1}, {3'000'007, 11}}));
  const repair_plan what = plan();
  EXPECT_EQ(what.keep, (position{3'000'007, 15}));
  EXPECT_FALSE(what.removes);
  EXPECT_FALSE(what.restores);
  EXPECT_EQ(what.chain, make_chain({{1, 1}, {3'000'007, 11}}));
  EXPECT_TRUE(what.marks.empty()) << "its own marks are of the branch that is lost";
  EXPECT_FALSE(what.replaces_marks);
}

TEST_F(RepairPlan, ReplacesAYoungerLog) {
  redis_has({1, 5}, make_chain({{1, 1}}));
  log_.log_id = "log2";
  log_.held = nullptr;
  const repair_plan what = plan();
  EXPECT_EQ(what.keep, position{});
  EXPECT_TRUE(what.removes);
  EXPECT_TRUE(what.restores);
  EXPECT_EQ(what.log_id, "log1");
  EXPECT_EQ(what.chain, make_chain({{1, 1}}));
  EXPECT_TRUE(what.replaces_marks);
}

TEST_F(RepairPlan, GivesWayToALogThatIsNewer) {
  redis_has({2'000'005, 5}, make_chain({{2'000'005, 1}}));
  log_.log_id = "log2";
  const repair_plan what = plan();
  EXPECT_EQ(what.keep, (position{2'000'005, 5}));
  EXPECT_FALSE(what.removes);
  EXPECT_FALSE(what.restores);
  EXPECT_EQ(what.log_id, "log2");
  EXPECT_TRUE(what.marks.empty());
}

TEST_F(RepairPlan, WithoutMetaTheStreamAloneIsContinued) {
  redis_has({1, 12}, make_chain({{1, 1}}));
  log_.has_meta = false;
  log_.log_id.clear();
  log_.epoch = log_.top = log_.floor = 0;
  const repair_plan what = plan();
  EXPECT_FALSE(what.removes);
  EXPECT_TRUE(what.restores);
  EXPECT_EQ(what.keep, (position{1, 12}));
  EXPECT_EQ(what.log_id, "log1");
  EXPECT_FALSE(what.replaces_marks) << "the larger of both stays";
}

TEST_F(RepairPlan, WithoutMetaAStreamThatWentOnElsewhereIsReplaced) {
  read_up_to({2'000'005, 18}, make_chain({{1, 1}, {2'000'005, 13}}));
  redis_has({3'000'007, 15}, make_chain({{1, 1}, {3'000'007, 11}}));
  log_.has_meta = false;
  log_.log_id.clear();
  log_.epoch = log_.top = log_.floor = 0;
  const repair_plan what = plan();
  EXPECT_EQ(what.keep, (position{1, 10}));
  EXPECT_TRUE(what.removes);
  EXPECT_TRUE(what.restores);
  EXPECT_EQ(what.epoch, 4'000'077U) << "above what is in the stream";
}

TEST_F(RepairPlan, WithoutMetaAJoinerMakesTheStreamANewLog) {
  read_nothing();
  redis_has({1, 12}, make_chain({{1, 1}}));
  log_.has_meta = false;
  log_.log_id.clear();
  const repair_plan what = plan();
  EXPECT_EQ(what.log_id, "fresh");
  EXPECT_EQ(what.keep, (position{1, 12}));
  EXPECT_EQ(what.epoch, 1'000'077U);
}

TEST_F(RepairPlan, WithoutEpochsTheyComeFromMemory) {
  read_up_to({2'000'005, 20}, make_chain({{1, 1}, {2'000'005, 11}}));
  redis_has({2'000'005, 20}, make_chain({{1, 1}, {2'000'005, 11}}));
  log_.chain = epoch_chain();
  log_.has_all_keys = false;
  const repair_plan what = plan();
  EXPECT_EQ(what.keep, (position{2'000'005, 20}));
  EXPECT_FALSE(what.removes);
  EXPECT_EQ(what.chain, make_chain({{1, 1}, {2'000'005, 11}}));
  EXPECT_FALSE(what.replaces_marks);
}

TEST_F(RepairPlan, WithoutEpochsAndMemoryTheyBeginWithTheOldestEntry) {
  read_nothing();
  redis_has({1, 20}, make_chain({{1, 1}}), 7);
  log_.chain = epoch_chain();
  log_.has_all_keys = false;
  const repair_plan what = plan();
  EXPECT_EQ(what.chain, make_chain({{1, 7}}));
  EXPECT_EQ(what.keep, (position{1, 20}));
}

TEST_F(RepairPlan, WithoutSeqOrReqTheStreamStaysAndMarksComeFromMemory) {
  redis_has({1, 20}, make_chain({{1, 1}}));
  log_.has_all_keys = false;
  const repair_plan what = plan();
  EXPECT_EQ(what.keep, (position{1, 20}));
  EXPECT_FALSE(what.removes);
  EXPECT_FALSE(what.restores);
  EXPECT_EQ(what.marks, (marks{{"me", 9}, {"other", 4}}));
}

TEST_F(RepairPlan, WithoutTheStreamItIsRestored) {
  redis_has({1, 20}, make_chain({{1, 1}}));
  log_.has_all_keys = false;
  log_.first = log_.tail = log_.held = nullptr;
  const repair_plan what = plan();
  EXPECT_EQ(what.keep, position{});
  EXPECT_TRUE(what.removes) << "what the other keys say of the stream that is gone";
  EXPECT_TRUE(what.restores);
  EXPECT_EQ(what.log_id, "log1");
}

// docs/log-protocol.md, H20: what lies between the end of the stream and the oldest entry in memory is lost.
TEST_F(RepairPlan, ATooShortBufferReplacesTheWholeStream) {
  read_up_to({1, 20}, make_chain({{1, 1}}), 15);
  redis_has({1, 12}, make_chain({{1, 1}}));
  const repair_plan what = plan();
  EXPECT_EQ(what.keep, position{}) << "13 and 14 are missing: a stream has no holes";
  EXPECT_TRUE(what.removes);
  EXPECT_TRUE(what.restores);
  EXPECT_EQ(what.chain, make_chain({{1, 1}}));
}

TEST_F(RepairPlan, ABufferThatJustReachesTheStreamContinuesIt) {
  read_up_to({1, 20}, make_chain({{1, 1}}), 13);
  redis_has({1, 12}, make_chain({{1, 1}}));
  const repair_plan what = plan();
  EXPECT_EQ(what.keep, (position{1, 12}));
  EXPECT_FALSE(what.removes);
  EXPECT_TRUE(what.restores);
}

TEST_F(RepairPlan, ABranchPointThatIsTrimmedIsNoPlaceToGoOnFrom) {
  read_up_to({3'000'007, 18}, make_chain({{1, 1}, {3'000'007, 13}}));
  redis_has({2'000'005, 40}, make_chain({{1, 1}, {2'000'005, 11}}), 11);
  const repair_plan what = plan();
  EXPECT_EQ(what.keep, position{}) << "10 is trimmed: there is nothing that both have";
  EXPECT_TRUE(what.removes);
  EXPECT_TRUE(what.restores);
}

TEST_F(RepairPlan, ANodeThatHoldsNothingRestoresNothing) {
  held_.reset(20);
  reports_["me"].low = 21;
  const repair_plan what = plan();
  EXPECT_FALSE(what.restores);
  EXPECT_EQ(what.keep, position{});
  EXPECT_EQ(what.chain, epoch_chain());
  EXPECT_EQ(what.log_id, "fresh") << "indexes begin anew, so it is another log";
  EXPECT_EQ(what.epoch, 1'000'077U);
}

TEST_F(RepairPlan, AJoinerThatFindsMetaWithoutAStreamBeginsAnotherLog) {
  read_nothing();
  redis_has({2'000'005, 25}, make_chain({{1, 1}, {2'000'005, 11}}));
  log_.has_all_keys = false;
  log_.first = log_.tail = log_.held = nullptr;
  const repair_plan what = plan();
  EXPECT_EQ(what.keep, position{});
  EXPECT_EQ(what.log_id, "fresh");
  EXPECT_EQ(what.chain, epoch_chain()) << "nothing of it begins where the old epochs did";
  EXPECT_EQ(what.epoch, 3'000'077U);
  EXPECT_TRUE(what.replaces_marks);
}

// A winner has truncated the other branch, restored as many of its own, and died.
TEST_F(RepairPlan, MarksOfABranchThatWasReplacedHalfwayAreReplacedToo) {
  read_up_to({3'000'007, 18}, make_chain({{1, 1}, {3'000'007, 13}}));
  redis_has({3'000'007, 15}, make_chain({{1, 1}, {3'000'007, 13}}));
  log_.epoch = 2'000'005;  // meta is as the other branch left it, and ends at the same index
  EXPECT_TRUE(plan().replaces_marks);
  log_.epoch = 3'000'007;
  EXPECT_FALSE(plan().replaces_marks);
}

TEST_F(RepairPlan, AStreamShorterThanItsMetaHasMarksThatCountTooMuch) {
  redis_has({1, 12}, make_chain({{1, 1}}));
  log_.top = 14;
  EXPECT_TRUE(plan().replaces_marks);
}

// An epoch of which this node has read nothing is none of its own.
TEST_F(RepairPlan, EpochsBeyondWhatWasReadAreNotRestored) {
  chain_ = make_chain({{1, 1}, {2'000'005, 21}});
  EXPECT_EQ(plan().chain, make_chain({{1, 1}}));
}

// docs/log-protocol.md, H8 and its twin: every report counts, but only on the branch that stays.
TEST_F(RepairPlan, MergesTheLargestMarksOfTheCommittedBranchOnly) {
  report behind;
  behind.log_id = "log1";
  behind.last = {1, 7};
  behind.marks = {{"other", 6}, {"third", 3}};
  reports_["behind"] = behind;
  report elsewhere = behind;
  elsewhere.last = {1'000'003, 30};
  elsewhere.marks = {{"me", 50}, {"fourth", 1}};
  reports_["elsewhere"] = elsewhere;
  report stranger = behind;
  stranger.log_id = "log2";
  stranger.marks = {{"other", 99}};
  reports_["stranger"] = stranger;
  reports_["joiner"] = report();
  const repair_plan what = plan();
  EXPECT_EQ(what.marks, (marks{{"me", 9}, {"other", 6}, {"third", 3}}));
  EXPECT_EQ(what.epoch, 2'000'077U) << "above the epoch of the branch that is lost, too";
}

TEST_F(RepairPlan, MarksOfThoseWhoAreAheadOnTheSameBranchCount) {
  redis_has({1, 25}, make_chain({{1, 1}}));
  report ahead;
  ahead.log_id = "log1";
  ahead.last = {1, 24};
  ahead.marks = {{"other", 12}};
  reports_["ahead"] = ahead;
  EXPECT_EQ(plan().marks.at("other"), 12U);
  reports_["ahead"].last = {1, 26};
  EXPECT_EQ(plan().marks.at("other"), 4U) << "26 will not be in the log";
}

TEST_F(RepairPlan, TheBarrierTellsWhoWasHeardAndWhoWasNot) {
  reports_["me"].members = {"b", "c"};
  reports_["b"] = report();
  EXPECT_EQ(plan().barrier, "round=someone.1 heard=b,me missing=c");
  reports_["c"] = report();
  EXPECT_EQ(plan().barrier, "round=someone.1 heard=b,c,me missing=-");
}

TEST_F(RepairPlan, TheEpochIsAboveAllThatWasEverSeen) {
  redis_has({1, 12}, make_chain({{1, 1}}));
  log_.epoch = 7'000'003;  // of a meta key that is newer than the stream
  EXPECT_EQ(plan().epoch, 8'000'077U);
}

}  // namespace
}  // namespace ordeal::chat
