// Goal: the scripts of a recovery alone, against a real Redis: who may do what in a round, what is
// refused, and the keys that are left behind.
#include "tests/integration/chat/log/script_runner.h"

namespace ordeal::test {
namespace {

class RecoveryScripts : public script_runner {
 protected:
  // log1 with messages a1, a2 ... of origin a at 1-2, 1-3 ..., and an open round.
  void make_round_with(int count) {
    make_log();
    std::vector<message> messages;
    for (int i = 1; i <= count; ++i)
      messages.push_back({std::to_string(i), "a" + std::to_string(i)});
    ASSERT_TRUE(append(to_append(), messages).starts_with("OK"));
    make_round();
  }
  // Every claim that must not count; each is the good one but for one word.
  std::vector<claim> bad_claims() {
    std::vector<claim> result(4, a_claim());
    result[0].round = "a.0";
    result[1].life = "0123456789";
    result[2].reports = "1";  // somebody reported meanwhile, or never did
    result[3].round = "";
    return result;
  }
};

TEST_F(RecoveryScripts, ConveneMakesMetaWhereThereIsNothing) {
  EXPECT_EQ(convene({"", "", "", "", ""}), "1");
  EXPECT_EQ(ask({"HGETALL", "meta"}), "state,recovering");
  EXPECT_EQ(ask({"HMGET", "recovery", "round", "owner", "progress"}), "a.1,,0");
}

TEST_F(RecoveryScripts, ConveneIsACompareAndSet) {
  make_log();
  const words found{"log1", "1", "open", life(), ""};
  for (std::size_t i = 0; i < found.size(); ++i) {
    words other = found;
    other[i] = "other";
    EXPECT_EQ(convene(other), "0") << i;
    other[i] = i == 4 ? "b.1" : "";
    EXPECT_EQ(convene(other), "0") << i;
  }
  EXPECT_EQ(ask({"HGET", "meta", "state"}), "open");
  EXPECT_EQ(ask({"EXISTS", "recovery"}), "0");
  EXPECT_EQ(convene(found), "1");
  EXPECT_EQ(ask({"HMGET", "meta", "log_id", "epoch", "state", "top"}), "log1,1,recovering,1");
  EXPECT_EQ(convene(found, "b.1"), "0") << "the second to see the same comes too late";
}

TEST_F(RecoveryScripts, ConveneAnewForgetsReportsAndOwner) {
  make_round_with(1);
  report("a", "- 0-0 0 - -");
  claim mine = a_claim();
  mine.reports = "1";
  ASSERT_EQ(truncate(mine, "1-2"), "0");
  ASSERT_EQ(ask({"HMGET", "recovery", "owner", "progress"}), "a,1");
  EXPECT_EQ(convene({"log1", "1", "recovering", life(), "a.1"}, "b.1"), "1");
  EXPECT_EQ(ask({"HMGET", "recovery", "round", "owner", "progress"}), "b.1,,0");
  EXPECT_EQ(ask({"HLEN", "recovery"}), "3");
}

TEST_F(RecoveryScripts, NobodyAppendsInARound) {
  make_round_with(1);
  EXPECT_EQ(append(to_append(), {{"2", "y"}}), "STALE");
}

TEST_F(RecoveryScripts, ReportsAreCollected) {
  make_round_with(0);
  EXPECT_EQ(report("b", "one"), "OK,,0,b,one");
  EXPECT_EQ(report("b", "two"), "OK,,0,b,two") << "the latest counts";
  const std::string both = report("c", "three");
  EXPECT_TRUE(both == "OK,,0,b,two,c,three" || both == "OK,,0,c,three,b,two") << both;
  EXPECT_EQ(report("b", "x", "a.0"), "STALE");
}

TEST_F(RecoveryScripts, ReportsAfterTheOwnerActedAreHeardNoMore) {
  make_round_with(1);
  report("a", "first");
  claim mine = a_claim();
  mine.reports = "1";
  ASSERT_EQ(truncate(mine, "1-2"), "0");
  EXPECT_EQ(report("b", "late"), "OK,a,1,a,first");
  EXPECT_EQ(report("a", "again"), "OK,a,1,a,first");
}

TEST_F(RecoveryScripts, ReportIsStaleWhenTheRoundIsOverOrLost) {
  make_round_with(0);
  redis({"HSET", "meta", "state", "open"});
  EXPECT_EQ(report("a", "x"), "STALE");
  redis({"HSET", "meta", "state", "recovering"});
  redis({"DEL", "recovery"});
  EXPECT_EQ(report("a", "x"), "STALE");
  EXPECT_EQ(ask({"EXISTS", "recovery"}), "0");
}

TEST_F(RecoveryScripts, BadClaimsChangeNothing) {
  make_round_with(2);
  commit_words how;
  how.tail = "1-3";
  how.epoch = "1000001";
  const auto expect_all_stale = [&](const claim& bad, const std::string& why) {
    EXPECT_EQ(truncate(bad, "1-2"), "STALE") << why;
    EXPECT_EQ(restore(bad, "1-3", {{"1-4"}}), "STALE") << why;
    EXPECT_EQ(commit(bad, how), "STALE") << why;
  };
  for (const claim& bad : bad_claims())
    expect_all_stale(bad, bad.round + "/" + bad.life + "/" + bad.reports);
  redis({"HSET", "meta", "state", "open"});
  expect_all_stale(a_claim(), "not recovering");
  redis({"HSET", "meta", "state", "recovering"});
  redis({"HSET", "recovery", "owner", "b"});
  expect_all_stale(a_claim(), "owned by another");
  redis({"HSET", "recovery", "owner", ""});
  EXPECT_EQ(ids(), "1-1,1-2,1-3");
  EXPECT_EQ(ask({"HMGET", "recovery", "owner", "progress"}), ",0");
  EXPECT_EQ(commit(a_claim(), how), "0") << "and the good one works";
}

TEST_F(RecoveryScripts, TheOwnerGoesOnWhoeverReportedMeanwhile) {
  make_round_with(2);
  ASSERT_EQ(truncate(a_claim(), "1-2"), "0");
  claim other = a_claim();
  other.origin = "b";
  EXPECT_EQ(truncate(other, "1-1"), "STALE");
  EXPECT_EQ(restore(other, "1-2", {{"1-3"}}), "STALE");
  claim mine = a_claim();
  mine.reports = "7";
  EXPECT_EQ(truncate(mine, "1-1"), "0") << "its decision stands";
  EXPECT_EQ(ask({"HGET", "recovery", "progress"}), "2");
}

TEST_F(RecoveryScripts, TruncateRemovesInChunksTheNewestFirst) {
  make_round_with(9);
  EXPECT_EQ(truncate(a_claim(), "1-4", "4"), "1");
  EXPECT_EQ(ids(), "1-1,1-2,1-3,1-4,1-5,1-6");
  EXPECT_EQ(truncate(a_claim(), "1-4", "4"), "0");
  EXPECT_EQ(ids(), "1-1,1-2,1-3,1-4");
  EXPECT_EQ(ask({"HMGET", "recovery", "owner", "progress"}), "a,2");
}

TEST_F(RecoveryScripts, TruncateWhoseLastChunkIsFullTakesOneMoreCall) {
  make_round_with(4);
  EXPECT_EQ(truncate(a_claim(), "1-1", "4"), "1");
  EXPECT_EQ(ids(), "1-1");
  EXPECT_EQ(truncate(a_claim(), "1-1", "4"), "0");
}

// Without XSETID the stream would refuse ids below those that it had.
TEST_F(RecoveryScripts, TruncateMakesRoomForTheIdsOfTheOtherBranch) {
  make_round_with(5);
  ASSERT_EQ(truncate(a_claim(), "1-3"), "0");
  EXPECT_EQ(restore(a_claim(), "1-3", {{"1-4"}, {"1-5"}}), "0");
  EXPECT_EQ(ids(), "1-1,1-2,1-3,1-4,1-5");
}

TEST_F(RecoveryScripts, TruncateToNothingTakesEverythingThatIsKnown) {
  make_round_with(5);
  EXPECT_EQ(truncate(a_claim(), "0-0"), "0");
  EXPECT_EQ(ask({"EXISTS", "log", "req", "epochs", "seq"}), "0");
  EXPECT_EQ(restore(a_claim(), "0-0", {{"1-1", "b", "a", "0", ""}, {"1-2"}}), "0");
  EXPECT_EQ(ids(), "1-1,1-2");
}

// Whoever takes over from an owner that dies here must not believe in epochs that are gone.
TEST_F(RecoveryScripts, TruncateForgetsTheEpochsThatItRemoves) {
  make_round_with(5);
  redis({"HSET", "epochs", "1000009", "4", "2000009", "6"});
  ASSERT_EQ(truncate(a_claim(), "1-4"), "0");
  EXPECT_EQ(ask({"HGET", "epochs", "2000009"}), "-");
  EXPECT_EQ(ask({"HMGET", "epochs", "1", "1000009"}), "1,4");
}

TEST_F(RecoveryScripts, TruncateOfNothingIsDone) {
  make_round_with(2);
  EXPECT_EQ(truncate(a_claim(), "1-3"), "0");
  EXPECT_EQ(ids(), "1-1,1-2,1-3");
  redis({"DEL", "log"});
  EXPECT_EQ(truncate(a_claim(), "1-3"), "0");
}

TEST_F(RecoveryScripts, RestoreKeepsIdsAndFields) {
  make_round_with(1);
  stored beat{"1-4", "h", "b", "0", "", "3 1-3 1"};
  EXPECT_EQ(restore(a_claim(), "1-2", {{"1-3", "m", "b", "7", "x", "hello"}, beat}), "0");
  EXPECT_EQ(ask({"XRANGE", "log", "1-3", "+"}),
            "[1-3,[k,m,o,b,s,7,r,room,c,x,t,hello]],[1-4,[k,h,o,b,s,0,r,room,c,,t,3 1-3 1]]");
  EXPECT_EQ(ask({"HGET", "req", "x"}), "1-3") << "its retry key is back";
  EXPECT_EQ(ask({"HLEN", "req"}), "3") << "the sign, a1 and x: a heartbeat has none";
}

TEST_F(RecoveryScripts, RestoreIsStaleUnlessTheStreamEndsWhereItGoesOn) {
  make_round_with(2);
  for (const char* tail : {"1-2", "1-4", "0-0"})
    EXPECT_EQ(restore(a_claim(), tail, {{"1-4"}}), "STALE") << tail;
  redis({"DEL", "log"});
  EXPECT_EQ(restore(a_claim(), "1-3", {{"1-4"}}), "STALE");
  EXPECT_EQ(ask({"HMGET", "recovery", "owner", "progress"}), ",0");
  EXPECT_EQ(restore(a_claim(), "0-0", {{"1-4"}}), "0") << "a stream may begin anywhere";
}

// ... nor miss the epochs and watermarks of what was put back.
TEST_F(RecoveryScripts, RestoreKeepsEpochsAndMarksInAgreement) {
  make_round_with(1);
  redis({"HSET", "seq", "b", "9"});
  const std::vector<stored> entries{{"1-3", "m", "a", "4", "x"},
                                    {"2000005-4", "b", "c", "0", ""},
                                    {"2000005-5", "m", "b", "7", "y"},
                                    {"2000005-6", "h", "d", "0", ""}};
  ASSERT_EQ(restore(a_claim(), "1-2", entries), "0");
  EXPECT_EQ(ask({"HMGET", "epochs", "1", "2000005"}), "1,4");
  EXPECT_EQ(ask({"HMGET", "seq", "a", "b", "d"}), "4,9,-") << "the larger of both; beats have none";
  EXPECT_EQ(ask({"HMGET", "req", "x", "y"}), "1-3,2000005-5");
}

// A chunk whose answer was lost is not added twice.
TEST_F(RecoveryScripts, RestoreTwiceIsStale) {
  make_round_with(1);
  ASSERT_EQ(restore(a_claim(), "1-2", {{"1-3"}}), "0");
  EXPECT_EQ(restore(a_claim(), "1-2", {{"1-3"}}), "STALE");
  EXPECT_EQ(restore(a_claim(), "1-3", {{"1-4"}}), "0");
}

// XTRIM or XDEL by somebody: the key remembers ids that are to come again.
TEST_F(RecoveryScripts, RestoreIntoAStreamThatWasEmptied) {
  make_round_with(5);
  redis({"XTRIM", "log", "MAXLEN", "=", "0"});
  EXPECT_EQ(restore(a_claim(), "0-0", {{"1-2"}}), "0");
  EXPECT_EQ(ids(), "1-2");
}

TEST_F(RecoveryScripts, CommitOpensANewEpochWithABarrier) {
  make_round_with(2);
  commit_words how;
  how.tail = "1-3";
  how.epoch = "2000005";
  how.barrier = "round=a.1 heard=a missing=-";
  how.epochs = {"1", "1"};
  how.replaces = "0";
  EXPECT_EQ(commit(a_claim(), how), "0");
  EXPECT_EQ(ask({"XREVRANGE", "log", "+", "-", "COUNT", "1"}),
            "[2000005-4,[k,b,o,a,s,0,r,,c,,t,round=a.1 heard=a missing=-]]");
  EXPECT_EQ(ask({"HMGET", "meta", "log_id", "epoch", "state", "incarnation", "top", "floor"}),
            "log1,2000005,open," + life() + ",4,1");
  EXPECT_EQ(ask({"HMGET", "epochs", "1", "2000005"}), "1,4");
  EXPECT_EQ(ask({"EXISTS", "recovery"}), "0") << "the round is over";
  append_words next = to_append();
  next.epoch = "2000005";
  EXPECT_EQ(append(next, {{"3", "a3"}}), "OK,5,1,5");
}

TEST_F(RecoveryScripts, CommitTwiceIsStale) {
  make_round_with(0);
  commit_words how;
  how.tail = "1-1";
  how.epoch = "2000005";
  ASSERT_EQ(commit(a_claim(), how), "0");
  EXPECT_EQ(commit(a_claim(), how), "STALE");
  how.tail = "2000005-2";
  EXPECT_EQ(commit(a_claim(), how), "STALE");
}

TEST_F(RecoveryScripts, CommitReplacesTheEpochs) {
  make_round_with(0);
  redis({"HSET", "epochs", "1000009", "1"});  // of a branch that is lost
  commit_words how;
  how.tail = "1-1";
  how.epoch = "2000005";
  how.epochs = {"1", "1"};
  ASSERT_EQ(commit(a_claim(), how), "0");
  EXPECT_EQ(ask({"HLEN", "epochs"}), "3") << "and the mark that a commit wrote them";
  EXPECT_EQ(ask({"HGET", "epochs", "1000009"}), "-");
}

TEST_F(RecoveryScripts, CommitRaisesOrReplacesMarks) {
  commit_words how;
  how.tail = "1-1";
  how.marks = {"a", "5", "b", "9"};
  for (const char* replaces : {"0", "1"}) {
    redis({"FLUSHALL"});
    make_round_with(0);
    redis({"HSET", "seq", "a", "7", "c", "3"});
    how.epoch = "2000005";
    how.replaces = replaces;
    ASSERT_EQ(commit(a_claim(), how), "0");
    const bool is_raised = std::string(replaces) == "0";
    EXPECT_EQ(ask({"HMGET", "seq", "a", "b", "c"}), is_raised ? "7,9,3" : "5,9,-");
  }
}

TEST_F(RecoveryScripts, CommitMakesLostKeysAgainFromTheStream) {
  for (const char* key : {"req", "seq"}) {
    redis({"FLUSHALL"});
    make_round_with(3);
    redis({"DEL", key});
    commit_words how;
    how.tail = "1-4";
    how.epoch = "2000005";
    how.replaces = "0";
    ASSERT_EQ(commit(a_claim(), how), "0");
    EXPECT_EQ(ask({"HMGET", "req", "a1", "a2", "a3", ""}), "1-2,1-3,1-4,") << key;
    EXPECT_EQ(ask({"HGET", "seq", "a"}), "3") << key;
    append_words again = to_append("b");
    again.epoch = "2000005";
    EXPECT_EQ(append(again, {{"1", "a2"}}), "OK,5,1,DUPCLIENT 1-3") << key;
  }
}

// A restore makes the key anew, for what it puts back only.
TEST_F(RecoveryScripts, CommitCompletesARetryKeyThatWasLostAndHalfMade) {
  make_round_with(3);
  redis({"DEL", "req"});
  ASSERT_EQ(restore(a_claim(), "1-4", {{"1-5", "m", "b", "1", "x"}}), "0");
  ASSERT_EQ(ask({"HKEYS", "req"}), "x");
  commit_words how;
  how.tail = "1-5";
  how.epoch = "2000005";
  how.replaces = "0";
  ASSERT_EQ(commit(a_claim(), how), "0");
  EXPECT_EQ(ask({"HMGET", "req", "a1", "a2", "a3", "x", ""}), "1-2,1-3,1-4,1-5,");
}

TEST_F(RecoveryScripts, CommitIsStaleUnlessTheStreamEndsAtTheTail) {
  make_round_with(2);
  commit_words how;
  how.epoch = "2000005";
  for (const char* tail : {"1-2", "1-4", "0-0"}) {
    how.tail = tail;
    EXPECT_EQ(commit(a_claim(), how), "STALE") << tail;
  }
  EXPECT_EQ(ids(), "1-1,1-2,1-3");
  EXPECT_EQ(ask({"HGET", "meta", "state"}), "recovering");
}

TEST_F(RecoveryScripts, CommitOnNothingBeginsAtOne) {
  make_round_with(5);
  redis({"XTRIM", "log", "MAXLEN", "=", "0"});
  commit_words how;
  how.log_id = "fresh";
  how.epoch = "2000005";
  ASSERT_EQ(commit(a_claim(), how), "0");
  EXPECT_EQ(ids(), "2000005-1");
  EXPECT_EQ(ask({"HMGET", "meta", "log_id", "top", "floor"}), "fresh,1,1");
}

TEST_F(RecoveryScripts, CommitRaisesTheFloorToTheOldestEntry) {
  make_round_with(5);
  redis({"XTRIM", "log", "MINID", "=", "1-4"});
  commit_words how;
  how.tail = "1-6";
  how.epoch = "2000005";
  ASSERT_EQ(commit(a_claim(), how), "0");
  EXPECT_EQ(ask({"HMGET", "meta", "top", "floor"}), "7,4");
}

// After a fork of the same ids: what was lost is unknown to the log again.
TEST_F(RecoveryScripts, RetryKeysOfARemovedBranchCountAsUnknown) {
  make_round_with(3);
  ASSERT_EQ(truncate(a_claim(), "1-2"), "0");
  commit_words how;
  how.tail = "1-2";
  how.epoch = "2000005";
  how.marks = {"a", "1"};
  ASSERT_EQ(commit(a_claim(), how), "0");
  append_words next = to_append();
  next.epoch = "2000005";
  EXPECT_EQ(append(next, {{"1", "a1"}, {"2", "a2"}, {"3", "a3"}}), "OK,5,1,DUP 1-2,4,5");
  EXPECT_EQ(ids(), "1-1,1-2,2000005-3,2000005-4,2000005-5");
}

}  // namespace
}  // namespace ordeal::test
