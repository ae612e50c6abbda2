// What arrives: once, in order, whole, and only where it belongs.
#include <gtest/gtest.h>

#include "tests/unit/checkers/history_builder.h"

namespace ordeal::harness {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// --- duplicates

TEST(DuplicatesChecker, ReportsTheSecondArrivalAtOneClient) {
  history h;
  h.everybody_joins();
  const auto m = h.exchanges(0);
  h.gets(2, m);
  EXPECT_EQ(h.findings(), "duplicate=1");
  EXPECT_EQ(h.verdict_of("duplicates"), verdict::fail);
  EXPECT_EQ(h.verdict_of("delivery"), verdict::pass);
  EXPECT_EQ(h.found().at(0).client, client_id(2));
}

TEST(DuplicatesChecker, AnUnknownSendMayArriveOnceOnly) {
  history h;
  h.everybody_joins();
  const auto m = h.sends(0);
  h.gives_up(m).everybody_gets(m);
  EXPECT_EQ(h.findings(), "");
  history twice;
  twice.everybody_joins();
  const auto again = twice.sends(0);
  twice.gives_up(again).gets(1, again).gets(1, again);
  EXPECT_EQ(twice.findings(), "duplicate=1");
}

TEST(DuplicatesChecker, SeesARepetitionAcrossAReconnect) {
  history h;
  h.everybody_joins();
  const auto m = h.exchanges(0);
  h.disconnects(3).connects(3).resumes(3).gets(3, m);
  EXPECT_EQ(h.findings(), "duplicate=1");
}

TEST(DuplicatesChecker, GradesByTheContract) {
  for (const auto& [promise, is_in_outage, expected] :
       {std::tuple(duplicates_promise::none, true, verdict::fail),
        std::tuple(duplicates_promise::in_outage, true, verdict::pass),
        std::tuple(duplicates_promise::in_outage, false, verdict::fail),
        std::tuple(duplicates_promise::allowed, false, verdict::pass)}) {
    plan of = make_test_plan();
    add_fault(of, "crash");
    of.promises.duplicates = promise;
    history h(of);
    h.everybody_joins();
    if (is_in_outage) h.breaks();
    const auto m = h.exchanges(0);
    h.gets(1, m);
    EXPECT_EQ(h.verdict_of("duplicates"), expected);
    EXPECT_EQ(h.count(finding_kind::duplicate), 1U);
  }
}

TEST(DuplicatesChecker, AMessageSentInTheOutageCountsAsInsideEvenWhenItRepeatsLater) {
  plan of = make_test_plan();
  add_fault(of, "crash");
  of.promises.duplicates = duplicates_promise::in_outage;
  history h(of);
  h.everybody_joins();
  h.breaks();
  const auto m = h.exchanges(0);
  h.heals();
  h.exchanges(0);
  h.exchanges(1);
  ASSERT_TRUE(h.now().has_recovered());
  h.gets(1, m);
  EXPECT_EQ(h.verdict_of("duplicates"), verdict::pass);
}

// --- order of one sender

TEST(OrderChecker, ReportsALowerNumberAfterAHigherOne) {
  history h;
  h.everybody_joins();
  const auto a = h.says(0), b = h.says(0);
  for (std::size_t c : {0U, 1U, 2U}) h.gets(c, a).gets(c, b);
  h.gets(3, b).gets(3, a);
  EXPECT_EQ(h.count(finding_kind::reordered), 1U);
  EXPECT_EQ(h.verdict_of("order"), verdict::fail);
  EXPECT_EQ(h.verdict_of("delivery"), verdict::pass);
  EXPECT_EQ(h.found().at(0).message, a);
}

TEST(OrderChecker, AGapIsNoDisorderAndNeitherIsARepetition) {
  history h;
  h.everybody_joins();
  const auto a = h.says(0), b = h.says(0), c = h.says(0);
  h.gets(1, a).gets(1, c).gets(1, a).gets(1, c);
  EXPECT_EQ(h.now().current().findings[std::size_t(finding_kind::reordered)], 0U);
  h.gets(1, b);
  EXPECT_EQ(h.count(finding_kind::reordered), 1U);
}

TEST(OrderChecker, SendersAreIndependent) {
  plan of = make_test_plan();
  of.promises.order = order_promise::per_sender;
  history h(of);
  h.everybody_joins();
  const auto a = h.says(0), b = h.says(1);
  h.gets(2, a).gets(2, b).gets(3, b).gets(3, a);
  EXPECT_EQ(h.count(finding_kind::reordered), 0U);
  EXPECT_EQ(h.count(finding_kind::diverged), 1U);
  EXPECT_EQ(h.verdict_of("order"), verdict::pass);
  EXPECT_EQ(h.verdict_of("total_order"), verdict::pass) << "not promised";
}

TEST(OrderChecker, ReportsInversionAcrossReconnect) {
  history h;
  h.everybody_joins();
  const auto a = h.says(0), b = h.says(0);
  h.gets(3, b).disconnects(3).connects(3).resumes(3).gets(3, a);
  EXPECT_EQ(h.count(finding_kind::reordered), 1U);
}

TEST(OrderChecker, AnUnknownSendInBetweenIsStillOrdered) {
  history h;
  h.everybody_joins();
  const auto a = h.sends(0);
  h.gives_up(a);
  const auto b = h.says(0);
  h.gets(1, b).gets(1, a);
  EXPECT_EQ(h.count(finding_kind::reordered), 1U);
}

// It may take effect whenever it likes: its sender went on without an answer.
TEST(OrderChecker, ASendWithoutAnAnswerMayComeLate) {
  history h;
  h.everybody_joins();
  const auto a = h.sends(0);
  h.gets_no_answer(a);
  const auto b = h.says(0);
  h.gets(1, b).gets(1, a);
  EXPECT_EQ(h.count(finding_kind::reordered), 0U);
}

TEST(OrderChecker, NoPromiseNoViolation) {
  plan of = make_test_plan();
  of.promises.order = order_promise::none;
  history h(of);
  h.everybody_joins();
  const auto a = h.says(0), b = h.says(0);
  h.gets(1, b).gets(1, a);
  EXPECT_EQ(h.verdict_of("order"), verdict::pass);
  EXPECT_EQ(h.count(finding_kind::reordered), 1U);
}

// --- one order for all

TEST(TotalOrderChecker, NamesMessageAndPredecessor) {
  history h;
  h.everybody_joins();
  const auto a = h.says(0), b = h.says(1);
  for (std::size_t c : {0U, 1U, 2U}) h.gets(c, a).gets(c, b);
  h.gets(3, b).gets(3, a);
  EXPECT_EQ(h.findings(), "diverged=1");
  EXPECT_EQ(h.verdict_of("total_order"), verdict::fail);
  EXPECT_EQ(h.found().at(0).message, a);
  EXPECT_EQ(h.found().at(0).client, client_id(3));
  EXPECT_EQ(h.found().at(0).detail,
            "client-4 on node-2 got client-1#1@room-1 after client-2#1@room-1; client-1 saw it the "
            "other way round");
}

TEST(TotalOrderChecker, AMemberThatMissesMessagesDoesNotDisagree) {
  history h;
  h.everybody_joins();
  const auto a = h.says(0), b = h.says(1), c = h.says(2);
  h.gets(0, a).gets(0, b).gets(0, c);
  h.gets(1, a).gets(1, c);
  h.gets(2, b).gets(2, c);
  h.gets(3, a).gets(3, b);
  EXPECT_EQ(h.count(finding_kind::diverged), 0U);
}

TEST(TotalOrderChecker, TheFastestMissingAMessageDoesNotBlameTheOthers) {
  // Client 0 is first with a, c and misses b; the others see a, b, c.
  history h;
  h.everybody_joins();
  const auto a = h.says(0), b = h.says(1), c = h.says(2);
  h.gets(0, a).gets(0, c);
  for (std::size_t m : {1U, 2U, 3U}) h.gets(m, a).gets(m, b).gets(m, c);
  EXPECT_EQ(h.count(finding_kind::diverged), 0U);
}

TEST(TotalOrderChecker, ALaggardMayHaveANewMessageLastThatOthersGetLater) {
  // Client 1 misses b and c and is first with d, which comes last for everybody.
  history h;
  h.everybody_joins();
  const auto a = h.says(0), b = h.says(1), c = h.says(2), d = h.says(3);
  h.gets(0, a).gets(0, b).gets(0, c);
  h.gets(1, a).gets(1, d);
  h.gets(0, d);
  h.gets(2, a).gets(2, b).gets(2, c).gets(2, d);
  EXPECT_EQ(h.count(finding_kind::diverged), 0U);
}

TEST(TotalOrderChecker, ThreeClientsCanDisagreeInACircle) {
  history h;
  h.everybody_joins();
  const auto a = h.says(0), b = h.says(1), c = h.says(2);
  h.gets(0, a).gets(0, b);
  h.gets(1, b).gets(1, c);
  h.gets(2, c).gets(2, a);
  EXPECT_EQ(h.count(finding_kind::diverged), 1U);
}

TEST(TotalOrderChecker, RoomsHaveTheirOwnOrder) {
  history h(make_test_plan(2, {{0, 1}, {0, 1}}));
  h.everybody_joins();
  const auto a = h.says(0, 0), b = h.says(0, 1);
  h.gets(0, a).gets(0, b).gets(1, b).gets(1, a);
  EXPECT_EQ(h.findings(), "");
}

TEST(TotalOrderChecker, AnUnknownSendTakesItsPlaceToo) {
  history h;
  h.everybody_joins();
  const auto a = h.says(0);
  const auto b = h.sends(1);
  h.gives_up(b);
  h.gets(2, a).gets(2, b).gets(3, b).gets(3, a);
  EXPECT_EQ(h.count(finding_kind::diverged), 1U);
}

TEST(TotalOrderChecker, DuplicatesDoNotCount) {
  history h;
  h.everybody_joins();
  const auto a = h.exchanges(0);
  h.exchanges(1);
  h.gets(3, a);
  EXPECT_EQ(h.findings(), "duplicate=1");
}

// --- integrity

TEST(IntegrityChecker, ReportsDamageAndStrangers) {
  history h;
  h.everybody_joins();
  delivered what;
  what.client = client_id(1);
  what.payload = payload_state::corrupt;
  h.gets_raw(what);
  what.payload = payload_state::foreign_run;
  h.gets_raw(what);
  what.payload = payload_state::not_an_envelope;
  h.gets_raw(what);
  EXPECT_EQ(h.findings(), "phantom=2 corrupt=1");
  EXPECT_EQ(h.verdict_of("integrity"), verdict::fail);
}

TEST(IntegrityChecker, ReportsWhatNobodySent) {
  history h;
  h.everybody_joins();
  auto beyond = h.exchanges(0);
  ++beyond.seq;
  h.gets(1, beyond);
  h.gets(1, {client_id(0), room_id(0), 0});
  h.gets(1, {client_id(77), room_id(0), 1});
  h.gets(1, {client_id(2), room_id(0), 1});
  EXPECT_EQ(h.findings(), "phantom=4");
}

TEST(IntegrityChecker, ADamagedMessageIsAlsoLost) {
  history h;
  h.everybody_joins();
  const auto m = h.says(0);
  h.gets(0, m).gets(1, m).gets(2, m);
  delivered what;
  what.client = client_id(3);
  what.payload = payload_state::corrupt;
  h.gets_raw(what);
  EXPECT_EQ(h.findings(), "lost=1 corrupt=1");
}

// --- isolation

TEST(IsolationChecker, ReportsAMessageUnderAnotherRoom) {
  history h(make_test_plan(2, {{0, 1}, {0, 1}}));
  h.everybody_joins();
  const auto m = h.exchanges(0, 0);
  delivered what;
  what.client = client_id(1);
  what.room = room_id(1);
  what.id = m;
  h.gets_raw(what);
  EXPECT_EQ(h.findings(), "misdelivered=1");
  EXPECT_EQ(h.verdict_of("isolation"), verdict::fail);
  what.is_known_room = false;
  history other(make_test_plan(2, {{0, 1}, {0, 1}}));
  other.everybody_joins();
  other.exchanges(0, 0);
  other.gets_raw(what);
  EXPECT_EQ(other.findings(), "misdelivered=1");
}

TEST(IsolationChecker, ReportsWhoNeverAsked) {
  history h(make_test_plan(2, {{0}, {0}, {1}}));
  h.connects(0).joins(0).connects(1);
  const auto m = h.says(0);
  h.gets(0, m).gets(1, m).gets(2, m);
  EXPECT_EQ(h.findings(), "misdelivered=2");
}

TEST(IsolationChecker, WhatIsUnderWayMayReachWhoJustLeft) {
  history h;
  h.everybody_joins();
  const auto m = h.says(0);
  h.gets(0, m).gets(1, m).gets(2, m).leaves(3).later(seconds(1)).gets(3, m);
  EXPECT_EQ(h.findings(), "");
}

TEST(IsolationChecker, NothingMoreReachesWhoLeftLongAgo) {
  history h;
  h.everybody_joins();
  h.leaves(3).later(seconds(3));
  const auto m = h.says(0);
  h.everybody_gets(m);
  EXPECT_EQ(h.findings(), "misdelivered=1");
}

TEST(IsolationChecker, WhoComesBackMayGetMessages) {
  history h;
  h.everybody_joins();
  h.leaves(3).later(seconds(3)).joins(3);
  h.exchanges(0);
  EXPECT_EQ(h.findings(), "");
}

}  // namespace
}  // namespace ordeal::harness
