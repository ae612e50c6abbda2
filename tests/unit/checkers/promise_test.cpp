// What is promised in time and in words: late, liveness, honesty, torn histories, faults that failed, and what lay
// around a finding.
#include <gtest/gtest.h>

#include "tests/unit/checkers/history_builder.h"

namespace ordeal::harness {
namespace {

using std::chrono::seconds;
using testing::Test;

plan with_fault() {
  plan of = make_test_plan();
  add_fault(of, "crash");
  return of;
}

const finding& first_of(history& h, finding_kind kind) {
  for (const finding& each : h.found()) {
    if (each.kind == kind) return each;
  }
  throw std::runtime_error("there is no such finding");
}

// --- late

TEST(LateChecker, CountsFromTheAcknowledgement) {
  for (const auto waits : {seconds(14), seconds(16)}) {
    history h;
    h.everybody_joins();
    const auto m = h.says(0);
    h.gets(0, m).gets(1, m).gets(2, m).later(waits).gets(3, m);
    EXPECT_EQ(h.findings(), waits > seconds(15) ? "late=1" : "");
    EXPECT_EQ(h.verdict_of("late"), waits > seconds(15) ? verdict::fail : verdict::pass);
  }
}

TEST(LateChecker, AFaultExcusesUntilItHasHealed) {
  history h(with_fault());
  h.everybody_joins();
  const auto m = h.says(0);
  h.gets(0, m).gets(1, m).gets(2, m);
  h.breaks().later(seconds(60)).heals().later(seconds(14)).gets(3, m);
  EXPECT_EQ(h.findings(), "");
}

TEST(LateChecker, AfterTheHealTheClockRuns) {
  history h(with_fault());
  h.everybody_joins();
  const auto m = h.says(0);
  h.gets(0, m).gets(1, m).gets(2, m);
  h.breaks().later(seconds(60)).heals().later(seconds(16)).gets(3, m);
  EXPECT_EQ(h.findings(), "late=1");
}

TEST(LateChecker, AClientThatWasAwayIsServedAfterItsReturn) {
  history h;
  h.everybody_joins();
  h.disconnects(3);
  const auto m = h.says(0);
  h.gets(0, m).gets(1, m).gets(2, m).later(seconds(20)).connects(3).resumes(3).gets(3, m);
  EXPECT_EQ(h.findings(), "");
}

TEST(LateChecker, AnUnansweredSendIsNeverLate) {
  history h;
  h.everybody_joins();
  const auto m = h.sends(0);
  h.later(seconds(60)).everybody_gets(m).acknowledges(m);
  EXPECT_EQ(h.findings(), "");
}

// --- liveness

TEST(LivenessChecker, SilenceWhileTheRoomGoesOnIsStuck) {
  history h;
  h.everybody_joins();
  for (int i = 0; i < 40; ++i) {
    const auto m = h.says(0);
    h.gets(0, m).gets(1, m).gets(2, m).later(std::chrono::milliseconds(500));
  }
  EXPECT_EQ(h.findings(), "lost=40 stuck=1");
  EXPECT_EQ(h.verdict_of("liveness"), verdict::fail);
  EXPECT_EQ(first_of(h, finding_kind::stuck).client, client_id(3));
}

TEST(LivenessChecker, ASilentRoomIsNotASilentClient) {
  history h;
  h.everybody_joins();
  h.exchanges(0);
  h.later(seconds(120));
  h.exchanges(0);
  EXPECT_EQ(h.findings(), "");
}

TEST(LivenessChecker, AnAnswerAfterTheDeliveryOwesNothing) {
  history h;
  h.everybody_joins();
  const auto m = h.sends(0);
  h.everybody_gets(m).later(seconds(1)).acknowledges(m).later(seconds(60));
  h.exchanges(0);
  EXPECT_EQ(h.findings(), "");
}

TEST(LivenessChecker, AnOutageExcusesTheSilence) {
  history h(with_fault());
  h.everybody_joins();
  h.exchanges(0);
  h.breaks();
  std::vector<message_id> held;
  for (int i = 0; i < 60; ++i) {
    held.push_back(h.says(0));
    h.later(std::chrono::milliseconds(500));
  }
  h.heals();
  for (const auto& m : held) h.everybody_gets(m);
  h.exchanges(0);
  h.exchanges(1);
  EXPECT_EQ(h.findings(), "");
}

TEST(LivenessChecker, WhoCannotComeBackIsStuck) {
  plan of = make_test_plan();
  of.promises.resume = false;
  history h(of);
  h.everybody_joins();
  h.disconnects(3);
  for (int i = 0; i < 60; ++i) {
    const auto m = h.says(0);
    h.gets(0, m).gets(1, m).gets(2, m).later(std::chrono::milliseconds(500));
  }
  h.ends_well();
  EXPECT_NE(h.detail_of("liveness").find("could not come back"), std::string::npos)
      << h.detail_of("liveness");
}

TEST(LivenessChecker, OurOwnPatienceIsNotTheTargets) {
  for (const int halves : {44, 52}) {  // seconds of absence, beside the promised 15
    history h;
    h.everybody_joins();
    h.disconnects(3);
    std::vector<message_id> missed;
    for (int i = 0; i < halves; ++i) {
      missed.push_back(h.says(0));
      for (const std::size_t c : {0U, 1U, 2U}) h.gets(c, missed.back());
      h.later(std::chrono::milliseconds(500));
    }
    h.connects(3).resumes(3);
    for (const auto& m : missed) h.gets(3, m);
    h.exchanges(0);
    EXPECT_EQ(h.findings(), halves > 46 ? "stuck=1" : "") << halves;
  }
}

// --- honesty

TEST(HonestyChecker, ALossInAnOutageIsAllowedToBeSilentOnlyWithoutResume) {
  for (const bool can_resume : {false, true}) {
    plan of = with_fault();
    of.promises.delivery = delivery_promise::best_effort_in_outage;
    of.promises.resume = can_resume;
    history h(of);
    h.everybody_joins();
    h.exchanges(0);
    h.breaks();
    const auto m = h.says(0);
    h.gets(0, m).gets(1, m).gets(2, m).heals();
    h.exchanges(0);
    h.exchanges(1);
    EXPECT_EQ(h.findings(), "lost=1");
    EXPECT_EQ(h.verdict_of("delivery"), verdict::pass);
    EXPECT_EQ(h.verdict_of("honesty"), can_resume ? verdict::fail : verdict::pass);
  }
}

// --- histories that break off

TEST(TornHistory, WhatWasUnderWayIsNotLost) {
  history h;
  h.everybody_joins();
  h.exchanges(0);
  const auto m = h.says(0);
  h.gets(0, m).gets(1, m);
  EXPECT_EQ(h.is_torn().result, verdict::inconclusive);
  EXPECT_EQ(h.findings(), "");
  EXPECT_NE(h.detail_of("delivery").find("2 deliveries were under way"), std::string::npos)
      << h.detail_of("delivery");
}

TEST(TornHistory, WhatALaterMessageHasOvertakenIsLost) {
  history h;
  h.everybody_joins();
  const auto m = h.says(0);
  h.gets(0, m).gets(1, m).gets(2, m);
  h.exchanges(0);
  EXPECT_EQ(h.is_torn().result, verdict::fail);
  EXPECT_EQ(h.findings(), "lost=1");
}

// --- faults that failed

TEST(FailedFault, MakesWhatIsMissingSinceInconclusive) {
  history h(with_fault());
  h.everybody_joins();
  h.exchanges(0);
  h.breaks();
  const auto m = h.says(0);
  h.gets(0, m).gets(1, m).gets(2, m);
  h.fault_is(0, fault::fault_state::healing).fault_is(0, fault::fault_state::failed);
  h.exchanges(0);
  EXPECT_EQ(h.findings(), "lost=1");
  EXPECT_EQ(h.verdict_of("delivery"), verdict::inconclusive);
  EXPECT_EQ(h.verdict_of("honesty"), verdict::inconclusive);
  EXPECT_EQ(h.end().result, verdict::inconclusive);
}

TEST(FailedFault, DoesNotExcuseWhatWasLostLongBefore) {
  history h(with_fault());
  h.everybody_joins();
  const auto m = h.says(0);
  h.gets(0, m).gets(1, m).gets(2, m);
  h.later(seconds(5)).breaks();
  h.fault_is(0, fault::fault_state::failed);
  h.exchanges(0);
  EXPECT_EQ(h.verdict_of("delivery"), verdict::fail);
}

// --- what lay around

TEST(Surroundings, AreThoseOfTheMomentWhenTheLossShowed) {
  history h;
  h.everybody_joins();
  for (int i = 0; i < 20; ++i) h.exchanges(0);
  const auto lost = h.says(0);
  h.gets(0, lost).gets(1, lost).gets(2, lost);
  for (int i = 0; i < 50; ++i) h.exchanges(0);
  EXPECT_EQ(h.findings(), "lost=1");
  const auto& around = first_of(h, finding_kind::lost).around;
  ASSERT_TRUE(around);
  ASSERT_EQ(around->last_deliveries.size(), 10U);
  EXPECT_EQ(around->last_deliveries.back().id.seq, lost.seq - 1);
  EXPECT_EQ(around->last_deliveries.front().id.seq, lost.seq - 10);
  ASSERT_GE(around->neighbours.size(), 3U);
  for (const auto& each : around->neighbours) {
    const bool is_before = each.id.seq < lost.seq;
    EXPECT_EQ(each.has_arrived, is_before || each.id.seq == lost.seq + 1) << each.id.seq;
    EXPECT_TRUE(each.is_settled);
  }
  EXPECT_EQ(first_of(h, finding_kind::lost).messages, 21U);
}

TEST(Surroundings, AGapIsSuspectAtOnce) {
  history h;
  h.everybody_joins();
  h.exchanges(0);
  const auto skipped = h.says(0), next = h.says(0);
  for (const std::size_t c : {0U, 1U, 2U}) h.gets(c, skipped).gets(c, next);
  EXPECT_EQ(h.suspicions(), 0U);
  h.gets(3, next);
  EXPECT_EQ(h.suspicions(), 1U);
  EXPECT_TRUE(h.found().empty()) << "it may still come";
}

TEST(Surroundings, OfTheFirstLossesAreKeptHoweverManyFollow) {
  history h;
  h.everybody_joins();
  std::vector<message_id> lost;
  for (int i = 0; i < 600; ++i) {
    lost.push_back(h.says(0));
    for (const std::size_t c : {0U, 1U, 2U}) h.gets(c, lost.back());
    h.exchanges(0);
  }
  EXPECT_EQ(h.count(finding_kind::lost), 600U);
  const finding& first = first_of(h, finding_kind::lost);
  EXPECT_EQ(first.message, lost.front());
  ASSERT_TRUE(first.around);
  for (const auto& each : first.around->last_deliveries) EXPECT_LT(each.id.seq, lost.front().seq);
}

TEST(Surroundings, NeighboursThatAreMissingTooAreFoundHoweverOld) {
  history h;
  h.everybody_joins();
  std::vector<message_id> lost;
  for (int i = 0; i < 40; ++i) {  // more than the ring of sends holds
    lost.push_back(h.says(0));
    for (const std::size_t c : {0U, 1U, 2U}) h.gets(c, lost.back());
  }
  h.end();
  const auto& around = first_of(h, finding_kind::lost).around;
  ASSERT_TRUE(around);
  ASSERT_GE(around->neighbours.size(), 3U);
  EXPECT_EQ(around->neighbours.front().id, lost.front());
  EXPECT_FALSE(around->neighbours[1].has_arrived);
}

TEST(Surroundings, NameTheWindowOfTheFault) {
  history h(with_fault());
  h.everybody_joins();
  h.breaks();
  const auto m = h.exchanges(0);
  h.gets(2, m).heals();
  h.exchanges(0);
  h.exchanges(1);
  EXPECT_EQ(h.findings(), "duplicate=1");
  const auto& around = first_of(h, finding_kind::duplicate).around;
  ASSERT_TRUE(around);
  EXPECT_TRUE(around->window_begins);
}

// --- the hop

class Hop : public Test {
 protected:
  Hop() { h_.everybody_joins(); }

