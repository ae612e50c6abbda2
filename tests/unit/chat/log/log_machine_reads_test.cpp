// Goal: what is read comes out once, in order, or is reported as missing; what was read and is lost
// is reported as a fork, own messages go in again, and clients can be told where they are.
#include "tests/unit/chat/log/machine_fixture.h"

namespace ordeal::test {
namespace {

using namespace chat;

class LogMachineReads : public machine_fixture {
 protected:
  explicit LogMachineReads(machine_options options = small_options()) : machine_fixture(options) {
    fill_stream(3);
    open();
  }
  // Others went on from `common` in epoch 1000009; the node finds out by an append.
  void others_go_on_from(std::uint64_t common, std::uint64_t own_seq) {
    std::erase_if(redis_.stream, [&](const entry_ptr& each) { return each->at.index > common; });
    redis_.stream.push_back(make_barrier({1'000'009, common + 1}));
    redis_.epoch = 1'000'009;
    redis_.chain = make_chain({{1, 1}, {1'000'009, common + 1}});
    redis_.own_seq = own_seq;
    find_out();
  }
  void find_out() {
    machine_.beat_due();
    next();
    hear(stale_append());
    next();
    hear(attached());
  }
  std::string place(position at) {
    const cursor_place found = machine_.place_of(at);
    static const char* const words[] = {"ok",     "trimmed", "unknown_log",
                                        "future", "forked",  "unavailable"};
    std::string text = words[static_cast<std::size_t>(found.status)];
    if (found.status == range_status::ok) text += " from " + format_position(found.from);
    if (found.status == range_status::forked)
      text += " " + format_position(found.lost_from) + ".." + format_position(found.lost_to);
    return text + (found.is_ahead ? " ahead" : "");
  }
};

TEST_F(LogMachineReads, DeliversMessagesAndNothingElse) {
  EXPECT_TRUE(read({make_message({1, 4}, "b", 3), make_beat({1, 5}, "c", "1 1-4 1"),
                    make_message({1, 6}, "b", 4)}));
  EXPECT_EQ(effects(), (texts{"b3@1-4", "b4@1-6"}));
}

// Its own messages may be lost with what went before: the attach says so before anything of the new epoch counts.
TEST_F(LogMachineReads, ANewerEpochIsAttachedToBeforeItIsRead) {
  EXPECT_FALSE(read({make_message({1, 4}, "b", 3), make_barrier({1'000'009, 5})}));
  EXPECT_EQ(effects(), (texts{"b3@1-4"}));
  EXPECT_EQ(machine_.last_read(), (position{1, 4}));
  EXPECT_FALSE(machine_.is_reading());
  EXPECT_EQ(next(), "attach behind 1-4");
}

TEST_F(LogMachineReads, AnythingButTheLogItAttachedToIsLookedAtAgain) {
  const log_machine opened = machine_;
  const auto refuses = [&](read_answer heard) {
    machine_ = opened;
    heard.entries = {make_message({1, 4}, "b", 3)};
    EXPECT_FALSE(machine_.on_read(heard));
    EXPECT_EQ(effects(), texts{});
    EXPECT_FALSE(machine_.is_reading());
    EXPECT_EQ(next(), "attach behind 1-3");
  };
  read_answer good;
  good.log_id = "log1";
  good.state = "open";
  good.incarnation = "life1";
  read_answer other = good;
  other.log_id = "log2";
  refuses(other);
  other = good;
  other.state = "recovering";
  refuses(other);
  other = good;
  other.incarnation = "life2";
  refuses(other);
  other = good;
  other.has_foreign_entry = true;
  refuses(other);
}

TEST_F(LogMachineReads, WhatGoesBackIsNotRead) {
  for (const position at : {position{1, 3}, position{1, 2}, position{1'000'009, 3}}) {
    const log_machine before = machine_;
    EXPECT_FALSE(read({make_message(at, "b", 9)})) << format_position(at);
    EXPECT_EQ(effects(), texts{});
    EXPECT_EQ(machine_.last_read(), (position{1, 3}));
    machine_ = before;
  }
}

TEST_F(LogMachineReads, WhatComesBeforeTheBreakIsDelivered) {
  EXPECT_FALSE(read({make_message({1, 4}, "b", 3), make_message({1, 4}, "b", 3)}));
  EXPECT_EQ(effects(), (texts{"b3@1-4"}));
}

TEST_F(LogMachineReads, AJumpWithinAKnownEpochIsAGap) {
  EXPECT_TRUE(read({make_message({1, 4}, "b", 3), make_message({1, 9}, "b", 8)}));
  EXPECT_EQ(effects(), (texts{"b3@1-4", "gap 5-8", "b8@1-9"}));
  EXPECT_EQ(events(), (texts{"gap"}));
  EXPECT_EQ(machine_.replay().low(), 9U) << "a buffer has no holes";
}

TEST_F(LogMachineReads, AJumpIntoAnUnknownEpochIsLookedAtFirst) {
  EXPECT_FALSE(read({make_message({1'000'009, 9}, "b", 8)}));
  EXPECT_EQ(effects(), texts{});
  redis_.epoch = 1'000'009;
  redis_.chain = make_chain({{1, 1}, {1'000'009, 7}});
  redis_.stream = {make_message({1'000'009, 9}, "b", 8), make_message({1'000'009, 10}, "b", 9)};
  next();
  hear(attached());
  EXPECT_EQ(effects(), (texts{"gap 4-8"}));
  EXPECT_TRUE(read(redis_.stream));
  EXPECT_EQ(effects(), (texts{"b8@1000009-9", "b9@1000009-10"}));
}

TEST_F(LogMachineReads, AForkTakesBackWhatWasDelivered) {
  read({make_message({1, 4}, "b", 3), make_message({1, 5}, "b", 4),
        make_beat({1, 6}, "b", "1 1-5 1")});
  effects();
  others_go_on_from(3, 0);
  EXPECT_EQ(effects(), (texts{"fork 1-3: 1-4..1-6, 2 messages"}));
  EXPECT_EQ(events(), (texts{"forked", "recovered"}));
  EXPECT_EQ(machine_.next_read().after, (position{1, 3}));
  EXPECT_EQ(machine_.replay().end(), 4U);
  EXPECT_TRUE(read({redis_.stream.back(), make_message({1'000'009, 5}, "b", 4),
                    make_message({1'000'009, 6}, "b", 3), make_message({1'000'009, 7}, "b", 5)}));
  EXPECT_EQ(effects(), (texts{"b4@1000009-5(was 1-5)", "b3@1000009-6(was 1-4)", "b5@1000009-7"}));
}

TEST_F(LogMachineReads, OwnMessagesOfALostBranchGoInAgain) {
  machine_.add("room", "me1", "text", {});
  machine_.add("room", "me2", "text", {});
  next();
  hear(appended(5, {4, 5}));
  read({make_message({1, 4}, "me", 1), make_message({1, 5}, "me", 2)});
  beat_of("b", 6, {1, 5}, 1);
  EXPECT_EQ(machine_.own_messages().size(), 0U) << "b holds them, so they have left";
  EXPECT_EQ(settled(), (texts{"1@4", "2@5"}));
  effects();
  others_go_on_from(4, 1);
  EXPECT_EQ(next(), "append log1/1000009/life1 after 0: beat behind 1-4 low 1 2");
  hear(appended(7, {7}, 1'000'009));
  EXPECT_EQ(settled(), texts{}) << "its sender had its answer";
  effects();
  read({redis_.stream.back(), make_beat({1'000'009, 6}, "c", "1 1-4 1"),
        make_message({1'000'009, 7}, "me", 2)});
  EXPECT_EQ(effects(), (texts{"me2@1000009-7(was 1-5)"}));
}

TEST_F(LogMachineReads, WhatWasNotReadIsNoFork) {
  others_go_on_from(3, 0);
  EXPECT_EQ(effects(), texts{});
  EXPECT_EQ(events(), (texts{"recovered"}));
}

TEST_F(LogMachineReads, AnotherLogIsJoinedAtItsTop) {
  read({make_message({1, 4}, "b", 3)});
  effects();
  redis_.log_id = "log2";
  redis_.epoch = 2'000'001;
  redis_.chain = make_chain({{2'000'001, 1}});
  redis_.stream = {make_barrier({2'000'001, 1}), make_message({2'000'001, 2}, "z", 1)};
  find_out();
  EXPECT_EQ(effects(), (texts{"fork 0-0: 1-1..1-4, 3 messages"}));
  EXPECT_EQ(machine_.identity().log_id, "log2");
  EXPECT_EQ(machine_.last_delivered(), (position{2'000'001, 2}));
  read(redis_.stream);
  EXPECT_EQ(effects(), texts{});
  read({make_message({2'000'001, 3}, "b", 3)});
  EXPECT_EQ(effects(), (texts{"b3@2000001-3(was 1-4)"}));
}

TEST_F(LogMachineReads, CursorsAreFound) {
  read({make_message({1, 4}, "b", 3)});
  EXPECT_EQ(place({1, 4}), "ok from 1-4");
  EXPECT_EQ(place({1, 2}), "ok from 1-2");
  EXPECT_EQ(place({1, 9}), "ok from 1-9 ahead");
  EXPECT_EQ(place({1'000'009, 2}), "ok from 1000009-2 ahead");
  EXPECT_EQ(place({0, 2}), "forked 0-0..0-2") << "no epoch of this log";
}

TEST_F(LogMachineReads, CursorsOnALostBranchAreFoundWhenItWasReadHere) {
  read({make_message({1, 4}, "b", 3), make_message({1, 5}, "b", 4)});
  others_go_on_from(3, 0);
  read({redis_.stream.back(), make_message({1'000'009, 5}, "b", 4),
        make_message({1'000'009, 6}, "c", 1)});
  EXPECT_EQ(place({1, 4}), "ok from 1-3");
  EXPECT_EQ(place({1, 5}), "ok from 1-3");
  EXPECT_EQ(place({1, 6}), "forked 1-4..1-6") << "nobody here knows what it has seen";
  EXPECT_EQ(place({1, 3}), "ok from 1-3");
  EXPECT_EQ(place({1'000'009, 5}), "ok from 1000009-5");
}

TEST_F(LogMachineReads, CursorsBelowTheFloorAreTrimmed) {
  redis_.stream.erase(redis_.stream.begin(), redis_.stream.begin() + 2);
  find_out();
  EXPECT_EQ(place({1, 1}), "trimmed");
  EXPECT_EQ(place({1, 2}), "ok from 1-2") << "what comes next is the floor";
}

TEST_F(LogMachineReads, WhatAnotherNodeHoldsLeavesTheOutbox) {
  machine_.add("room", "me1", "text", {});
  next();
  hear(appended(4, {4}));
  read({make_message({1, 4}, "me", 1)});
  EXPECT_EQ(machine_.own_messages().size(), 1U);
  beat_of("b", 5, {1, 3}, 1);
  EXPECT_EQ(machine_.own_messages().size(), 1U);
  beat_of("b", 6, {1, 5}, 1);
  EXPECT_EQ(machine_.own_messages().size(), 0U);
}

// Trace: it was appended before b joined, and b will never hold it.
TEST_F(LogMachineReads, WhatIsOlderThanAllThatOthersKeepLeavesTheOutbox) {
  machine_.add("room", "me1", "text", {});
  next();
  hear(appended(4, {4}));
  read({make_message({1, 4}, "me", 1)});
  beat_of("b", 5, {1, 5}, 5);
  EXPECT_EQ(machine_.own_messages().size(), 0U);
}

TEST_F(LogMachineReads, ANodeAloneKeepsItsMessagesUntilItHasHeardNobodyForLong) {
  machine_.add("room", "me1", "text", {});
  next();
  hear(appended(4, {4}));
  read({make_message({1, 4}, "me", 1)});
  own_beat(5);
  own_beat(6);
  EXPECT_EQ(machine_.own_messages().size(), 1U);
  own_beat(7);
  EXPECT_EQ(machine_.own_messages().size(), 0U);
}

class LogMachineOfLittleMemory : public LogMachineReads {
 protected:
  static machine_options little() {
    machine_options options = small_options();
    options.replay_entries = 3;
    return options;
  }
  LogMachineOfLittleMemory() : LogMachineReads(little()) {}
};

TEST_F(LogMachineOfLittleMemory, WhatANodeAloneRemembersNoMoreDoesNotBlockItsOutbox) {
  std::vector<entry_ptr> own;
  for (std::uint64_t seq = 1; seq <= 4; ++seq) {
    machine_.add("room", "me" + std::to_string(seq), "text", {});
    own.push_back(make_message({1, 3 + seq}, "me", seq));
  }
  next();
  hear(appended(7, {4, 5, 6, 7}));
  read(own);
  EXPECT_EQ(machine_.replay().low(), 5U);
  EXPECT_EQ(machine_.own_messages().size(), 4U);
  for (const std::uint64_t index : {8U, 9U, 10U}) own_beat(index);
  EXPECT_EQ(machine_.own_messages().size(), 0U);
}

// b has read it, and dies; this node alone must be able to put it back.
TEST_F(LogMachineReads, WhatWasNotReadHereStaysInTheOutbox) {
  machine_.add("room", "me1", "text", {});
  next();
  hear(appended(4, {4}));
  read({make_message({1, 4}, "b", 3)});
  machine_.add("room", "me2", "text", {});
  next();
  hear(appended(5, {5}));
  beat_of("b", 5, {1, 5}, 1);
  EXPECT_EQ(machine_.own_messages().size(), 1U) << "1-5 was not read";
  read({make_message({1, 5}, "me", 2)});
  EXPECT_EQ(machine_.own_messages().size(), 0U);
}

// The log and the beats are read in one go.
TEST_F(LogMachineReads, ABeatThatKnowsMoreThanTheLogGivesShowsThatItIsNotRead) {
  read_beat other = beat(9, "b", "1 1-3 1");
  other.top = 4;
  EXPECT_TRUE(read({make_message({1, 4}, "b", 3)}, {other}));
  other.at.index = 10;
  other.top = 5;
  EXPECT_FALSE(read({}, {other}));
  EXPECT_FALSE(machine_.is_reading());
}

TEST_F(LogMachineReads, BeatsOfAnotherTimeSayWhoWasThere) {
  read_beat old = beat(9, "b", "1 1-3 1");
  old.at.epoch = 0;
  EXPECT_TRUE(read({}, {old}));
  EXPECT_TRUE(machine_.known_holders().heard_of().contains("b"));
  EXPECT_TRUE(machine_.known_holders().all().empty()) << "what it held is of another branch";
  EXPECT_EQ(machine_.next_read().beats_after, (position{0, 9}));
  old.at = {1'764'268'000'000, 0};
  EXPECT_FALSE(read({}, {old})) << "no node wrote this";
}

TEST_F(LogMachineReads, ABeatThatIsReadAgainIsNoSignOfLife) {
  beat_of("b", 5, {1, 3}, 1);
  EXPECT_EQ(machine_.next_read().beats_after, (position{1, 5}));
  own_beat(6);
  machine_.on_echo_overdue();
  EXPECT_EQ(machine_.next_read().beats_after, position());
  const std::uint64_t silence = machine_.known_holders().all().at("b").silence;
  EXPECT_GT(silence, 0U);
  beat_of("b", 5, {1, 3}, 1);
  EXPECT_EQ(machine_.known_holders().all().at("b").silence, silence);
}

class LogMachineStable : public LogMachineReads {
 protected:
  static machine_options stable() {
    machine_options options = small_options();
    options.delivery = delivery_mode::stable;
    return options;
  }
  LogMachineStable() : LogMachineReads(stable()) {}
};

TEST_F(LogMachineStable, DeliversWhatAnotherNodeHolds) {
  read({make_message({1, 4}, "b", 3), make_message({1, 5}, "b", 4)});
  EXPECT_EQ(effects(), texts{});
  EXPECT_EQ(machine_.last_read(), (position{1, 5}));
  EXPECT_EQ(machine_.last_delivered(), (position{1, 3}));
  beat_of("b", 6, {1, 4}, 1);
  EXPECT_EQ(effects(), (texts{"b3@1-4"}));
  beat_of("b", 7, {1, 6}, 1);
  EXPECT_EQ(effects(), (texts{"b4@1-5"}));
  EXPECT_EQ(machine_.last_delivered(), (position{1, 5}));
}

TEST_F(LogMachineStable, AMessageMakesABeatDue) {
  EXPECT_EQ(next(), "");
  read({make_message({1, 4}, "b", 3)});
  EXPECT_EQ(next(), "append log1/1/life1 after 0: beat behind 1-4 low 1") << "others wait for it";
}

TEST_F(LogMachineStable, ANodeThatJoinsLaterBlocksNothing) {
  read({make_message({1, 4}, "b", 3)});
  beat_of("c", 5, {1, 5}, 5);
  EXPECT_EQ(effects(), (texts{"b3@1-4"}));
}

TEST_F(LogMachineStable, ANodeAloneDelivers) {
  for (std::uint64_t number = 4; number <= 6; ++number) own_beat(number);
  read({make_message({1, 4}, "b", 3)});
  EXPECT_EQ(effects(), (texts{"b3@1-4"}));
}

TEST_F(LogMachineStable, AForkOfWhatWasNotDeliveredIsNobodysBusiness) {
  read({make_message({1, 4}, "b", 3), make_message({1, 5}, "me", 1)});
  others_go_on_from(3, 0);
  EXPECT_EQ(effects(), texts{});
  EXPECT_EQ(machine_.last_read(), (position{1, 3}));
  EXPECT_EQ(next(), "append log1/1000009/life1 after 0: beat behind 1-3 low 1 1")
      << "its own goes in again";
  read({redis_.stream.back(), make_message({1'000'009, 5}, "b", 3)});
  beat_of("b", 6, {1'000'009, 5}, 1);
  EXPECT_EQ(effects(), (texts{"b3@1000009-5"})) << "the first that a client hears of it";
}

TEST_F(LogMachineStable, CursorsBehindWhatIsDeliveredAreAhead) {
  read({make_message({1, 4}, "b", 3)});
  EXPECT_EQ(place({1, 4}), "ok from 1-4 ahead");
  EXPECT_EQ(place({1, 3}), "ok from 1-3");
}

}  // namespace
}  // namespace ordeal::test
