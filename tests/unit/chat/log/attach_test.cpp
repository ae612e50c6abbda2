// Goal: every combination of what Redis holds and what the node has read leads to the one safe
// step. Each test changes one fact of a log in which everything is in order.
#include "reference-server/log/attach.h"

#include <gtest/gtest.h>

#include "tests/unit/chat/log/entries.h"

namespace ordeal::chat {
namespace {

using test::make_entry;

class Attach : public testing::Test {
 protected:
  Attach() {
    server_.incarnation = "run/repl";
    log_.has_meta = true;
    log_.has_other_keys = true;
    log_.log_id = "log1";
    log_.epoch = 1;
    log_.state = "open";
    log_.incarnation = "run/repl";
    log_.top = {1, 20};
    log_.floor = 5;
    log_.tail = make_entry(1, 20);
    log_.held = make_entry(1, 15);
    mine_.log_id = "log1";
    mine_.last = make_entry(1, 15);
  }
  void forget_history() {
    mine_ = {};
    log_.held = nullptr;
  }
  void empty_redis() { log_ = {}; }
  attach_step step(bool has_waited = false) {
    const attach_decision decision = decide_attach(server_, log_, mine_, has_waited);
    const bool has_reason =
        decision.step == attach_step::wait || decision.step == attach_step::refuse;
    EXPECT_EQ(decision.reason.empty(), !has_reason) << decision.reason;
    return decision.step;
  }
  server_facts server_;
  log_facts log_;
  log_history mine_;
};

TEST_F(Attach, OpensWhenAllIsAsItWas) {
  EXPECT_EQ(step(), attach_step::open);
}

TEST_F(Attach, JoinerOpensAKnownLog) {
  forget_history();
  EXPECT_EQ(step(), attach_step::open);
}

TEST_F(Attach, JoinerCreatesTheLogWhereThereIsNothing) {
  forget_history();
  empty_redis();
  EXPECT_EQ(step(), attach_step::create);
}

TEST_F(Attach, JoinerCreatesNothingAmongRemains) {
  forget_history();
  empty_redis();
  log_.has_other_keys = true;
  EXPECT_EQ(step(), attach_step::refuse);
}

TEST_F(Attach, NodeWithHistoryNeverCreates) {
  empty_redis();
  EXPECT_EQ(step(), attach_step::refuse);
  EXPECT_EQ(step(true), attach_step::refuse);
}

TEST_F(Attach, AnotherLogIsRefused) {
  log_.log_id = "log2";
  EXPECT_EQ(step(), attach_step::refuse);
}

TEST_F(Attach, RestartThatKeptEverythingIsAdopted) {
  server_.incarnation = "run2/repl2";
  EXPECT_EQ(step(), attach_step::adopt);
}

TEST_F(Attach, RestartThatLostWhatWasReadIsRefused) {
  server_.incarnation = "run2/repl2";
  log_.top = {1, 12};
  log_.tail = make_entry(1, 12);
  log_.held = nullptr;
  EXPECT_EQ(step(), attach_step::refuse);
}

TEST_F(Attach, RestartThatLostWhatWasReadIsRefusedAlsoWhenAnotherNodeConfirmedIt) {
  // H1: a node that had read less confirmed the new incarnation and went on above.
  server_.incarnation = log_.incarnation = "run2/repl2";
  log_.held = make_entry(1, 15, "another text");
  EXPECT_EQ(step(), attach_step::refuse);
}

TEST_F(Attach, PositionAboveTheTopIsRefusedInTheSameIncarnation) {
  log_.top = {1, 14};
  log_.tail = make_entry(1, 14);
  log_.held = nullptr;
  EXPECT_EQ(step(), attach_step::refuse);
}

TEST_F(Attach, TrimmedPositionIsAGapInAKnownIncarnation) {
  log_.floor = 16;
  log_.held = nullptr;
  EXPECT_EQ(step(), attach_step::open);
}

TEST_F(Attach, TrimmedPositionCannotBeComparedAfterARestart) {
  log_.floor = 16;
  log_.held = nullptr;
  server_.incarnation = "run2/repl2";
  EXPECT_EQ(step(), attach_step::refuse);
}

TEST_F(Attach, JoinerLeavesARestartToNodesWithHistoryFirst) {
  forget_history();
  server_.incarnation = "run2/repl2";
  EXPECT_EQ(step(false), attach_step::wait);
  EXPECT_EQ(step(true), attach_step::adopt);
}

TEST_F(Attach, StreamAndMetaMustAgree) {
  log_.tail = make_entry(1, 19);
  EXPECT_EQ(step(), attach_step::refuse);
  log_.tail = nullptr;
  EXPECT_EQ(step(), attach_step::refuse);
}

TEST_F(Attach, ALogThatIsNotOpenIsRefused) {
  log_.state = "recovering";
  EXPECT_EQ(step(), attach_step::refuse);
}

TEST_F(Attach, ReplicasAreWaitedFor) {
  server_.is_replica = true;
  EXPECT_EQ(step(), attach_step::wait);
}

TEST_F(Attach, EvictionIsRefusedAlsoBeforeTheLogIsCreated) {
  server_.evicting_policy = "allkeys-lru";
  EXPECT_EQ(step(), attach_step::refuse);
  forget_history();
  empty_redis();
  EXPECT_EQ(step(), attach_step::refuse);
}

TEST(ServerFacts, AreReadFromInfo) {
  const auto facts = parse_server_facts(
      "# Server\r\nredis_version:7.0.15\r\nrun_id:aa\r\n# "
      "Replication\r\nrole:master\r\nmaster_replid:bb\r\n"
      "master_replid2:00\r\n# "
      "Memory\r\nmaxmemory:0\r\nmaxmemory_human:0B\r\nmaxmemory_policy:allkeys-lru\r\n");
  EXPECT_EQ(facts.incarnation, "aa/bb");
  EXPECT_FALSE(facts.is_replica);
  EXPECT_EQ(facts.evicting_policy, "");  // without a limit nothing is evicted
}

TEST(ServerFacts, NameAReplicaAndAnEvictingPolicy) {
  const auto facts =
      parse_server_facts("role:slave\r\nmaxmemory:1000\r\nmaxmemory_policy:volatile-ttl\r\n");
  EXPECT_TRUE(facts.is_replica);
  EXPECT_EQ(facts.evicting_policy, "volatile-ttl");
  EXPECT_EQ(parse_server_facts("maxmemory:1000\r\nmaxmemory_policy:noeviction\r\n").evicting_policy,
            "");
}

}  // namespace
}  // namespace ordeal::chat
