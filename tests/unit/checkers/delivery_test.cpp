// Obligations: who must get what. Literal histories in, counts and verdicts out.
#include <gtest/gtest.h>

#include "tests/unit/checkers/history_builder.h"

namespace ordeal::harness {
namespace {

using std::chrono::seconds;

plan without_resume() {
  plan of = make_test_plan();
  of.promises.resume = false;
  return of;
}

TEST(DeliveryChecker, PassesAnEmptyHistoryButTheRunIsInconclusive) {
  history h;
  EXPECT_EQ(h.verdict_of("delivery"), verdict::pass);
  EXPECT_EQ(h.verdict_of("traffic"), verdict::inconclusive);
  EXPECT_EQ(h.end().result, verdict::inconclusive);
}

TEST(DeliveryChecker, PassesWhenEverybodyGetsEverything) {
  history h;
  h.everybody_joins();
  for (std::size_t c : {0U, 1U, 2U, 3U, 1U}) h.exchanges(c);
  EXPECT_EQ(h.findings(), "");
  EXPECT_EQ(h.verdict_of("delivery"), verdict::pass);
  EXPECT_EQ(h.end().counts.obligations, 20U);
  EXPECT_EQ(h.end().counts.delivered, 20U);
}

TEST(DeliveryChecker, NamesTheOneMessageThatOneClientMissed) {
  history h;
  h.everybody_joins();
  h.exchanges(0);
  const auto m = h.says(0);
  h.gets(0, m).gets(1, m).gets(2, m);
  EXPECT_EQ(h.now().open_obligations(), 1U);
  h.exchanges(0);
  EXPECT_EQ(h.verdict_of("delivery"), verdict::fail);
  EXPECT_EQ(h.findings(), "lost=1");
  EXPECT_EQ(h.count(finding_kind::silent_loss), 1U);
  ASSERT_EQ(h.found().size(), 1U);
  EXPECT_EQ(h.found()[0].client, client_id(3));
  EXPECT_EQ(h.found()[0].node, node_id(1));
  EXPECT_EQ(h.found()[0].message, m);
  EXPECT_NE(h.end().why.find("client-1#2@room-1"), std::string::npos) << h.end().why;
}

TEST(DeliveryChecker, ArrivalBeforeTheAcknowledgementCounts) {
  history h;
  h.everybody_joins();
  const auto m = h.sends(1);
  h.everybody_gets(m);
  EXPECT_EQ(h.now().open_obligations(), 1U) << "the send is not settled";
  h.acknowledges(m);
  EXPECT_EQ(h.now().open_obligations(), 0U);
  EXPECT_EQ(h.verdict_of("delivery"), verdict::pass);
}

TEST(DeliveryChecker, AnUnknownSendMayBeMissing) {
  history h;
  h.everybody_joins();
  const auto some = h.sends(0);
  h.gets(1, some).gives_up(some);
  const auto none = h.sends(0);
  h.gives_up(none);
  h.exchanges(0);
  EXPECT_EQ(h.now().open_obligations(), 0U);
  EXPECT_EQ(h.findings(), "");
}

TEST(DeliveryChecker, AnUnsettledSendIsOpenButNoLoss) {
  history h;
  h.everybody_joins();
  h.sends(0);
  EXPECT_EQ(h.now().open_obligations(), 1U);
  EXPECT_EQ(h.findings(), "");
}

TEST(DeliveryChecker, ARefusedMessageMustNotArrive) {
  history after;
  after.everybody_joins();
  const auto late = after.sends(0);
  after.refuses(late).gets(1, late).gets(2, late);
  EXPECT_EQ(after.findings(), "phantom=1") << "once a message";
  EXPECT_EQ(after.verdict_of("delivery"), verdict::fail);

  history before;
  before.everybody_joins();
  const auto early = before.sends(0);
  before.gets(1, early).refuses(early).gets(2, early);
  EXPECT_EQ(before.findings(), "phantom=1");

  history never;
  never.everybody_joins();
  never.refuses(never.sends(0));
  EXPECT_EQ(never.findings(), "");
}

TEST(DeliveryChecker, OwesNothingToWhoHadNotJoinedBeforeTheSend) {
  history h;
  for (std::size_t c : {0U, 1U, 2U}) h.connects(c).joins(c);
  h.connects(3).asks(3);
  const auto early = h.says(0);
  h.is_joined(3);
  h.gets(0, early).gets(1, early).gets(2, early);
  EXPECT_EQ(h.now().open_obligations(), 0U);
  const auto next = h.says(0);
  h.gets(0, next).gets(1, next).gets(2, next);
  EXPECT_EQ(h.now().open_obligations(), 1U);
  EXPECT_EQ(h.findings(), "lost=1");
}

TEST(DeliveryChecker, AJoinThatRacesASendMayGetIt) {
  history h;
  for (std::size_t c : {0U, 1U, 2U}) h.connects(c).joins(c);
  h.connects(3).asks(3);
  const auto m = h.says(0);
  h.gets(3, m).is_joined(3).gets(0, m).gets(1, m).gets(2, m);
  EXPECT_EQ(h.findings(), "");
  EXPECT_EQ(h.end().counts.obligations, 3U);
}

TEST(DeliveryChecker, WhoLeavesIsOwedNoMore) {
  history h;
  h.everybody_joins();
  const auto m = h.says(0);
  h.leaves(3);
  h.gets(0, m).gets(1, m).gets(2, m);
  const auto next = h.says(0);
  h.gets(0, next).gets(1, next).gets(2, next);
  EXPECT_EQ(h.now().open_obligations(), 0U);
  EXPECT_EQ(h.findings(), "");
}

TEST(DeliveryChecker, WhatWasOvertakenBeforeTheLeaveIsLost) {
  history h;
  h.everybody_joins();
  const auto first = h.says(0), second = h.says(0);
  for (std::size_t c : {0U, 1U, 2U}) h.gets(c, first).gets(c, second);
  h.gets(3, second).leaves(3);
  EXPECT_EQ(h.findings(), "lost=1");
}

TEST(DeliveryChecker, ADisconnectEndsTheClaimWithoutResume) {
  history h(without_resume());
  h.everybody_joins();
  const auto m = h.says(0);
  h.gets(0, m).gets(1, m).gets(2, m);
  h.disconnects(3);
  const auto away = h.says(0);
  h.gets(0, away).gets(1, away).gets(2, away);
  h.connects(3).joins(3);
  h.exchanges(0);
  EXPECT_EQ(h.now().open_obligations(), 0U);
  EXPECT_EQ(h.findings(), "");
}

TEST(DeliveryChecker, WithoutResumeAProtocolThatCannotIsEnough) {
  plan of = make_test_plan();
  of.target.protocol.resume = resume_kind::none;
  history h(of);
  h.everybody_joins();
  h.disconnects(3);
  const auto away = h.says(0);
  h.gets(0, away).gets(1, away).gets(2, away);
  EXPECT_EQ(h.findings(), "");
}

TEST(DeliveryChecker, WithResumeADisconnectedMemberIsOwed) {
  history h;
  h.everybody_joins();
  h.disconnects(3);
  const auto away = h.says(0);
  h.gets(0, away).gets(1, away).gets(2, away);
  EXPECT_EQ(h.now().open_obligations(), 1U);
  h.connects(3).resumes(3);
  EXPECT_EQ(h.now().open_obligations(), 1U);
  h.gets(3, away);
  EXPECT_EQ(h.now().open_obligations(), 0U);
  EXPECT_EQ(h.findings(), "");
}

TEST(DeliveryChecker, WithResumeAMemberThatNeverComesBackIsOwedStill) {
  history h;
  h.everybody_joins();
  h.disconnects(3);
  const auto away = h.says(0);
  h.gets(0, away).gets(1, away).gets(2, away);
  EXPECT_EQ(h.findings(), "lost=1");
}

TEST(DeliveryChecker, AFreshJoinEndsTheOldClaim) {
  history h;
  h.everybody_joins();
  h.disconnects(3);
  const auto away = h.says(0);
  h.gets(0, away).gets(1, away).gets(2, away);
  h.connects(3).joins(3);
  EXPECT_EQ(h.now().open_obligations(), 0U);
  h.exchanges(0);
  EXPECT_EQ(h.findings(), "");
}

TEST(DeliveryChecker, AResetWhileJoiningTellsButForgivesNothing) {
  history h;
  h.everybody_joins();
  h.disconnects(3);
  const auto away = h.says(0);
  h.gets(0, away).gets(1, away).gets(2, away);
  h.connects(3).asks(3, 0, true).is_reset(3);
  const auto between = h.says(0);
  h.gets(0, between).gets(1, between).gets(2, between);
  h.is_joined(3, 0, true);
  EXPECT_EQ(h.now().open_obligations(), 2U);
  const auto after = h.says(0);
  h.gets(0, after).gets(1, after).gets(2, after);
  EXPECT_EQ(h.findings(), "lost=3");
  EXPECT_EQ(h.count(finding_kind::silent_loss), 2U) << "what was sent after the reset was not told";
}

TEST(DeliveryChecker, WhatWasOvertakenBeforeAResetIsLostButNotSilently) {
  history h;
  h.everybody_joins();
  const auto first = h.says(0), second = h.says(0);
  for (std::size_t c : {0U, 1U, 2U}) h.gets(c, first).gets(c, second);
  h.gets(3, second).is_reset(3);
  EXPECT_EQ(h.findings(), "lost=1");
  EXPECT_EQ(h.count(finding_kind::silent_loss), 0U);
}

TEST(DeliveryChecker, AnExcusedMessageMayStillArriveOnce) {
  history h(without_resume());
  h.everybody_joins();
  const auto m = h.says(0);
  h.gets(0, m).gets(1, m).gets(2, m).disconnects(3).connects(3).joins(3).gets(3, m);
  EXPECT_EQ(h.findings(), "");
  EXPECT_EQ(h.end().counts.obligations, 3U);
}

TEST(DeliveryChecker, TheEndOfTheRunExcusesNothing) {
  plan of = without_resume();
  of.promises.order = order_promise::none;
  history h(of);
  h.everybody_joins();
  const auto m = h.says(0);
  h.gets(0, m).gets(1, m).gets(2, m);
  h.exchanges(0);
  h.ends_well().everybody_says_goodbye();
  EXPECT_EQ(h.findings(), "lost=1") << "and nobody is stuck for having gone home";
  EXPECT_EQ(h.verdict_of("delivery"), verdict::fail);
  EXPECT_EQ(h.verdict_of("probe"), verdict::pass) << h.detail_of("probe");
}

TEST(DeliveryChecker, WhatAResetGivesUpIsLostWhereEveryMessageIsPromised) {
  for (const auto promise : {delivery_promise::every_message, delivery_promise::best_effort}) {
    plan of = make_test_plan();
    of.promises.delivery = promise;
    history h(of);
    h.everybody_joins();
    h.exchanges(0);
    const auto m = h.says(0);
    h.gets(0, m).gets(1, m).gets(2, m).is_reset(3);
    h.exchanges(0);
    EXPECT_EQ(h.findings(), "lost=1");
    const bool is_promised = promise == delivery_promise::every_message;
    EXPECT_EQ(h.verdict_of("delivery"), is_promised ? verdict::fail : verdict::pass);
    EXPECT_EQ(h.verdict_of("honesty"), verdict::pass) << "it was told";
    EXPECT_NE(h.detail_of("delivery").find("1 of them told by resets"), std::string::npos)
        << h.detail_of("delivery");
  }
}

TEST(DeliveryChecker, WhatWasUnderWayWhenAFaultStruckIsLostInItsOutage) {
  for (const auto ahead : {std::chrono::milliseconds(20), std::chrono::milliseconds(5'000)}) {
    plan of = make_test_plan();
    of.promises.delivery = delivery_promise::best_effort_in_outage;
    of.promises.ack = ack_promise::accepted;
    add_fault(of, "crash");
    history h(of);
    h.everybody_joins();
    h.exchanges(0);
    h.says(0);
    h.later(ahead);
    h.breaks().heals();
    h.exchanges(0);
    h.exchanges(1);
    const bool is_hit = ahead < seconds(1);
    EXPECT_EQ(h.findings(), "lost=4 false_ack=1");
    EXPECT_EQ(h.verdict_of("delivery"), is_hit ? verdict::pass : verdict::fail);
    EXPECT_EQ(h.verdict_of("acknowledgement"), is_hit ? verdict::pass : verdict::fail);
    EXPECT_EQ(h.end().faults.at(0).findings, is_hit ? 5U : 0U);
  }
}

TEST(DeliveryChecker, ManyOpenMessagesBehindOneLossStayExact) {
  history h;
  h.everybody_joins();
  const auto gone = h.says(0);
  h.gets(0, gone).gets(1, gone).gets(2, gone);
  for (int i = 0; i < 5000; ++i) h.exchanges(0);
  EXPECT_EQ(h.now().open_obligations(), 1U);
  h.gets(3, gone);
  EXPECT_EQ(h.now().open_obligations(), 0U);
  EXPECT_EQ(h.findings(), "reordered=1 diverged=1 late=1");
}

TEST(DeliveryChecker, ASendThatThePlanDoesNotKnowMakesEverythingInconclusive) {
  history h(make_test_plan(2, {{0}, {1}}));
  h.everybody_joins();
  h.sends(0, 1);
  EXPECT_EQ(h.verdict_of("delivery"), verdict::inconclusive);
  EXPECT_NE(h.detail_of("delivery").find("not in the plan"), std::string::npos);
  EXPECT_EQ(h.end().result, verdict::inconclusive);
}

// --- what the contract allows

struct lossy_run {
  std::string name;
  delivery_promise promise;
  bool is_in_outage;
  verdict expected;
};

class DeliveryContract : public testing::TestWithParam<lossy_run> {};

TEST_P(DeliveryContract, GradesALoss) {
  plan of = make_test_plan();
  add_fault(of, "crash");
  of.promises.delivery = GetParam().promise;
  history h(of);
  h.everybody_joins();
  if (GetParam().is_in_outage) h.breaks();
  const auto m = h.says(0);
  h.gets(0, m).gets(1, m).gets(2, m);
  if (!GetParam().is_in_outage) h.later(seconds(5)).breaks();
  h.heals();
  for (std::size_t c : {0U, 1U}) h.exchanges(c);
  EXPECT_EQ(h.verdict_of("delivery"), GetParam().expected);
  EXPECT_EQ(h.findings(), "lost=1") << "counted whatever the contract says";
  EXPECT_EQ(h.found().at(0).fault.has_value(), GetParam().is_in_outage);
  EXPECT_EQ(h.end().faults.at(0).findings, GetParam().is_in_outage ? 1U : 0U);
}

INSTANTIATE_TEST_SUITE_P(
    Promises, DeliveryContract,
    testing::Values(
        lossy_run{"StrictInside", delivery_promise::every_message, true, verdict::fail},
        lossy_run{"StrictOutside", delivery_promise::every_message, false, verdict::fail},
        lossy_run{"OutageInside", delivery_promise::best_effort_in_outage, true, verdict::pass},
        lossy_run{"OutageOutside", delivery_promise::best_effort_in_outage, false, verdict::fail},
        lossy_run{"BestEffortInside", delivery_promise::best_effort, true, verdict::pass},
        lossy_run{"BestEffortOutside", delivery_promise::best_effort, false, verdict::pass}),
    [](const auto& param) { return param.param.name; });

TEST(DeliveryContract, TheOutageLastsUntilAllNodesHaveRecovered) {
  plan of = make_test_plan();
  add_fault(of, "crash");
  of.promises.delivery = delivery_promise::best_effort_in_outage;
  history h(of);
  h.everybody_joins();
  h.breaks().heals();
  const auto inside = h.says(0);  // healed, but node 1 has heard nobody yet
  h.gets(0, inside).gets(2, inside);
  h.exchanges(0);
  h.exchanges(1);
  EXPECT_TRUE(h.now().has_recovered());
  EXPECT_EQ(h.verdict_of("delivery"), verdict::pass) << h.detail_of("delivery");
  EXPECT_EQ(h.findings(), "lost=2");
}

// --- acknowledgements

TEST(AcknowledgementChecker, ReportsAMessageThatNobodyGot) {
  history h;
  h.everybody_joins();
  const auto m = h.says(2);
  EXPECT_EQ(h.findings(), "lost=4 false_ack=1");
  EXPECT_EQ(h.verdict_of("acknowledgement"), verdict::fail);
  EXPECT_EQ(h.verdict_of("delivery"), verdict::fail);
  EXPECT_EQ(h.found().back().message, m);
}

TEST(AcknowledgementChecker, IsSilentWhenNobodyWasOwedOrSomebodyGotIt) {
  history nobody;
  nobody.says(0);
  EXPECT_EQ(nobody.findings(), "");

  history somebody;
  somebody.everybody_joins();
  somebody.gets(0, somebody.says(0));
  EXPECT_EQ(somebody.findings(), "lost=3");

  history unknown;
  unknown.everybody_joins();
  unknown.gives_up(unknown.sends(0));
  EXPECT_EQ(unknown.findings(), "");
}

TEST(AcknowledgementChecker, OnlyInformsWhereNothingIsAcknowledged) {
  plan of = make_test_plan();
  of.promises.ack = ack_promise::none;
  history h(of);
  h.everybody_joins();
  h.says(0);
  EXPECT_EQ(h.count(finding_kind::false_ack), 1U);
  EXPECT_EQ(h.verdict_of("acknowledgement"), verdict::pass);
}

TEST(AcknowledgementChecker, AcceptedPromisesNoMoreThanTheDelivery) {
  for (const auto& [ack, expected] : {std::pair(ack_promise::accepted, verdict::pass),
                                      std::pair(ack_promise::appended, verdict::fail)}) {
    plan of = make_test_plan();
    add_fault(of, "crash");
    of.promises.delivery = delivery_promise::best_effort_in_outage;
    of.promises.ack = ack;
    history h(of);
    h.everybody_joins();
    h.breaks();
    h.says(0);
    EXPECT_EQ(h.verdict_of("acknowledgement"), expected);
  }
}

}  // namespace
}  // namespace ordeal::harness
