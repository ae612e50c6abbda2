// Goal: a recovery as one node sees it: on every doubt it convenes, it acts only when it is chosen,
// it puts back what it has read, and a connection that breaks anywhere changes nothing of that.
#include "tests/unit/chat/log/machine_fixture.h"

namespace ordeal::test {
namespace {

using namespace chat;
using net::redis::reply_class;

class LogMachineRecovery : public machine_fixture {
 protected:
  // Open, has read barrier and messages up to 1-5; then the connection broke and there is a new one.
  void open_and_reconnect() {
    fill_stream(5);
    open();
    machine_.on_connection_lost();
    machine_.on_connected();
  }
  // Redis holds nothing but the round.
  attach_answer empty_in_round() {
    redis_ = empty_redis("life2");
    redis_.state = "recovering";
    redis_.round = "r1@life2";
    return attached();
  }
  // The log was put in order, in `epoch`; the barrier ends it.
  attach_answer committed(std::uint64_t epoch, std::uint64_t top) {
    fill_stream(top - 1);
    redis_.life = redis_.incarnation = "life2";
    redis_.has_meta = redis_.has_all_keys = true;
    redis_.log_id = "log1";
    redis_.state = "open";
    redis_.round.clear();
    redis_.epoch = epoch;
    redis_.stream.push_back(make_barrier({epoch, top}));
    redis_.chain.add(epoch, top);
    return attached();
  }
  // Attached to a round of others that finds Redis empty.
  void gather() {
    open_and_reconnect();
    ASSERT_EQ(next(), "attach behind 1-5");
    hear(empty_in_round());
    EXPECT_EQ(machine_.state(), log_state::recovering);
    EXPECT_FALSE(machine_.is_reading());
  }
  const std::string mine_ = "log1 1-5 1 b b=4";
  const std::string to_report_ = "report to r1@life2 behind 1-5: log1 1-5 1 b b=4";
};

TEST_F(LogMachineRecovery, EveryDoubtConvenesWithWhatWasFound) {
  open_and_reconnect();
  const log_machine start = machine_;
  const fake_redis whole = redis_;
  const auto expect_convene = [&](const char* why, const std::string& words) {
    SCOPED_TRACE(why);
    machine_ = start;
    EXPECT_EQ(next(), "attach behind 1-5");
    hear(attached());
    EXPECT_EQ(machine_.state(), log_state::recovering);
    EXPECT_EQ(events(), (texts{"convened"}));
    EXPECT_EQ(next(), words);
    redis_ = whole;
  };
  redis_ = empty_redis("life2");
  expect_convene("nothing", "convene from /0///");
  redis_.life = "life2";
  expect_convene("restarted", "convene from log1/1/open/life1/");
  redis_.has_all_keys = false;
  expect_convene("a key is missing", "convene from log1/1/open/life1/");
  redis_.has_meta = false;
  redis_.log_id = redis_.state = redis_.incarnation = "";
  redis_.epoch = 0;
  expect_convene("meta is missing", "convene from /0///");
  redis_.stream.pop_back();
  expect_convene("what was read is gone", "convene from log1/1/open/life1/");
  redis_.log_id = "log0";
  redis_.stream.resize(2);
  expect_convene("a younger log", "convene from log0/1/open/life1/");
  redis_.state = "recovering";
  expect_convene("a recovery that was given up", "convene from log1/1/recovering/life1/");
}

TEST_F(LogMachineRecovery, NoRoundIsNamedTwice) {
  open_and_reconnect();
  redis_ = empty_redis("life2");
  std::vector<std::string> rounds;
  for (int i = 0; i < 3; ++i) {
    next();
    hear(attached());
    rounds.push_back(std::get<convene_command>(machine_.next_command()).round);
    hear(convene_answer{false});
  }
  EXPECT_EQ(rounds, (texts{"me.1@life2", "me.2@life2", "me.3@life2"}));
}

TEST_F(LogMachineRecovery, WhoConvenesTooLateJoinsTheRoundOfTheOther) {
  open_and_reconnect();
  redis_ = empty_redis("life2");
  next();
  hear(attached());
  next();
  hear(convene_answer{false});
  EXPECT_EQ(next(), "attach behind 1-5");
  hear(empty_in_round());
  EXPECT_EQ(next(), to_report_);
}

TEST_F(LogMachineRecovery, ScriptOfRestoringAnEmptyRedis) {
  open_and_reconnect();
  redis_ = empty_redis("life2");
  const auto gathered = [this] { return answer(empty_in_round()); };
  const auto alone = [this] {
    return answer(reported({{"me", mine_}, {"b", "log1 1-3 1 me b=2"}}));
  };
  const auto done = [] { return answer(repaired()); };
  play_and_break_everywhere(
      {{"attach behind 1-5", [this] { return attached(); }},
       {"convene from /0///", [] { return convene_answer{true}; }, {0, 2}},
       {"attach behind 1-5", gathered, {2}},
       {to_report_, alone, {2}},
       {"restore behind 0-0: 1-1 1-2 1-3", done, {2}},
       {"restore behind 1-3: 1-4 1-5", done, {2}},
       {"commit log1/1 behind 1-5 marks{b=4} replacing", done, {2, 7}},
       {"attach behind 1-5", [this] { return committed(1'000'077, 6); }, {7}}});
  if (HasFatalFailure()) return;
  EXPECT_EQ(machine_.restored(), 5U);
  EXPECT_EQ(machine_.identity(), (log_identity{"log1", 1'000'077, "life2"}));
  EXPECT_EQ(events(), (texts{"convened", "repairing", "committed", "recovered"}));
  EXPECT_TRUE(read({redis_.stream.back(), make_message({1'000'077, 7}, "b", 5)}));
  EXPECT_EQ(effects(), (texts{"b5@1000077-7"})) << "clients notice nothing";
}

TEST_F(LogMachineRecovery, ScriptOfReplacingAnOlderBranch) {
  fill_stream(5);
  redis_.stream.resize(3);
  redis_.epoch = 1'000'009;
  redis_.chain = make_chain({{1, 1}, {1'000'009, 4}});
  redis_.stream.push_back(make_barrier({1'000'009, 4}));
  redis_.stream.push_back(make_message({1'000'009, 5}, "b", 3));
  open();
  machine_.on_connection_lost();
  machine_.on_connected();
  // Others went on from 1-3 in an earlier term.
  redis_.life = "life2";
  redis_.epoch = 5;
  redis_.chain = make_chain({{1, 1}, {5, 4}});
  redis_.stream.resize(3);
  redis_.stream.push_back(make_barrier({5, 4}));
  const auto in_round = [this] {
    redis_.state = "recovering";
    redis_.round = "r1@life2";
    return answer(attached());
  };
  const auto open_again = [this] {
    redis_.state = "open";
    redis_.round.clear();
    redis_.incarnation = "life2";
    redis_.epoch = 2'000'001;
    redis_.chain = make_chain({{1, 1}, {1'000'009, 4}, {2'000'001, 6}});
    redis_.stream.resize(3);
    for (const auto& each : {make_barrier({1'000'009, 4}), make_message({1'000'009, 5}, "b", 3),
                             make_barrier({2'000'001, 6})})
      redis_.stream.push_back(each);
    return answer(attached());
  };
  const std::string mine = "log1 1000009-5 1 b b=3";
  play_and_break_everywhere(
      {{"attach behind 1000009-5", [this] { return attached(); }},
       {"convene from log1/5/open/life1/", [] { return convene_answer{true}; }, {0, 2}},
       {"attach behind 1000009-5", in_round, {2}},
       {"report to r1@life2 behind 1000009-5: " + mine,
        [this, mine] {
          return reported({{"me", mine}, {"b", "- 0-0 0 - -"}});
        },
        {2}},
       {"truncate to 1-3", [] { return repaired(false); }, {2}},
       {"truncate to 1-3", [] { return repaired(); }, {2}},
       {"restore behind 1-3: 1000009-4 1000009-5", [] { return repaired(); }, {2}},
       {"commit log1/2 behind 1000009-5 marks{b=3} replacing", [] { return repaired(); }, {2, 8}},
       {"attach behind 1000009-5", open_again, {8}}});
}

TEST_F(LogMachineRecovery, ScriptOfALoserThatWaits) {
  open_and_reconnect();
  const std::string ahead = "log1 1-9 1 me b=8";
  const auto waiting = [this, ahead] { return answer(reported({{"me", mine_}, {"b", ahead}})); };
  const auto repairing = [this, ahead] {
    return answer(reported({{"me", mine_}, {"b", ahead}}, "b", 3));
  };
  const auto over = [] {
    report_answer stale;
    stale.is_stale = true;
    stale.server.incarnation = "life2";
    return answer(stale);
  };
  play_and_break_everywhere(
      {{"attach behind 1-5", [this] { return empty_in_round(); }},
       {to_report_, waiting},
       {to_report_, repairing},
       {to_report_, over, {0, 4}},
       {"attach behind 1-5", [this] { return committed(1'000'077, 10); }, {4}}});
}

TEST_F(LogMachineRecovery, ALoserLooksAfterPausesAndDoesNothing) {
  gather();
  for (int look = 0; look < 5; ++look) {
    ASSERT_EQ(next(), to_report_) << look;
    EXPECT_FALSE(machine_.must_pause());
    hear(reported({{"me", mine_}, {"b", "log1 1-9 1 me b=8"}}));
    EXPECT_TRUE(machine_.must_pause());
  }
}

TEST_F(LogMachineRecovery, WaitsForAMemberUntilTheGraceIsOver) {
  gather();
  for (int look = 1; look <= 3; ++look) {
    ASSERT_EQ(next(), to_report_) << look;
    hear(reported({{"me", mine_}}));
  }
  ASSERT_EQ(next(), to_report_);
  hear(reported({{"me", mine_}}));  // the fourth look
  EXPECT_EQ(next(), "restore behind 0-0: 1-1 1-2 1-3");
}

TEST_F(LogMachineRecovery, ActsAtOnceWhenEveryMemberWasHeard) {
  gather();
  next();
  hear(reported({{"me", mine_}, {"b", "- 0-0 0 - -"}}));
  EXPECT_FALSE(machine_.must_pause());
  EXPECT_EQ(next(), "restore behind 0-0: 1-1 1-2 1-3");
}

TEST_F(LogMachineRecovery, DoesNotActWhenItsOwnReportWasNotTaken) {
  gather();
  for (int look = 1; look <= 5; ++look) {
    ASSERT_EQ(next(), to_report_) << look;
    hear(reported({{"b", "- 0-0 0 - -"}}));
  }
}

TEST_F(LogMachineRecovery, AStalledRoundIsConvenedAnew) {
  gather();
  const auto stalled = [this] {
    return reported({{"me", mine_}, {"b", "log1 1-9 1 me b=8"}}, "b", 1);
  };
  for (int look = 0; look <= 6; ++look) {
    ASSERT_EQ(next(), to_report_) << look;
    hear(stalled());
  }
  EXPECT_EQ(next(), "convene from /0/recovering//r1@life2");
}

TEST_F(LogMachineRecovery, ProgressOfTheOwnerIsNoStall) {
  gather();
  for (std::uint64_t look = 0; look < 30; ++look) {
    ASSERT_EQ(next(), to_report_) << look;
    hear(reported({{"me", mine_}, {"b", "log1 1-9 1 me b=8"}}, "b", look / 3));
  }
}

TEST_F(LogMachineRecovery, AnOwnerWhoseConnectionBrokeGoesOn) {
  gather();
  next();
  hear(reported({{"me", mine_}, {"b", "log1 1-9 1 me b=8"}}, "me", 2));
  EXPECT_EQ(next(), "restore behind 0-0: 1-1 1-2 1-3")
      << "it was chosen before b reported; nobody else may act now";
}

TEST_F(LogMachineRecovery, ARepairThatIsStaleLooksAgainAfterAPause) {
  gather();
  next();
  hear(reported({{"me", mine_}, {"b", "- 0-0 0 - -"}}));
  next();
  hear(stale_repair());
  EXPECT_TRUE(machine_.must_pause());
  EXPECT_EQ(machine_.state(), log_state::recovering);
  EXPECT_EQ(next(), "attach behind 1-5");
}

TEST_F(LogMachineRecovery, ARepairThatFailsLooksAgainAfterAPause) {
  gather();
  next();
  hear(reported({{"me", mine_}, {"b", "- 0-0 0 - -"}}));
  next();
  hear(error(reply_class::retryable, "OOM"));
  EXPECT_TRUE(machine_.must_pause());
  EXPECT_EQ(next(), "attach behind 1-5");
  hear(empty_in_round());
  EXPECT_EQ(next(), to_report_);
}

TEST_F(LogMachineRecovery, NoEpochIsTriedTwice) {
  gather();
  std::vector<std::uint64_t> epochs;
  for (int i = 0; i < 2; ++i) {
    next();
    hear(reported({{"me", mine_}, {"b", "- 0-0 0 - -"}}));
    for (int chunk = 0; chunk < 2; ++chunk) {
      next();
      hear(repaired());
    }
    epochs.push_back(std::get<commit_command>(machine_.next_command()).epoch);
    hear(stale_repair());
    next();
    hear(empty_in_round());
  }
  EXPECT_NE(epochs[0], epochs[1]);
  EXPECT_EQ(term_of(epochs[0]), 1U);
}

// What is stored of it may be of before its connection broke.
TEST_F(LogMachineRecovery, RestoresWhatItHasReadNotWhatItOnceReported) {
  gather();
  next();
  hear(reported({{"me", "log1 1-2 1 - b=1"}, {"b", "- 0-0 0 - -"}}));
  EXPECT_EQ(next(), "restore behind 0-0: 1-1 1-2 1-3");
  hear(repaired());
  EXPECT_EQ(next(), "restore behind 1-3: 1-4 1-5");
  hear(repaired());
  EXPECT_EQ(next(), "commit log1/1 behind 1-5 marks{b=4} replacing");
}

// Redis came back with a snapshot that was taken in the middle of a recovery.
TEST_F(LogMachineRecovery, ARoundOfAnotherLifeIsOver) {
  open_and_reconnect();
  next();
  empty_in_round();
  redis_.life = "life3";
  hear(attached());
  EXPECT_EQ(next(), "convene from /0/recovering//r1@life2");
}

TEST_F(LogMachineRecovery, AClaimCountsReportsThatItCannotRead) {
  gather();
  next();
  hear(reported({{"me", mine_}, {"b", "- 0-0 0 - -"}, {"c", "of another version"}}));
  EXPECT_EQ(std::get<restore_command>(machine_.next_command()).claim.reports, 3U);
}

// docs/log-protocol.md, H10: it waits before it begins a log.
TEST_F(LogMachineRecovery, ScriptOfTheFirstNodeOfAll) {
  redis_ = empty_redis("life2");
  machine_.on_connected();
  const std::string to_report = "report to r1@life2: - 0-0 0 - -";
  const auto alone = [this] { return answer(reported({{"me", "- 0-0 0 - -"}})); };
  const auto created = [this] {
    redis_ = fake_redis();
    redis_.life = redis_.incarnation = "life2";
    redis_.log_id = "fresh";
    redis_.epoch = 1'000'077;
    redis_.chain = make_chain({{1'000'077, 1}});
    redis_.stream = {make_barrier({1'000'077, 1})};
    return answer(attached());
  };
  play({{"attach", [this] { return attached(); }},
        {"convene from /0///", [] { return convene_answer{true}; }},
        {"attach", [this] { return empty_in_round(); }},
        {to_report, alone},
        {to_report, alone}});
  const command commit = machine_.next_command();
  EXPECT_TRUE(words_of(commit).ends_with("/1 behind 0-0 marks{} replacing")) << words_of(commit);
  EXPECT_FALSE(std::get<commit_command>(commit).log_id.empty());
  hear(repaired());
  EXPECT_EQ(next(), "attach");
  hear(created());
  EXPECT_EQ(machine_.state(), log_state::open);
  EXPECT_EQ(events(), (texts{"convened", "repairing", "created", "attached"}));
}

TEST_F(LogMachineRecovery, AJoinerBesideANodeWithHistoryLeavesItTheRepair) {
  redis_ = empty_redis("life2");
  machine_.on_connected();
  next();
  hear(empty_in_round());
  for (int look = 0; look < 5; ++look) {
    ASSERT_EQ(next(), "report to r1@life2: - 0-0 0 - -");
    hear(reported({{"me", "- 0-0 0 - -"}, {"b", "log1 1-9 1 - b=8"}}));
  }
}

TEST_F(LogMachineRecovery, MessagesWaitInTheOutboxAndGoInAfterwards) {
  open_and_reconnect();
  machine_.add("room", "id", "text", {});
  next();
  hear(empty_in_round());
  for (int look = 0; look < 3; ++look) {
    next();
    hear(reported({{"me", mine_}, {"b", "log1 1-9 1 me b=8"}}, "b", 1));
  }
  EXPECT_EQ(settled(), texts{});
  next();
  report_answer over;
  over.is_stale = true;
  hear(over);
  next();
  hear(committed(1'000'077, 10));
  EXPECT_EQ(next(), "append log1/1000077/life2 after 0: beat behind 1-5 low 1 1");
}

TEST_F(LogMachineRecovery, ReadsNothingWhileItIsUnderWay) {
  gather();
  EXPECT_FALSE(read({make_message({1, 6}, "b", 5)}));
  EXPECT_EQ(machine_.last_read(), (position{1, 5}));
}

}  // namespace
}  // namespace ordeal::test
