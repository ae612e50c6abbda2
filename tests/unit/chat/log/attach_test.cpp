// Goal: every combination of what Redis holds and what the node has read leads to the one safe
// step. Each test changes one fact of a log in which everything is in order.
#include "reference-server/log/attach.h"
#include "reference-server/log/recovery.h"

#include <gtest/gtest.h>

#include "tests/unit/chat/log/entries.h"

namespace ordeal::chat {
namespace {

using test::make_chain;
using test::make_entry;

class Attach : public testing::Test {
 protected:
  Attach() {
    server_.incarnation = "life1";
    log_.has_meta = true;
    log_.has_all_keys = true;
    log_.log_id = "log1";
    log_.epoch = 2'000'005;
    log_.state = "open";
    log_.incarnation = "life1";
    log_.top = 20;
    log_.floor = 5;
    log_.chain = make_chain({{1, 1}, {2'000'005, 11}});
    log_.first = make_entry(1, 5);
    log_.tail = make_entry(2'000'005, 20);
    log_.held = make_entry(2'000'005, 15);
    has_read({2'000'005, 15});
    mine_.chain = log_.chain;
  }
  void has_read(position last) {
    mine_.log_id = "log1";
    mine_.last = last;
    mine_.entry = make_entry(last.epoch, last.index);
  }
  void forget_history() {
    mine_ = {};
    log_.held = nullptr;
  }
  attach_decision decide() const {
    attach_decision decision = decide_attach(server_, log_, mine_);
    const bool has_reason =
        decision.step != attach_step::open && decision.step != attach_step::gather;
    EXPECT_EQ(decision.reason.empty(), !has_reason) << decision.reason;
    if (decision.step != attach_step::fork) {
      EXPECT_EQ(decision.common, position{});
    }
    return decision;
  }
  attach_step step() const { return decide().step; }
  std::string reason() const { return decide().reason; }