  void tap(std::size_t node, tap_point where, const message_id& id) {
    h_.now().on(tapped{h_.time(), node_id(node), where, id});
  }
  // A message of client 0 on node 0 that client 3 (on node 1) misses.
  message_id loses(std::initializer_list<std::size_t> receivers) {
    const auto before = h_.exchanges(0);
    for (const auto point : {tap_point::to_redis, tap_point::accepted_by_redis})
      tap(0, point, before);
    for (const std::size_t node : {0U, 1U}) tap(node, tap_point::from_redis, before);
    const auto m = h_.says(0);
    for (const std::size_t c : receivers) h_.gets(c, m);
    return m;
  }
  std::string hop() {
    h_.end();
    return first_of(h_, finding_kind::lost).around->hop;
  }

  history h_;
};

TEST_F(Hop, OthersOnItsNodeGotIt) {
  loses({0, 1, 2});
  EXPECT_EQ(hop(), "node-2 sent it to other clients and not to client-4");
}

TEST_F(Hop, ItsNodeGotItFromRedis) {
  tap(1, tap_point::from_redis, loses({0, 2}));
  EXPECT_EQ(hop(), "node-2 got it from Redis and sent it to no client");
}

TEST_F(Hop, RedisDidNotSendIt) {
  const auto m = loses({0, 2});
  tap(0, tap_point::to_redis, m);
  tap(0, tap_point::accepted_by_redis, m);
  EXPECT_EQ(hop(), "Redis accepted it from node-1; it was not seen on the way to node-2");
}

TEST_F(Hop, RedisRefusedIt) {
  const auto m = loses({0, 2});
  tap(0, tap_point::to_redis, m);
  tap(0, tap_point::refused_by_redis, m);
  EXPECT_EQ(hop(), "Redis refused it when node-1 sent it");
}

TEST_F(Hop, RedisDidNotAnswer) {
  tap(0, tap_point::to_redis, loses({0, 2}));
  EXPECT_EQ(hop(), "node-1 sent it to Redis and no answer was seen");
}

TEST_F(Hop, ItNeverLeftItsNode) {
  loses({0, 2});
  EXPECT_EQ(hop(), "node-1 accepted it; it was not seen on the way to Redis");
}

TEST(HopWithoutTaps, NothingIsSaid) {
  history h;
  h.everybody_joins();
  const auto m = h.says(0);
  h.gets(0, m).gets(2, m);
  h.end();
  EXPECT_EQ(first_of(h, finding_kind::lost).around->hop, "");
}

// --- the guarantee that was observed

TEST(Observed, IsTheStrongestContractThatHolds) {
  history clean(with_fault());
  clean.everybody_joins();
  clean.exchanges(0);
  clean.breaks().heals();
  clean.exchanges(0);
  clean.exchanges(1);
  EXPECT_EQ(
      clean.end().observed.find("delivery every_message, order total, duplicates none, recovery"),
      0U)
      << clean.end().observed;

  history lossy(with_fault());
  lossy.everybody_joins();
  lossy.breaks();
  lossy.says(0);
  lossy.heals();
  lossy.gets(2, lossy.exchanges(0));
  lossy.exchanges(1);
  EXPECT_EQ(lossy.end().observed.find(
                "delivery best_effort_in_outage, order total, duplicates in_outage"),
            0U)
      << lossy.end().observed;

  history silent;
  EXPECT_EQ(silent.end().observed, "");
}

TEST(Observed, SaysWhatCouldNotBeObserved) {
  plan of = with_fault();
  of.promises.resume = false;
  history h(of);
  h.everybody_joins();
  h.exchanges(0);
  h.breaks();
  h.disconnects(3, cut_cause::silent);
  const auto missed = h.says(0);  // owed to everybody but client 3
  for (const std::size_t c : {0U, 1U, 2U}) h.gets(c, missed);
  h.connects(3).joins(3).heals();
  h.exchanges(0);
  h.exchanges(1);
  EXPECT_NE(h.end().observed.find("; not observable: 1 delivery to 1 client that was away, 1 "
                                  "client cut off by us"),
            std::string::npos)
      << h.end().observed;
}

}  // namespace
}  // namespace ordeal::harness
