// Nobody is convicted for what the harness, a thread or an unknown outcome did, nobody acquitted by
// what was not looked at, and no sentence says more than is known.
#include <gtest/gtest.h>

#include "tests/unit/checkers/history_builder.h"

namespace ordeal::harness {
namespace {

using fault::fault_state;
using std::chrono::milliseconds;
using std::chrono::seconds;

plan with_fault() {
  plan of = make_test_plan();
  add_fault(of, "crash");
  return of;
}

plan without_resume() {
  plan of = make_test_plan();
  of.promises.resume = false;
  return of;
}

// Healed; node 1 says something, and hears nothing from node 0 or itself.
history with_a_deaf_node(plan of) {
  history h(std::move(of));
  h.everybody_joins();
  h.exchanges(0);
  h.breaks().heals();
  const auto a = h.says(0), b = h.says(1);
  for (std::size_t c : {0U, 2U}) h.gets(c, a).gets(c, b);
  h.later(seconds(60));
  return h;
}

TEST(Fairness, AFaultThatIsWrittenAfterWhatItHitExcusesItAllTheSame) {
  plan of = with_fault();
  of.promises.delivery = delivery_promise::best_effort_in_outage;
  of.promises.resume = false;
  history h(of);
  h.everybody_joins();
  const auto begun = h.time() + milliseconds(2);
  h.later(milliseconds(5));
  const auto m = h.says(0);
  h.now().on(fault_changed{begun, 0, fault_state::injecting, ""});
  h.fault_is(0, fault_state::active).gets(0, m).heals();
  h.exchanges(0);
  h.exchanges(1);
  ASSERT_TRUE(h.now().has_recovered());
  h.says(0);
  EXPECT_EQ(h.end().faults.at(0).findings, 3U) << "what was lost after the window lies outside";
  EXPECT_EQ(h.findings(), "lost=7 false_ack=1");
}

TEST(Fairness, WhoIsOwedNothingSinceItsReturnIsNotStuck) {
  for (const bool has_got_something : {false, true}) {
    history h(without_resume());
    h.everybody_joins();
    if (has_got_something) h.exchanges(0);
    h.disconnects(3);
    const auto m = h.says(0);
    h.gets(0, m).gets(1, m).gets(2, m);
    h.connects(3).joins(3).later(seconds(60));
    h.ends_well();
    EXPECT_EQ(h.findings(), "");
    EXPECT_EQ(h.verdict_of("liveness"), verdict::pass) << h.detail_of("liveness");
  }
}

TEST(Fairness, ReconnectingAgainAndAgainIsNoExcuseForSilence) {
  history h(without_resume());
  h.everybody_joins();
  h.exchanges(0);
  for (int i = 0; i < 30; ++i) {
    h.disconnects(3).connects(3).joins(3);
    const auto m = h.says(0);
    h.gets(0, m).gets(1, m).gets(2, m).later(seconds(1));
  }
  EXPECT_EQ(h.count(finding_kind::stuck), 1U);
}

TEST(Fairness, ARefusalOfWhatIsNoProbeIsNoRefusedProbe) {
  history h;
  h.everybody_joins();
  const auto m = h.sends(0);
  h.phase(phase_kind::probe).refuses(m);
  h.exchanges(0);
  h.exchanges(1);
  EXPECT_EQ(h.findings(), "");
}

// Given up when its connection was lost, the node sends it all the same when it can.
TEST(Fairness, ASendOfUnknownOutcomeMayArriveBehindThoseOfTheNextConnection) {
  for (const bool is_same_connection : {false, true}) {
    history h;
    h.everybody_joins();
    const auto a = h.sends(0);
    if (!is_same_connection) h.disconnects(0);
    h.gives_up(a);
    if (!is_same_connection) h.connects(0, 1).resumes(0);
    h.exchanges(0);
    h.everybody_gets(a);
    EXPECT_EQ(h.findings(), is_same_connection ? "reordered=4" : "");
    EXPECT_EQ(h.verdict_of("order"), is_same_connection ? verdict::fail : verdict::pass);
  }
}

TEST(Fairness, ARetryThroughAnotherNodeDoesNotSpeakForTheFirst) {
  history h(with_fault());
  h.everybody_joins();
  h.breaks().heals();
  h.exchanges(1);
  const auto m = h.sends(0);  // which node 0 cannot pass on
  h.disconnects(0).connects(0, 1).resumes(0).everybody_gets(m).acknowledges(m);
  EXPECT_FALSE(h.now().has_recovered()) << "node 0, with client 2, has not been heard";
  h.exchanges(2);
  EXPECT_TRUE(h.now().has_recovered());
}

TEST(Fairness, AFalseAcknowledgementIsThatOfTheNodeThatGaveIt) {
  history h;
  h.everybody_joins();
  const auto m = h.sends(0);
  h.disconnects(0).connects(0, 1).resumes(0).acknowledges(m);
  EXPECT_EQ(h.findings(), "lost=4 false_ack=1");
  for (const finding& each : h.found()) {
    if (each.kind == finding_kind::false_ack) {
      EXPECT_EQ(each.node, node_id(1));
    }
    EXPECT_EQ(each.detail.find("node-1 acknowledged"), std::string::npos) << each.detail;
  }
}

TEST(Fairness, AnExpectedRecoveryIsNotMetByThoseWhoRecoveredAlone) {
  plan of = with_fault();
  expectation row;
  row.metric = "recovery_time";
  row.max = 15;
  of.scenario.expectations = {row};
  history h = with_a_deaf_node(of);
  EXPECT_EQ(h.verdict_of("expect[0]"), verdict::inconclusive) << h.detail_of("expect[0]");
}

TEST(Fairness, WhatIsTooOldToBeComparedIsNotInOrder) {
  history h(without_resume());
  h.everybody_joins();
  h.disconnects(3);
  std::vector<message_id> some;
  for (int i = 0; i < 24'000; ++i) {
    const auto m = h.says(i % 2 == 0 ? 0 : 1);
    h.gets(0, m).gets(1, m).gets(2, m);
    if (i < 4) some.push_back(m);
  }
  h.connects(3).joins(3);
  h.gets(3, some[1]).gets(3, some[0]).gets(3, some[3]).gets(3, some[2]);
  EXPECT_EQ(h.verdict_of("total_order"), verdict::inconclusive) << h.detail_of("total_order");
}

TEST(Fairness, NothingIsCalledObservedThatWasNotSeen) {
  history broken(with_fault());
  broken.everybody_joins();
  broken.exchanges(0);
  broken.fault_is(7, fault_state::active);
  broken.says(0);
  EXPECT_EQ(broken.end().observed, "") << "the books end in the middle";

  history deaf = with_a_deaf_node(with_fault());
  EXPECT_NE(deaf.end().observed.find("no recovery after crash"), std::string::npos)
      << deaf.end().observed;

  plan of = make_test_plan();
  of.promises.order = order_promise::per_sender;
  history far(of);
  far.everybody_joins();
  const auto one = far.says(1);
  std::vector<message_id> many;
  for (int i = 0; i < 600; ++i) many.push_back(far.says(0));
  const auto gets_many = [&](std::size_t client) {
    for (const auto& m : many) far.gets(client, m);
  };
  far.gets(0, one).gets(2, one).gets(3, one);
  for (std::size_t c : {0U, 1U, 2U, 3U}) gets_many(c);
  far.gets(1, one);  // against the others, too far back to be looked for
  EXPECT_EQ(far.findings(), "");
  EXPECT_NE(far.end().observed.find("order per_sender"), std::string::npos) << far.end().observed;
}

TEST(Fairness, MissedProbesAreNotCalledComplete) {
  plan of = make_test_plan();
  of.promises.delivery = delivery_promise::best_effort;
  history h(of);
  h.everybody_joins();
  h.phase(phase_kind::probe);
  const auto a = h.says(0), b = h.says(1);
  h.everybody_gets(a).gets(0, b).gets(1, b).gets(2, b);
  EXPECT_EQ(h.detail_of("probe"), "2 probes, 1 delivery missing (the contract allows that)");
}

}  // namespace
}  // namespace ordeal::harness
