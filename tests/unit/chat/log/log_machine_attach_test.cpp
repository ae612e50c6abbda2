// Goal: the machine says nothing before it has looked, appends only to what it has attached to, and
// after whatever goes wrong looks again and loses no message.
#include "tests/unit/chat/log/machine_fixture.h"

namespace ordeal::test {
namespace {

using namespace chat;
using net::redis::reply_class;

class LogMachineAttach : public machine_fixture {
 protected:
  std::uint64_t add() {
    return machine_.add("room", "id" + std::to_string(++ids_), "text", {}).value();
  }

 private:
  int ids_ = 0;
};

TEST_F(LogMachineAttach, SaysNothingWithoutAConnection) {
  add();
  machine_.beat_due();
  EXPECT_EQ(next(), "");
  EXPECT_EQ(machine_.state(), log_state::connecting);
  EXPECT_FALSE(machine_.is_reading());
}

TEST_F(LogMachineAttach, AJoinerReadsBackAndDeliversWhatIsNew) {
  fill_stream(5);
  machine_.on_connected();
  EXPECT_EQ(next(), "attach");
  EXPECT_EQ(next(), "") << "one command at a time";
  hear(attached());
  EXPECT_EQ(machine_.state(), log_state::open);
  EXPECT_EQ(machine_.identity(), (log_identity{"log1", 1, "life1"}));
  EXPECT_EQ(machine_.last_delivered(), (position{1, 5}))
      << "clients that join here start at the top";
  EXPECT_EQ(machine_.next_read().after, (position{1, 0}));
  EXPECT_TRUE(read(redis_.stream));
  EXPECT_EQ(machine_.next_read().after, (position{1, 5}));
  EXPECT_EQ(machine_.replay().low(), 1U);
  EXPECT_EQ(effects(), texts{});
  EXPECT_TRUE(read({make_message({1, 6}, "b", 5)}));
  EXPECT_EQ(effects(), (texts{"b5@1-6"}));
  EXPECT_EQ(machine_.last_delivered(), (position{1, 6}));
}

TEST_F(LogMachineAttach, AJoinerReadsBackNoMoreThanItKeeps) {
  machine_options options = small_options();
  options.replay_entries = 3;
  machine_ = log_machine(options);
  fill_stream(9);
  machine_.on_connected();
  next();
  hear(attached());
  EXPECT_EQ(machine_.next_read().after, (position{1, 6}));
}

TEST_F(LogMachineAttach, BeatsFirstAndThenWhenDue) {
  fill_stream(2);
  machine_.on_connected();
  next();
  hear(attached());
  read(redis_.stream);
  EXPECT_EQ(next(), "append log1/1/life1 after 0: beat behind 1-2 low 1");
  hear(appended(3, {}));
  EXPECT_EQ(machine_.beats_appended(), 1U);
  EXPECT_EQ(machine_.beats_echoed(), 0U);
  EXPECT_EQ(next(), "");
  read({make_beat({1, 3}, "me", "1 1-2 1")});
  EXPECT_EQ(machine_.beats_echoed(), 1U);
  machine_.beat_due();
  EXPECT_EQ(next(), "append log1/1/life1 after 0: beat behind 1-3 low 1");
}

TEST_F(LogMachineAttach, SendsInBatchesAndAnswersSenders) {
  fill_stream(2);
  open();
  for (int i = 0; i < 5; ++i) add();
  EXPECT_EQ(next(), "append log1/1/life1 after 0: 1 2 3");
  EXPECT_EQ(next(), "") << "what waits would not fill another one";
  hear(appended(5, {3, 4, 5}));
  EXPECT_EQ(settled(), (texts{"1@3", "2@4", "3@5"}));
  EXPECT_EQ(machine_.top(), 5U);
  EXPECT_EQ(next(), "append log1/1/life1 after 3: 4 5");
}

TEST_F(LogMachineAttach, AFullBatchGoesBehindOneThatIsNotAnswered) {
  fill_stream(2);
  open();
  for (int i = 0; i < 7; ++i) add();
  EXPECT_EQ(next(), "append log1/1/life1 after 0: 1 2 3");
  EXPECT_EQ(next(), "append log1/1/life1 after 3:id3: 4 5 6") << "with what has to be there";
  EXPECT_EQ(next(), "");
  hear(appended(5, {3, 4, 5}));
  EXPECT_EQ(next(), "");
  hear(appended(8, {6, 7, 8}));
  EXPECT_EQ(settled(), (texts{"1@3", "2@4", "3@5", "4@6", "5@7", "6@8"}));
  EXPECT_EQ(next(), "append log1/1/life1 after 6: 7");
}

TEST_F(LogMachineAttach, NoMoreThanSoManyAppendsAreOnTheirWay) {
  fill_stream(2);
  open();
  for (int i = 0; i < 30; ++i) add();
  int count = 0;
  while (next() != "") ++count;
  EXPECT_EQ(count, 4);
}

// What is behind it is answered before anything new is said.
TEST_F(LogMachineAttach, AnAppendThatIsStaleTakesThoseBehindItWithIt) {
  fill_stream(2);
  open();
  for (int i = 0; i < 9; ++i) add();
  next();
  next();
  hear(stale_append());
  EXPECT_EQ(machine_.state(), log_state::recovering);
  EXPECT_EQ(next(), "");
  hear(stale_append());
  EXPECT_EQ(next(), "attach behind 1-2");
  hear(attached());
  EXPECT_EQ(next(), "append log1/1/life1 after 0: beat behind 1-2 low 1 1 2 3");
  EXPECT_EQ(settled(), texts{});
}

TEST_F(LogMachineAttach, ARefusalIsSaidOnceForAppendsInARow) {
  fill_stream(2);
  open();
  for (int i = 0; i < 9; ++i) add();
  next();
  next();
  next();
  hear(error(reply_class::retryable, "OOM command not allowed"));
  const std::string reason = machine_.reason();
  EXPECT_NE(reason.find("out of memory"), std::string::npos);
  EXPECT_EQ(next(), "");
  append_answer behind = appended(2, {});
  behind.entries.push_back(gap(0));
  hear(behind);
  hear(behind);
  EXPECT_EQ(machine_.reason(), reason) << "an answer that appended nothing mends nothing";
  EXPECT_TRUE(machine_.must_pause());
  EXPECT_EQ(next(), "append log1/1/life1 after 0: 1 2 3");
  hear(appended(5, {3, 4, 5}));
  EXPECT_EQ(machine_.reason(), "");
}

TEST_F(LogMachineAttach, AMessageThatIsSentAgainGoesToTheLogOnce) {
  fill_stream(2);
  open();
  EXPECT_EQ(machine_.add("room", "id", "text", {}), 1U);
  EXPECT_EQ(next(), "append log1/1/life1 after 0: 1");
  EXPECT_EQ(machine_.add("room", "id", "text", {}), 1U);
  EXPECT_EQ(machine_.add("room", "id", "other", {}), std::nullopt);
  EXPECT_EQ(machine_.add("other", "id", "text", {}), std::nullopt);
  hear(appended(3, {3}));
  EXPECT_EQ(settled(), (texts{"1@3"}));
  EXPECT_EQ(machine_.add("room", "id", "text", {}), 1U);
  EXPECT_EQ(settled(), (texts{"1@3"})) << "at once";
  EXPECT_EQ(next(), "");
}

TEST_F(LogMachineAttach, AnOwnMessageThatIsReadIsAnAnswerToo) {
  fill_stream(2);
  open();
  add();
  next();
  read({make_message({1, 3}, "me", 1)});
  EXPECT_EQ(settled(), (texts{"1@3"}));
  EXPECT_EQ(effects(), (texts{"me1@1-3"}));
  machine_.on_connection_lost();
  machine_.on_connected();
  redis_.stream.push_back(make_message({1, 3}, "me", 1));
  redis_.own_seq = 1;
  EXPECT_EQ(next(), "attach behind 1-3");
  hear(attached());
  EXPECT_EQ(next(), "append log1/1/life1 after 0: beat behind 1-3 low 1")
      << "and is not sent again";
}

// Somebody has set the watermark too high: nothing is acknowledged that is not there.
TEST_F(LogMachineAttach, AFalseRepetitionBeginsAnewUnderAnotherName) {
  fill_stream(2);
  open();
  add();
  next();
  hear(appended(3, {3}));
  read({make_message({1, 3}, "me", 1)});
  add();
  next();
  append_answer heard = appended(3, {0});
  heard.entries[0].result = entry_result::used_before;
  heard.entries[0].at.reset();
  hear(heard);
  EXPECT_EQ(settled(), (texts{"1@3"}));
  EXPECT_EQ(events(), (texts{"renamed"}));
  EXPECT_EQ(machine_.origin(), "me+1");
  EXPECT_TRUE(machine_.must_pause());
  redis_.stream.push_back(make_message({1, 3}, "me", 1));
  redis_.own_seq = 0;
  EXPECT_EQ(next(), "attach behind 1-3");
  hear(attached());
  EXPECT_EQ(next(), "append log1/1/life1 after 0: beat behind 1-3 low 1 1 2")
      << "the log knows the first one by its id";
  heard = appended(5, {0, 5});
  heard.entries[0].result = entry_result::known_client_id;
  heard.entries[0].at = position{1, 3};
  hear(heard);
  EXPECT_EQ(settled(), (texts{"2@5"}));
  read({make_beat({1, 4}, "me+1", "2 1-3 1"), make_message({1, 5}, "me+1", 2)});
  EXPECT_EQ(effects(), (texts{"me1@1-3", "me+12@1-5"}));
  EXPECT_EQ(machine_.beats_echoed(), 2U);
}

TEST_F(LogMachineAttach, AStaleAppendLooksAgainAndSendsTheSame) {
  fill_stream(2);
  open();
  add();
  machine_.beat_due();
  EXPECT_EQ(next(), "append log1/1/life1 after 0: beat behind 1-2 low 1 1");
  hear(stale_append());
  EXPECT_EQ(machine_.state(), log_state::recovering);
  EXPECT_FALSE(machine_.is_reading());
  EXPECT_FALSE(machine_.must_pause());
  EXPECT_EQ(next(), "attach behind 1-2");
  hear(attached());
  EXPECT_EQ(next(), "append log1/1/life1 after 0: beat behind 1-2 low 1 1");
  hear(appended(4, {4}));
  EXPECT_EQ(settled(), (texts{"1@4"}));
}

TEST_F(LogMachineAttach, ANewEpochIsAppendedTo) {
  fill_stream(2);
  open();
  machine_.beat_due();
  next();
  hear(stale_append());
  redis_.epoch = 1'000'009;
  redis_.stream.push_back(make_barrier({1'000'009, 3}));
  redis_.chain.add(1'000'009, 3);
  EXPECT_EQ(next(), "attach behind 1-2");
  hear(attached());
  EXPECT_EQ(events(), (texts{"recovered"}));
  EXPECT_EQ(next(), "append log1/1000009/life1 after 0: beat behind 1-2 low 1");
  EXPECT_TRUE(read({redis_.stream.back(), make_message({1'000'009, 4}, "b", 2)}));
  EXPECT_EQ(effects(), (texts{"b2@1000009-4"}));
}

TEST_F(LogMachineAttach, AReplicaIsWaitedFor) {
  fill_stream(2);
  redis_.is_replica = true;
  machine_.on_connected();
  next();
  hear(attached());
  EXPECT_EQ(machine_.state(), log_state::connecting);
  EXPECT_TRUE(machine_.must_pause());
  EXPECT_EQ(machine_.reason(), "this Redis is a replica");
  EXPECT_EQ(next(), "attach");
}

TEST_F(LogMachineAttach, RefusesUntilRedisIsUsable) {
  fill_stream(2);
  redis_.memory = {1'000, "allkeys-lru"};
  machine_.on_connected();
  next();
  hear(attached());
  EXPECT_EQ(machine_.state(), log_state::refusing);
  EXPECT_NE(machine_.reason().find("set noeviction"), std::string::npos);
  EXPECT_TRUE(machine_.must_pause());
  machine_.on_connection_lost();
  EXPECT_EQ(machine_.state(), log_state::refusing) << "nothing has changed";
  machine_.on_connected();
  redis_.memory.policy = "noeviction";
  EXPECT_EQ(next(), "attach");
  hear(attached());
  EXPECT_EQ(machine_.state(), log_state::open);
  EXPECT_EQ(machine_.reason(), "");
}

// CONFIG SET maxmemory counts from the next heartbeat on.
TEST_F(LogMachineAttach, WhatTheLogMayHoldFollowsWhatRedisMayUse) {
  fill_stream(2);
  redis_.memory = {64'000, "noeviction"};
  machine_.on_connected();
  next();
  hear(attached());
  EXPECT_EQ(std::get<append_command>(machine_.next_command()).retained_bytes, 32'000U);
  append_answer heard = appended(3, {});
  heard.memory = memory_facts{10'000, "noeviction"};
  heard.bytes = 700;
  hear(heard);
  EXPECT_EQ(machine_.log_bytes(), 700U);
  add();
  EXPECT_EQ(std::get<append_command>(machine_.next_command()).retained_bytes, 5'000U);
}

TEST_F(LogMachineAttach, AnEvictingPolicyIsNoticedWithAHeartbeat) {
  fill_stream(2);
  open();
  add();
  machine_.beat_due();
  next();
  append_answer heard = appended(4, {4});
  heard.memory = memory_facts{1'000, "allkeys-random"};
  hear(heard);
  EXPECT_EQ(settled(), (texts{"1@4"})) << "it is in the log";
  EXPECT_EQ(machine_.state(), log_state::refusing);
  EXPECT_EQ(machine_.reason(),
            "Redis evicts keys (maxmemory-policy allkeys-random): set noeviction");
  EXPECT_EQ(next(), "attach behind 1-2");
}

TEST_F(LogMachineAttach, APolicyThatSparesTheLogIsWarnedOfOnce) {
  fill_stream(2);
  redis_.memory = {1'000, "volatile-lru"};
  machine_.on_connected();
  next();
  hear(attached());
  EXPECT_EQ(machine_.state(), log_state::open);
  EXPECT_EQ(events(), (texts{"warned", "attached"}));
  append_answer heard = appended(3, {});
  for (const char* policy : {"volatile-lru", "volatile-ttl", "volatile-ttl", "noeviction"}) {
    machine_.beat_due();
    next();
    heard.memory = memory_facts{1'000, policy};
    hear(heard);
  }
  EXPECT_EQ(machine_.state(), log_state::open);
  EXPECT_EQ(events(), (texts{"warned"})) << "of the one that is new";
}

TEST_F(LogMachineAttach, APassingErrorIsTriedAgainAfterAPause) {
  fill_stream(2);
  open();
  add();
  next();
  hear(error(reply_class::retryable, "OOM command not allowed"));
  EXPECT_EQ(machine_.state(), log_state::open);
  EXPECT_EQ(machine_.reason(),
            "Redis is out of memory, and the log is down to its newest 128 entries: raise its "
            "maxmemory, or free what else it holds (OOM command not allowed)");
  EXPECT_TRUE(machine_.must_pause());
  EXPECT_EQ(next(), "append log1/1/life1 after 0: 1");
  EXPECT_FALSE(machine_.must_pause());
  hear(appended(3, {3}));
  EXPECT_EQ(machine_.reason(), "");
}

// The attach finds nothing wrong each time; a state that went to and fro would fill the log file.
TEST_F(LogMachineAttach, ARefusedAppendStaysRefusedUntilOneWorks) {
  fill_stream(2);
  open();
  add();
  for (int i = 0; i < 3; ++i) {
    next();
    hear(error(reply_class::fatal, "WRONGTYPE"));
    EXPECT_TRUE(machine_.must_pause());
    EXPECT_EQ(next(), "attach behind 1-2");
    hear(attached());
    EXPECT_EQ(machine_.state(), log_state::refusing);
    EXPECT_EQ(machine_.reason(), "Redis answers: WRONGTYPE");
    EXPECT_TRUE(machine_.is_reading());
  }
  EXPECT_EQ(events(), texts{});
  EXPECT_EQ(next(), "append log1/1/life1 after 0: beat behind 1-2 low 1 1");
  hear(appended(4, {4}));
  EXPECT_EQ(machine_.state(), log_state::open);
  EXPECT_EQ(machine_.reason(), "");
}

TEST_F(LogMachineAttach, ALostScriptIsLoadedByTheNextAttachAtOnce) {
  fill_stream(2);
  open();
  add();
  next();
  hear(error(reply_class::script_missing, "NOSCRIPT"));
  EXPECT_FALSE(machine_.must_pause());
  EXPECT_EQ(next(), "attach behind 1-2");
  hear(attached());
  EXPECT_EQ(next(), "append log1/1/life1 after 0: beat behind 1-2 low 1 1");
}

TEST_F(LogMachineAttach, OtherErrorsLookAgainAfterAPause) {
  const std::pair<reply_class, log_state> cases[] = {
      {reply_class::auth, log_state::connecting},
      {reply_class::read_only, log_state::connecting},
      {reply_class::fatal, log_state::refusing}};
  fill_stream(2);
  open();
  add();
  const log_machine opened = machine_;
  for (const auto& [kind, state] : cases) {
    machine_ = opened;
    next();
    hear(error(kind, "WORD why"));
    EXPECT_EQ(machine_.state(), state);
    EXPECT_EQ(machine_.reason(), "Redis answers: WORD why");
    EXPECT_TRUE(machine_.must_pause());
    EXPECT_EQ(next(), "attach behind 1-2");
    hear(attached());
    EXPECT_EQ(next(), "append log1/1/life1 after 0: beat behind 1-2 low 1 1")
        << "the message is there";
  }
}

TEST_F(LogMachineAttach, WhatRedisForgotInASameLogGoesInAgain) {
  fill_stream(2);
  open();
  add();
  add();
  next();
  hear(appended(4, {3, 4}));
  machine_.on_connection_lost();
  machine_.on_connected();
  redis_.own_seq = 1;  // of an append that nobody has read, and that is lost
  redis_.stream.push_back(make_message({1, 3}, "me", 1));
  next();
  hear(attached());
  EXPECT_EQ(next(), "append log1/1/life1 after 1: beat behind 1-2 low 1 2");
}

TEST_F(LogMachineAttach, AcceptedIsAnsweredBeforeThereIsALog) {
  machine_options options = small_options();
  options.ack = ack_level::accepted;
  machine_ = log_machine(options);
  add();
  EXPECT_EQ(settled(), (texts{"1 accepted"}));
}

TEST_F(LogMachineAttach, ScriptOfOpening) {
  fill_stream(4);
  add();
  machine_.on_connected();
  play_and_break_everywhere(
      {{"attach", [this] { return attached(); }, {0}, "attach behind 1-4"},
       {"append log1/1/life1 after 0: beat behind 1-0 low 1 1", [] { return appended(6, {6}); }}});
  EXPECT_EQ(settled(), (texts{"1@6"}));
}

}  // namespace
}  // namespace ordeal::test