  server_facts server_;
  log_facts log_;
  log_history mine_;
};

TEST_F(Attach, OpensWhenAllIsAsItWas) {
  EXPECT_EQ(step(), attach_step::open);
}

TEST_F(Attach, OpensAtTheVeryEndAndInAnEarlierEpoch) {
  has_read({2'000'005, 20});
  log_.held = make_entry(2'000'005, 20);
  EXPECT_EQ(step(), attach_step::open);
  has_read({1, 10});
  log_.held = make_entry(1, 10);
  EXPECT_EQ(step(), attach_step::open) << "the last entry of epoch 1";
}

TEST_F(Attach, JoinerOpensAKnownLog) {
  forget_history();
  EXPECT_EQ(step(), attach_step::open);
}

TEST_F(Attach, NobodyOpensALogThatIsNotThere) {
  const log_history mine = mine_;
  forget_history();
  log_ = {};
  EXPECT_EQ(step(), attach_step::convene);
  EXPECT_EQ(reason(), "Redis holds no log");
  mine_ = mine;
  EXPECT_EQ(step(), attach_step::convene);
}

TEST_F(Attach, RemainsWithoutMetaAreDoubted) {
  log_.has_meta = false;
  log_.log_id.clear();
  EXPECT_EQ(step(), attach_step::convene);
  EXPECT_EQ(reason(), "Redis has lost the meta key of the log");
}

TEST_F(Attach, ARestartIsDoubtedByAllEvenWhenNothingSeemsLost) {
  server_.incarnation = "life2";
  EXPECT_EQ(step(), attach_step::convene);
  EXPECT_NE(reason().find("restarted or promoted"), std::string::npos);
  forget_history();
  EXPECT_EQ(step(), attach_step::convene) << "by a joiner as well";
}

TEST_F(Attach, EachMissingKeyIsDoubted) {
  log_.has_all_keys = false;
  EXPECT_EQ(step(), attach_step::convene);
  EXPECT_EQ(reason(), "Redis has lost a key of the log");
}

TEST_F(Attach, StreamAndMetaMustAgree) {
  log_.tail = make_entry(2'000'005, 19);
  EXPECT_EQ(step(), attach_step::convene);
  log_.tail = make_entry(1, 20);
  EXPECT_EQ(step(), attach_step::convene) << "the index alone does not do";
  log_.tail = nullptr;
  EXPECT_EQ(step(), attach_step::convene);
  EXPECT_NE(reason().find("does not end where its meta key says"), std::string::npos);
}

TEST_F(Attach, AnOpenRoundIsReportedTo) {
  log_.state = "recovering";
  log_.round = make_round("someone.1", "life2");
  server_.incarnation = "life2";
  EXPECT_EQ(step(), attach_step::gather);
  log_.has_meta = false;
  log_.tail = nullptr;
  EXPECT_EQ(step(), attach_step::gather) << "whatever else is wrong, that is being dealt with";
  forget_history();
  EXPECT_EQ(step(), attach_step::gather);
}

TEST_F(Attach, ARecoveryWhoseRoundIsLostIsConvenedAnew) {
  log_.state = "recovering";
  EXPECT_EQ(step(), attach_step::convene);
  EXPECT_EQ(reason(), "the recovery of the log was given up");
}

// It came back with a snapshot: owner and reports are of another time.
TEST_F(Attach, ARoundOfAnotherIncarnationIsConvenedAnew) {
  log_.state = "recovering";
  log_.round = make_round("someone.1", "life1");
  EXPECT_EQ(step(), attach_step::gather);
  server_.incarnation = "life2";
  EXPECT_EQ(step(), attach_step::convene);
  server_.incarnation = "";
  EXPECT_EQ(step(), attach_step::convene);
}

TEST_F(Attach, ARoundBesideAnOpenLogMeansNothing) {
  log_.round = make_round("someone.1", server_.incarnation);
  EXPECT_EQ(step(), attach_step::open);
}

TEST_F(Attach, PositionAboveTheTopIsLostAlsoInTheSameIncarnation) {
  has_read({2'000'005, 21});
  log_.held = nullptr;
  EXPECT_EQ(step(), attach_step::convene);
  EXPECT_NE(reason().find("2000005-21"), std::string::npos);
}

TEST_F(Attach, ANewerEpochThanTheLogsIsLostEvenBelowItsTop) {
  has_read({3'000'001, 18});
  mine_.chain = make_chain({{1, 1}, {3'000'001, 13}});
  log_.held = nullptr;
  EXPECT_EQ(step(), attach_step::convene);
}

// docs/log-protocol.md, H1 and H13: others went on without what this node has read.
TEST_F(Attach, PositionBeyondTheEndOfItsEpochIsAFork) {
  has_read({1, 14});
  mine_.chain = make_chain({{1, 1}});
  log_.held = nullptr;
  EXPECT_EQ(step(), attach_step::fork);
  EXPECT_EQ(decide().common, (position{1, 10}));
}

TEST_F(Attach, PositionInAnEpochThatTheLogNeverHadIsAFork) {
  has_read({1'000'009, 14});
  mine_.chain = make_chain({{1, 1}, {1'000'009, 9}});
  log_.held = nullptr;
  EXPECT_EQ(step(), attach_step::fork);
  EXPECT_EQ(decide().common, (position{1, 8}));
}

TEST_F(Attach, AnotherLogThatIsNewerIsAForkOfEverything) {
  log_.log_id = "log2";
  log_.held = nullptr;
  EXPECT_EQ(step(), attach_step::fork);
  EXPECT_EQ(decide().common, position{});
  EXPECT_EQ(reason(), "Redis holds another log than the one this node has read");
}

TEST_F(Attach, AnotherLogThatIsYoungerIsMergedByARecovery) {
  log_.log_id = "log2";
  log_.held = nullptr;
  has_read({3'000'001, 7});
  EXPECT_EQ(step(), attach_step::convene);
  EXPECT_NE(reason().find("younger"), std::string::npos);
}

TEST_F(Attach, ATrimmedPositionSkipsToTheFloor) {
  has_read({1, 3});
  log_.held = nullptr;
  EXPECT_EQ(step(), attach_step::skip);
}

TEST_F(Attach, ThePositionJustBelowTheFloorMissesNothing) {
  has_read({1, 4});
  log_.held = nullptr;
  EXPECT_EQ(step(), attach_step::open);
}

// After a recovery that restored from index 12 only, the chain may know nothing of what was before.
TEST_F(Attach, ThePositionJustBelowTheFloorIsKnownByTheEpochOfTheFloor) {
  log_.chain = make_chain({{2'000'005, 12}, {3'000'007, 16}});
  log_.epoch = 3'000'007;
  log_.tail = make_entry(3'000'007, 20);
  log_.floor = 12;
  log_.held = nullptr;
  has_read({2'000'005, 11});
  EXPECT_EQ(step(), attach_step::open);
  has_read({2'000'005, 10});
  EXPECT_EQ(step(), attach_step::fork) << "one more is missing, and nobody can tell what it was";
  EXPECT_EQ(decide().common, position{});
}

TEST_F(Attach, AnotherEntryAtTheSamePositionIsRefused) {
  log_.held = make_entry(2'000'005, 15, "another text");
  EXPECT_EQ(step(), attach_step::refuse);
  EXPECT_NE(reason().find("2000005-15"), std::string::npos);
}

TEST_F(Attach, AnEntryThatIsNoLongerHeldCannotBeCompared) {
  log_.held = make_entry(2'000'005, 15, "another text");
  mine_.entry = nullptr;
  EXPECT_EQ(step(), attach_step::open);
}

TEST_F(Attach, DamageIsPutRightByARound) {
  log_.is_damaged = true;
  EXPECT_EQ(step(), attach_step::convene);
  forget_history();
  EXPECT_EQ(step(), attach_step::convene);
}

TEST_F(Attach, ReplicasAreWaitedForWhateverTheyHold) {
  server_.is_replica = true;
  EXPECT_EQ(step(), attach_step::wait);
  log_.state = "recovering";
  log_.round = make_round("someone.1", server_.incarnation);
  EXPECT_EQ(step(), attach_step::wait) << "a report written there would be lost";
  log_ = {};
  EXPECT_EQ(step(), attach_step::wait);
}

TEST_F(Attach, EvictionIsRefusedAlsoBeforeTheLogIsCreated) {
  server_.memory = {1'000, "allkeys-lru"};
  EXPECT_EQ(step(), attach_step::refuse);
  EXPECT_EQ(reason(), "Redis evicts keys (maxmemory-policy allkeys-lru): set noeviction");
  forget_history();
  log_ = {};
  EXPECT_EQ(step(), attach_step::refuse);
}

// Otherwise a recovery would remove what somebody else keeps there.
TEST_F(Attach, EntriesOfOthersInTheStreamAreRefused) {
  log_.foreign_id = "7-0";
  EXPECT_EQ(step(), attach_step::refuse);
  EXPECT_NE(reason().find("remove it (XDEL, id 7-0), or give the application another name"),
            std::string::npos);
  log_.state = "recovering";
  log_.round = make_round("someone.1", server_.incarnation);
  EXPECT_EQ(step(), attach_step::refuse) << "in a recovery as well";
}

TEST_F(Attach, AShorterBranchOfTheSameTermIsAFork) {
  has_read({2'900'000, 14});
  mine_.chain = make_chain({{1, 1}, {2'900'000, 11}});
  log_.held = nullptr;
  EXPECT_EQ(step(), attach_step::fork) << "whatever the digits of the epochs";
  EXPECT_EQ(decide().common, (position{1, 10}));
}

TEST_F(Attach, ALongerBranchOfTheSameTermIsALoss) {
  has_read({2'000'001, 21});
  mine_.chain = make_chain({{1, 1}, {2'000'001, 11}});
  log_.held = nullptr;
  EXPECT_EQ(step(), attach_step::convene);
}

TEST(ServerFacts, AreReadFromInfo) {
  const auto facts = parse_server_facts(
      "# Server\r\nredis_version:7.0.15\r\nrun_id:aa\r\n# "
      "Replication\r\nrole:master\r\nmaster_replid:bb\r\n"
      "master_replid2:00\r\n# "
      "Memory\r\nmaxmemory:0\r\nmaxmemory_human:0B\r\nmaxmemory_policy:allkeys-lru\r\n");
  EXPECT_EQ(facts.incarnation, "bb");
  EXPECT_FALSE(facts.is_replica);
  EXPECT_EQ(facts.memory.maxmemory, 0U);
  EXPECT_FALSE(facts.memory.evicts()) << "without a limit nothing is evicted";
}

TEST(ServerFacts, NameAReplicaAndAnEvictingPolicy) {
  const auto facts =
      parse_server_facts("role:slave\r\nmaxmemory:1000\r\nmaxmemory_policy:allkeys-lfu\r\n");
  EXPECT_TRUE(facts.is_replica);
  EXPECT_EQ(facts.memory.maxmemory, 1'000U);
  EXPECT_EQ(facts.memory.policy, "allkeys-lfu");
  EXPECT_TRUE(facts.memory.evicts());
  EXPECT_FALSE(facts.memory.evicts_others());
  EXPECT_FALSE((memory_facts{1'000, "noeviction"}.evicts()));
  EXPECT_TRUE((memory_facts{1'000, "of-tomorrow"}.evicts())) << "who knows";
}

TEST(RetainedBytes, AreWhatWasAskedForOrFitIntoRedis) {
  EXPECT_EQ(retained_bytes_for(7'000, {1'000, "noeviction"}), 7'000U);
  EXPECT_EQ(retained_bytes_for(0, {64U << 20, "noeviction"}), 32U << 20);
  EXPECT_EQ(retained_bytes_for(0, {0, "noeviction"}), 512U << 20);
}

// None of the log's keys has a time to live.
TEST(ServerFacts, AVolatilePolicySparesTheLog) {
  for (const char* policy : {"volatile-lru", "volatile-lfu", "volatile-random", "volatile-ttl"}) {
    EXPECT_FALSE((memory_facts{1'000, policy}.evicts())) << policy;
    EXPECT_TRUE((memory_facts{1'000, policy}.evicts_others())) << policy;
    EXPECT_FALSE((memory_facts{0, policy}.evicts_others())) << policy;
  }
}

}  // namespace
}  // namespace ordeal::chat
