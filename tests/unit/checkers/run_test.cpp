// The checks about the run itself: faults, recovery, probes, nodes, load; and the verdict over all
// of them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/scenario/glossary.h"
#include "tests/unit/checkers/history_builder.h"

namespace ordeal::harness {
namespace {

using fault::fault_state;
using std::chrono::milliseconds;
using std::chrono::seconds;

plan one_fault() {
  plan of = make_test_plan();
  add_fault(of, "crash");
  return of;
}

plan three_nodes() {
  return make_test_plan(3, {{0}, {0}, {0}});
}

// --- reasons

TEST(Reasons, AreCountedByTextWithFirstAndLastTime) {
  history h;
  h.everybody_joins();
  const auto hears = [&h](reason_kind kind, std::uint32_t node, const std::string& text) {
    h.later(seconds(1));
    h.now().on(reason_heard{h.time(), node_id{node}, kind, 1, text});
    return h.time();
  };
  const auto first = hears(reason_kind::send_refused, 0, "OOM");
  hears(reason_kind::send_refused, 0, "no such room");
  const auto last = hears(reason_kind::send_refused, 1, "OOM");
  hears(reason_kind::connect_failed, 1, "OOM");
  hears(reason_kind::log, 1, "all is well");
  hears(reason_kind::log, 1, "ERROR writing");
  const auto& heard = h.end().reasons;
  ASSERT_EQ(heard.size(), 4U) << "a line of a log that speaks of no trouble is no reason";
  EXPECT_EQ(heard[0].text, "OOM");
  EXPECT_EQ(heard[0].count, 2U);
  EXPECT_EQ(heard[0].first, first);
  EXPECT_EQ(heard[0].last, last);
  EXPECT_EQ(heard[0].nodes.size(), 2U);
  EXPECT_EQ(heard[1].text, "no such room");
  EXPECT_EQ(heard[2].kind, reason_kind::connect_failed);
  EXPECT_EQ(heard[3].text, "ERROR writing");
}

TEST(Reasons, AFindingQuotesWhatItsNodeSaidAroundIt) {
  history h;
  h.everybody_joins();
  const auto says = [&h](std::uint32_t node, const std::string& text) {
    h.later(milliseconds(1));
    h.now().on(reason_heard{h.time(), node_id{node}, reason_kind::log, 1, text});
  };
  says(1, "long before");
  h.later(seconds(60));
  const auto m = h.says(0);
  h.gets(0, m).gets(1, m).gets(2, m);
  says(0, "ERROR of another node");
  h.later(seconds(1));
  for (const char* text : {"a", "b", "c", "d", "e", "f"}) says(1, text);
  says(1, "ERROR dropped one");
  h.later(seconds(60));
  says(1, "long after");
  ASSERT_EQ(h.findings(), "lost=1");
  const finding& lost = h.end().examples.at(0);
  ASSERT_TRUE(lost.around);
  std::vector<std::string> texts;
  for (const auto& line : lost.around->log) texts.push_back(line.text);
  EXPECT_THAT(texts, testing::ElementsAre("a", "b", "c", "d", "ERROR dropped one"));
}

TEST(Reasons, AreBoundedWhateverTheHistoryHolds) {
  history h;
  h.everybody_joins();
  for (std::uint32_t i = 0; i < 5'000; ++i)
    h.now().on(
        reason_heard{h.time(), node_id{i}, reason_kind::log, 1, "error " + std::to_string(i)});
  EXPECT_LE(h.end().reasons.size(), 1'024U);
}

// --- recovery

TEST(RecoveryChecker, MeasuresFromTheHealUntilEveryNodeHearsEveryOther) {
  history h(one_fault());
  h.everybody_joins();
  h.breaks().heals();
  EXPECT_FALSE(h.now().has_recovered());
  const auto healed = h.time();
  h.later(seconds(2));
  h.exchanges(0);
  EXPECT_FALSE(h.now().has_recovered()) << "nobody has heard node 1 yet";
  h.later(seconds(1));
  const auto m = h.says(1);
  h.gets(0, m);
  const auto node0 = h.time() - healed;
  h.gets(1, m);
  const auto node1 = h.time() - healed;
  EXPECT_TRUE(h.now().has_recovered());
  h.gets(2, m).gets(3, m);
  EXPECT_EQ(h.verdict_of("recovery"), verdict::pass) << h.detail_of("recovery");
  EXPECT_EQ(h.end().faults.at(0).recovery.at(0), node0);
  EXPECT_EQ(h.end().faults.at(0).recovery.at(1), node1);
}

TEST(RecoveryChecker, AMessageSentBeforeTheHealProvesNothing) {
  history h(one_fault());
  h.everybody_joins();
  h.breaks();
  const auto a = h.says(0), b = h.says(1);
  h.heals().everybody_gets(a).everybody_gets(b);
  EXPECT_FALSE(h.now().has_recovered());
  EXPECT_EQ(h.verdict_of("recovery"), verdict::inconclusive) << h.detail_of("recovery");
}

TEST(RecoveryChecker, TooLateIsAFailure) {
  history h(one_fault());
  h.everybody_joins();
  h.breaks().heals();
  h.exchanges(0);
  h.later(seconds(16));
  h.exchanges(1);
  EXPECT_EQ(h.verdict_of("recovery"), verdict::fail);
  EXPECT_NE(h.detail_of("recovery").find("after crash, promised 15.0s"), std::string::npos)
      << h.detail_of("recovery");
}

TEST(RecoveryChecker, AQuietNodeIsNotASlowOne) {
  plan of = one_fault();
  of.scenario.load.send_period = seconds(10);  // each of the four clients every 40 s
  history seldom(of);
  seldom.everybody_joins();
  seldom.breaks().heals();
  seldom.exchanges(0);
  seldom.later(seconds(20));
  EXPECT_FALSE(seldom.now().has_recovered());
  seldom.exchanges(1);
  EXPECT_TRUE(seldom.now().has_recovered());
  EXPECT_EQ(seldom.verdict_of("recovery"), verdict::pass) << seldom.detail_of("recovery");

  history silent(of);
  silent.everybody_joins();
  silent.breaks().heals();
  silent.exchanges(0);
  silent.later(seconds(20));
  EXPECT_EQ(silent.verdict_of("recovery"), verdict::inconclusive);
  EXPECT_EQ(silent.findings(), "");
}

TEST(RecoveryChecker, ADeafNodeIsStuck) {
  history h(one_fault());
  h.everybody_joins();
  h.breaks().heals();
  for (std::size_t i = 0; i < 20; ++i) {
    const auto m = h.says(i % 2);
    h.gets(0, m).gets(2, m);
    if (m.sender == client_id(1)) h.gets(1, m).gets(3, m);
    h.later(seconds(1));
  }
  EXPECT_FALSE(h.now().has_recovered());
  EXPECT_EQ(h.verdict_of("recovery"), verdict::fail);
  EXPECT_NE(h.detail_of("recovery").find("node-2 got nothing from node-1"), std::string::npos)
      << h.detail_of("recovery");
  EXPECT_EQ(h.count(finding_kind::stuck), 1U);
}

TEST(RecoveryChecker, NothingIsClaimedWithoutTrafficAfterTheHeal) {
  history h(one_fault());
  h.everybody_joins();
  h.exchanges(0);
  h.breaks().heals().later(seconds(60));
  EXPECT_EQ(h.verdict_of("recovery"), verdict::inconclusive);
  EXPECT_EQ(h.findings(), "");
}

TEST(RecoveryChecker, AFurtherFaultRestartsTheClockOfWhoHadNotRecovered) {
  plan of = make_test_plan();
  add_fault(of, "first");
  add_fault(of, "second");
  history h(of);
  h.everybody_joins();
  h.breaks(0).heals(0);
  h.exchanges(0);
  h.breaks(1).later(seconds(30)).heals(1);
  h.exchanges(0);
  h.exchanges(1);
  EXPECT_TRUE(h.now().has_recovered());
  EXPECT_EQ(h.verdict_of("recovery"), verdict::pass) << h.detail_of("recovery");
}

TEST(RecoveryChecker, OfANodeThatEverybodyLeftNothingIsKnown) {
  history h(one_fault());
  h.everybody_joins();
  h.breaks().heals();
  for (std::size_t c : {1U, 3U}) h.disconnects(c).connects(c, 0).resumes(c);
  h.exchanges(0);
  h.later(seconds(60)).exchanges(1);
  EXPECT_FALSE(h.now().has_recovered());
  EXPECT_EQ(h.verdict_of("recovery"), verdict::inconclusive);
  EXPECT_THAT(h.detail_of("recovery"),
              testing::HasSubstr("nothing can be said about node-2 after crash: nobody was there"));
  EXPECT_EQ(h.findings(), "");
}

// Two nodes, and a deputy of client 1; the others have moved to node 1 when the fault heals.
struct deserted {
  plan of = one_fault();
  std::size_t deputy = add_deputy(of, 1);
  history h{of};

  deserted() {
    h.everybody_joins();
    h.breaks();
    for (std::size_t c : {1U, 3U}) h.disconnects(c).connects(c, 0).resumes(c);
    h.heals();
  }
};

TEST(RecoveryChecker, ANodeThatEverybodyLeftIsMeasuredThroughADeputy) {
  deserted stage;
  history& h = stage.h;
  const auto healed = h.time();
  h.exchanges(0);
  EXPECT_FALSE(h.now().has_recovered());
  h.later(seconds(1)).connects(stage.deputy).joins(stage.deputy);
  const auto a = h.says(0);
  h.everybody_gets(a).gets(stage.deputy, a);
  EXPECT_FALSE(h.now().has_recovered()) << "nobody has heard node 2 yet";
  const auto b = h.says(stage.deputy);
  h.everybody_gets(b);
  EXPECT_FALSE(h.now().has_recovered());
  h.gets(stage.deputy, b);
  EXPECT_TRUE(h.now().has_recovered());
  const auto took = h.time() - healed;
  EXPECT_EQ(h.verdict_of("recovery"), verdict::pass) << h.detail_of("recovery");
  EXPECT_EQ(h.end().faults.at(0).recovery.at(1), took);
}

TEST(RecoveryChecker, ADeputyThatIsNotHeardIsAMuteNode) {
  deserted stage;
  history& h = stage.h;
  h.connects(stage.deputy).joins(stage.deputy);
  for (int i = 0; i < 20; ++i) {
    const auto a = h.says(0), b = h.says(stage.deputy);
    h.everybody_gets(a).gets(stage.deputy, a).gets(stage.deputy, b).later(seconds(1));
  }
  EXPECT_EQ(h.verdict_of("recovery"), verdict::fail);
  EXPECT_THAT(h.detail_of("recovery"), testing::HasSubstr("node-1 got nothing from node-2"));
}

TEST(RecoveryChecker, ADeputyThatCannotComeInTimeIsAFailure) {
  deserted stage;
  history& h = stage.h;
  h.exchanges(0);
  h.later(seconds(20)).connects(stage.deputy).joins(stage.deputy);
  const auto a = h.says(0), b = h.says(stage.deputy);
  h.everybody_gets(a).everybody_gets(b).gets(stage.deputy, a).gets(stage.deputy, b);
  EXPECT_EQ(h.verdict_of("recovery"), verdict::fail);
}

// While node 2 is down, node 1 recovers from another fault as soon as it hears itself.
TEST(RecoveryChecker, NobodyWaitsForTheVoiceOfANodeThatIsDown) {
  plan of = make_test_plan();
  add_fault(of, "blip");
  add_fault(of, "kill");
  of.faults.back().kind = "node_kill";
  history h(of);
  h.everybody_joins();
  h.breaks(1).node_is(1, node_state::stopped);
  h.breaks(0).heals(0);
  const auto healed = h.time();
  const auto m = h.says(0);
  h.gets(0, m).gets(2, m);
  const auto heard = h.time() - healed;
  h.later(seconds(10)).node_is(1, node_state::starting).node_is(1, node_state::ready).heals(1);
  EXPECT_FALSE(h.now().has_recovered());
  h.exchanges(0);
  h.exchanges(1);
  EXPECT_TRUE(h.now().has_recovered());
  EXPECT_LT(h.end().faults.at(0).recovery.at(0), heard);
  EXPECT_EQ(h.end().faults.at(0).recovery.at(1), h.end().faults.at(1).recovery.at(1));
}

TEST(RecoveryChecker, ABoundMissedByAGeneratorThatLagsProvesNothing) {
  history h(one_fault());
  h.everybody_joins();
  h.breaks().heals().later(seconds(20));
  h.exchanges(0);
  h.exchanges(1);
  for (int i = 0; i < 100; ++i) h.lags(std::chrono::milliseconds(500));
  EXPECT_EQ(h.verdict_of("generator"), verdict::inconclusive);
  EXPECT_EQ(h.verdict_of("recovery"), verdict::inconclusive);
  EXPECT_NE(h.detail_of("recovery").find("; but generator: "), std::string::npos)
      << h.detail_of("recovery");
}

TEST(RecoveryChecker, NodesThatShareNoRoomNeedNotHearEachOther) {
  plan of = make_test_plan(2, {{0}, {1}});
  add_fault(of, "crash");
  history h(of);
  h.everybody_joins();
  h.breaks().heals();
  h.exchanges(0, 0);
  h.exchanges(1, 1);
  EXPECT_TRUE(h.now().has_recovered());
}

TEST(RecoveryChecker, IsSkippedWithoutFaults) {
  history h;
  EXPECT_EQ(h.verdict_of("recovery"), verdict::skipped);
  EXPECT_EQ(h.verdict_of("faults"), verdict::skipped);
}

// --- faults

TEST(FaultsChecker, WantsEveryFaultActiveAndHealed) {
  history h(one_fault());
  h.breaks().heals();
  EXPECT_EQ(h.verdict_of("faults"), verdict::pass);
}

TEST(FaultsChecker, IsInconclusiveWhenAFaultNeverBegan) {
  history h(one_fault());
  EXPECT_EQ(h.verdict_of("faults"), verdict::inconclusive);
  EXPECT_EQ(h.detail_of("faults"), "crash never began");
}

TEST(FaultsChecker, IsInconclusiveWhenAFaultWasNotConfirmed) {
  history inactive(one_fault());
  inactive.fault_is(0, fault_state::injecting).fault_is(0, fault_state::failed);
  EXPECT_EQ(inactive.verdict_of("faults"), verdict::inconclusive);
  EXPECT_EQ(inactive.detail_of("faults"), "crash was not seen in effect");

  history unhealed(one_fault());
  unhealed.breaks().fault_is(0, fault_state::healing);
  EXPECT_EQ(unhealed.verdict_of("faults"), verdict::inconclusive);
  EXPECT_EQ(unhealed.detail_of("faults"), "crash was never seen healed");
}

TEST(FaultsChecker, TheEndOfAFailedFaultIsWaitedForAndItsWindowCovers) {
  plan of = one_fault();
  of.promises.delivery = delivery_promise::best_effort_in_outage;
  history h(of);
  h.everybody_joins();
  h.fault_is(0, fault_state::injecting).fault_is(0, fault_state::failed);
  EXPECT_FALSE(h.now().has_recovered());
  h.gets(0, h.says(0));
  h.exchanges(0);
  h.exchanges(1);
  EXPECT_TRUE(h.now().has_recovered());
  EXPECT_EQ(h.findings(), "lost=3");
  EXPECT_EQ(h.verdict_of("delivery"), verdict::pass);
  EXPECT_EQ(h.end().result, verdict::inconclusive);
}

// --- probe

TEST(ProbeChecker, WantsEveryProbeAtEveryClient) {
  history h;
  h.everybody_joins();
  h.phase(phase_kind::probe);
  EXPECT_FALSE(h.now().are_probes_complete());
  const auto a = h.says(0), b = h.says(1);
  h.everybody_gets(a);
  EXPECT_FALSE(h.now().are_probes_complete());
  h.everybody_gets(b);
  EXPECT_TRUE(h.now().are_probes_complete());
  EXPECT_EQ(h.verdict_of("probe"), verdict::pass);
}

TEST(ProbeChecker, IsInconclusiveWithoutProbes) {
  history h;
  h.everybody_joins();
  h.exchanges(0);
  EXPECT_EQ(h.verdict_of("probe"), verdict::inconclusive);
}

TEST(ProbeChecker, NamesADeafNode) {
  history h(three_nodes());
  h.everybody_joins();
  h.phase(phase_kind::probe);
  for (std::size_t c : {0U, 1U, 2U}) {
    const auto m = h.says(c);
    for (std::size_t to : {0U, 1U, 2U}) {
      if (to != 2 || c == 2) h.gets(to, m);  // node 3 hears only itself
    }
  }
  EXPECT_EQ(h.count(finding_kind::stuck), 1U);
  EXPECT_EQ(h.verdict_of("probe"), verdict::fail);
  EXPECT_NE(h.detail_of("probe").find("node-3 is deaf"), std::string::npos) << h.detail_of("probe");
}

TEST(ProbeChecker, NamesAMuteNode) {
  history h(three_nodes());
  h.everybody_joins();
  h.phase(phase_kind::probe);
  for (std::size_t c : {0U, 1U, 2U}) {
    const auto m = h.says(c);
    for (std::size_t to : {0U, 1U, 2U}) {
      if (c != 0 || to == 0) h.gets(to, m);  // only node 1 hears node 1
    }
  }
  EXPECT_EQ(h.count(finding_kind::stuck), 2U);
  EXPECT_NE(h.detail_of("probe").find("node-1 is mute"), std::string::npos) << h.detail_of("probe");
}

TEST(ProbeChecker, AnUnknownProbeMustArriveToo) {
  history h;
  h.everybody_joins();
  h.phase(phase_kind::probe);
  const auto a = h.sends(0), b = h.says(1);
  h.gives_up(a).everybody_gets(b);
  EXPECT_FALSE(h.now().are_probes_complete());
  EXPECT_EQ(h.findings(), "stuck=4") << "not lost, but stuck";
}

TEST(ProbeChecker, ARefusedProbeIsStuck) {
  history h;
  h.everybody_joins();
  h.phase(phase_kind::probe);
  h.refuses(h.sends(0));
  h.exchanges(1);
  EXPECT_EQ(h.findings(), "stuck=1");
  EXPECT_EQ(h.found().at(0).node, node_id(0));
}

TEST(ProbeChecker, ANodeWithoutAnyProbeIsStuck) {
  history h;
  h.everybody_joins();
  h.phase(phase_kind::probe);
  h.exchanges(0);
  EXPECT_EQ(h.findings(), "stuck=1");
  EXPECT_EQ(h.found().at(0).node, node_id(1));
}

TEST(ProbeChecker, AClientThatIsNotBackIsStuck) {
  plan of = make_test_plan();
  of.promises.resume = false;
  history h(of);
  h.everybody_joins();
  h.disconnects(3);
  h.phase(phase_kind::probe);
  for (std::size_t sender : {0U, 1U}) {
    const auto m = h.says(sender);
    h.gets(0, m).gets(1, m).gets(2, m);
  }
  EXPECT_EQ(h.findings(), "stuck=1");
  EXPECT_EQ(h.found().at(0).client, client_id(3));
}

TEST(ProbeChecker, AClientThatIsOnItsWayBackIsWaitedFor) {
  plan of = make_test_plan();
  of.promises.resume = false;
  history h(of);
  h.everybody_joins();
  h.disconnects(3);
  h.phase(phase_kind::probe);
  for (std::size_t sender : {0U, 1U}) {
    const auto m = h.says(sender);
    h.gets(0, m).gets(1, m).gets(2, m);
  }
  EXPECT_FALSE(h.now().are_probes_complete());
  h.connects(3).joins(3);
  EXPECT_TRUE(h.now().are_probes_complete());
  EXPECT_EQ(h.findings(), "");
}

TEST(ProbeChecker, ANodeThatHasNotSentItsProbeYetIsWaitedFor) {
  history h;
  h.everybody_joins();
  h.phase(phase_kind::probe);
  h.exchanges(0);
  EXPECT_FALSE(h.now().are_probes_complete());
  h.exchanges(1);
  EXPECT_TRUE(h.now().are_probes_complete());
}

TEST(ProbeChecker, ANodeThatNobodyIsOnIsNamed) {
  history h;
  h.everybody_joins();
  for (std::size_t c : {1U, 3U}) h.disconnects(c).connects(c, 0).resumes(c);
  h.phase(phase_kind::probe);
  h.exchanges(0);
  EXPECT_EQ(h.findings(), "");
  EXPECT_EQ(h.verdict_of("probe"), verdict::inconclusive);
  EXPECT_EQ(h.detail_of("probe"),
            "nobody sent a probe on node-2 in room-1; nobody was there to hear the others on "
            "node-2 in room-1");
}

TEST(ProbeChecker, ANodeIsMeasuredInEachOfItsRooms) {
  const plan of = make_test_plan(2, {{0, 1}, {0, 1}});
  for (const bool is_complete : {false, true}) {
    history h(of);
    h.everybody_joins();
    h.phase(phase_kind::probe);
    for (std::size_t c : {0U, 1U}) h.exchanges(c, 0);
    h.exchanges(0, 1);
    if (is_complete) h.exchanges(1, 1);
    EXPECT_EQ(h.verdict_of("probe"), is_complete ? verdict::pass : verdict::inconclusive);
    EXPECT_EQ(h.detail_of("probe"), is_complete ? "4 probes reached every client on every node"
                                                : "nobody sent a probe on node-2 in room-2");
  }
}

TEST(ProbeChecker, ADeputyMeasuresBothDirections) {
  for (const std::string broken : {"", "deaf", "mute"}) {
    plan of = make_test_plan();
    const std::size_t deputy = add_deputy(of, 1);
    history h(of);
    h.everybody_joins();
    for (std::size_t c : {1U, 3U}) h.disconnects(c).connects(c, 0).resumes(c);
    h.connects(deputy).joins(deputy);
    h.phase(phase_kind::probe);
    const auto a = h.says(0), b = h.says(deputy);
    h.everybody_gets(a).gets(deputy, b);
    if (broken != "deaf") h.gets(deputy, a);
    if (broken != "mute") h.everybody_gets(b);
    EXPECT_EQ(h.verdict_of("probe"), broken.empty() ? verdict::pass : verdict::fail) << broken;
    EXPECT_EQ(h.count(finding_kind::stuck), broken.empty() ? 0U : broken == "deaf" ? 1U : 4U);
  }
}

TEST(ProbeChecker, ASingleNodeNeedsNobodyElse) {
  history h(make_test_plan(1, {{0}, {0}}));
  h.everybody_joins();
  h.phase(phase_kind::probe);
  h.exchanges(0);
  EXPECT_EQ(h.verdict_of("probe"), verdict::pass) << h.detail_of("probe");
}

TEST(ProbeChecker, LosesWhatItMayWhereBestEffortIsPromised) {
  plan of = make_test_plan();
  of.promises.delivery = delivery_promise::best_effort;
  history h(of);
  h.everybody_joins();
  h.phase(phase_kind::probe);
  const auto a = h.says(0), b = h.says(1);
  h.everybody_gets(a).gets(0, b).gets(1, b).gets(2, b);
  EXPECT_EQ(h.findings(), "lost=1");
  EXPECT_EQ(h.verdict_of("probe"), verdict::pass);
}

// --- nodes, generator, traffic

TEST(NodesChecker, ReportsAnExitThatNobodyPlanned) {
  history h;
  h.node_is(0, node_state::ready)
      .node_is(1, node_state::exited, true)
      .node_is(1, node_state::starting);
  h.node_is(0, node_state::exited, false);
  EXPECT_EQ(h.findings(), "node_exit=1");
  EXPECT_EQ(h.verdict_of("nodes"), verdict::fail);
  EXPECT_NE(h.detail_of("nodes").find("killed by signal 11"), std::string::npos);
}

TEST(GeneratorChecker, IsInconclusiveWhenLateOrLeavingOut) {
  history good;
  for (int i = 0; i < 1000; ++i) good.lags(milliseconds(i < 995 ? 1 : 500));
  EXPECT_EQ(good.verdict_of("generator"), verdict::pass) << good.detail_of("generator");

  history late;
  for (int i = 0; i < 100; ++i) late.lags(milliseconds(i < 95 ? 1 : 200));
  EXPECT_EQ(late.verdict_of("generator"), verdict::inconclusive);

  history leaving_out;
  leaving_out.everybody_joins();
  for (int i = 0; i < 50; ++i) {
    leaving_out.exchanges(0);
    leaving_out.lags(milliseconds(1));
  }
  leaving_out.lags({}, true);
  EXPECT_EQ(leaving_out.verdict_of("generator"), verdict::inconclusive);
  EXPECT_EQ(leaving_out.end().sends_skipped, 1U);
}

// Nobody can send while the target is away: that tells about the target, not about the generator.
TEST(GeneratorChecker, IsNotBlamedForATargetThatIsAway) {
  plan of = make_test_plan();
  add_fault(of, "crash");
  history h(of);
  h.everybody_joins();
  for (int i = 0; i < 50; ++i) {
    h.exchanges(0);
    h.lags(milliseconds(1));
  }
  h.breaks();
  for (int i = 0; i < 10; ++i) h.lags({}, true, skip_reason::away);
  h.heals();
  h.exchanges(0);
  h.exchanges(1);
  EXPECT_EQ(h.verdict_of("generator"), verdict::pass) << h.detail_of("generator");
  EXPECT_NE(h.detail_of("generator").find("10 sends could not be made by anybody"),
            std::string::npos)
      << h.detail_of("generator");
  EXPECT_NE(h.end().observed.find("not observable: 10 sends that nobody could make"),
            std::string::npos)
      << h.end().observed;
}

TEST(TrafficChecker, CountsWhatNobodyCouldSendInAnOutageAlone) {
  plan of = make_test_plan();
  add_fault(of, "crash");
  of.phases = {{"steady", {}, seconds(100)}};
  of.publishing_ends = seconds(100);
  for (const bool is_outage : {true, false}) {
    history h(of);
    h.everybody_joins();
    h.phase(phase_kind::declared, "steady");
    h.exchanges(0);
    if (is_outage) h.breaks();
    const auto planned = terms_of(of).planned_messages;
    for (std::uint64_t i = 1; i < planned; ++i) h.lags({}, true, skip_reason::away);
    if (!is_outage) h.breaks();
    h.exchanges(0);
    h.heals();
    h.ends_well();
    EXPECT_EQ(h.verdict_of("traffic"), is_outage ? verdict::pass : verdict::inconclusive)
        << h.detail_of("traffic");
    if (!is_outage) {
      EXPECT_NE(h.detail_of("traffic").find("no client was connected, though no fault"),
                std::string::npos)
          << h.detail_of("traffic");
    }
  }
}

TEST(TrafficChecker, WantsNoMessagesInASilentPhase) {
  plan of = make_test_plan();
  of.phases = {{"quiet", {}, {}, seconds(0)}, {"steady", {}, {}}};
  history h(of);
  h.everybody_joins();
  h.phase(phase_kind::declared, "quiet").later(seconds(5));
  h.phase(phase_kind::declared, "steady");
  h.exchanges(0);
  h.ends_well();
  EXPECT_EQ(h.verdict_of("traffic"), verdict::pass) << h.detail_of("traffic");
}

// A node that has nobody to hear cannot be seen to recover.
TEST(RecoveryChecker, DoesNotCountSilentPhases) {
  for (const bool is_silent : {true, false}) {
    plan of = make_test_plan();
    add_fault(of, "crash");
    of.phases = {{"steady", {}, {}}, {"quiet", {}, {}}, {"again", {}, {}}};
    if (is_silent) of.phases[1].send_period = seconds(0);
    const auto limit = recovery_limit(terms_of(of));
    history h(of);
    h.everybody_joins();
    h.phase(phase_kind::declared, "steady");
    h.exchanges(0);
    h.breaks().heals();
    h.phase(phase_kind::declared, "quiet").later(limit);
    h.phase(phase_kind::declared, "again").later(seconds(1));
    h.exchanges(0);
    h.exchanges(1);
    h.ends_well();
    EXPECT_EQ(h.verdict_of("recovery"), is_silent ? verdict::pass : verdict::fail)
        << h.detail_of("recovery");
  }
}

TEST(TrafficChecker, WantsMessagesInEveryDeclaredPhase) {
  plan of = make_test_plan();
  of.phases = {{"warmup", {}, {}}, {"steady", {}, {}}};
  history quiet(of);
  quiet.everybody_joins();
  quiet.phase(phase_kind::declared, "warmup");
  quiet.exchanges(0);
  quiet.phase(phase_kind::declared, "steady").phase(phase_kind::recovery);
  EXPECT_EQ(quiet.verdict_of("traffic"), verdict::inconclusive);
  EXPECT_EQ(quiet.detail_of("traffic"), "no message was sent in phase steady");

  history good(of);
  good.everybody_joins();
  for (const char* name : {"warmup", "steady"}) {
    good.phase(phase_kind::declared, name);
    good.exchanges(0);
  }
  EXPECT_EQ(good.verdict_of("traffic"), verdict::pass) << good.detail_of("traffic");
}

TEST(TrafficChecker, WantsAcknowledgedMessagesInEveryDeclaredPhase) {
  plan of = make_test_plan();
  of.phases = {{"warmup", {}, {}}, {"steady", {}, {}}};
  history unknown(of);
  unknown.everybody_joins();
  unknown.phase(phase_kind::declared, "warmup");
  unknown.exchanges(0);
  unknown.phase(phase_kind::declared, "steady");
  const auto m = unknown.sends(0);
  unknown.gives_up(m);
  unknown.phase(phase_kind::recovery);
  unknown.exchanges(0);
  EXPECT_EQ(unknown.verdict_of("traffic"), verdict::inconclusive);
  EXPECT_EQ(unknown.detail_of("traffic"),
            "no message of phase steady was acknowledged and owed to anybody");

  history held_up(of);
  held_up.everybody_joins();
  held_up.phase(phase_kind::declared, "warmup");
  held_up.exchanges(0);
  held_up.phase(phase_kind::declared, "steady");
  const auto slow = held_up.sends(0);
  held_up.phase(phase_kind::recovery).acknowledges(slow).everybody_gets(slow);
  EXPECT_EQ(held_up.verdict_of("traffic"), verdict::pass) << held_up.detail_of("traffic");
}

TEST(TrafficChecker, WantsSomebodyToDeliverTo) {
  plan of = make_test_plan();
  of.phases = {{"steady", {}, {}}};
  history h(of);
  h.phase(phase_kind::declared, "steady");
  h.says(0);
  EXPECT_EQ(h.verdict_of("traffic"), verdict::inconclusive);
}

TEST(TrafficChecker, WantsWhatThePlanAskedFor) {
  plan of = make_test_plan();
  of.phases = {{"steady", {}, seconds(10)}};
  of.publishing_ends = seconds(10);
  history h(of);
  h.everybody_joins();
  h.phase(phase_kind::declared, "steady");
  h.exchanges(0);
  EXPECT_EQ(h.verdict_of("traffic"), verdict::inconclusive);
  EXPECT_EQ(h.detail_of("traffic"), "only 1 of 1000 planned messages were sent");

  // The schedule starts a moment after the phase: what it sends by then it does not owe twice.
  history shifted(of);
  shifted.everybody_joins();
  shifted.phase(phase_kind::declared, "steady");
  for (int i = 0; i < 1000; ++i) {
    const auto m = message_id{client_id(0), room_id(0), static_cast<std::uint32_t>(i + 1)};
    const run_time intended = milliseconds(500 + 10 * i);
    shifted.now().on(send_invoked{intended, m, node_id(0), intended});
    shifted.acknowledges(m).everybody_gets(m);
  }
  EXPECT_EQ(shifted.verdict_of("traffic"), verdict::pass) << shifted.detail_of("traffic");

  history cut(of);
  cut.everybody_joins();
  cut.phase(phase_kind::declared, "steady");
  cut.exchanges(0);
  cut.end(true);
  EXPECT_EQ(cut.verdict_of("traffic"), verdict::pass);
}

TEST(TrafficChecker, OwesNothingToDeputiesThatDidNotComeAndToWhomAnOutageCutOff) {
  for (const bool is_outage : {true, false}) {
    plan of = one_fault();
    of.target.protocol.resume = resume_kind::none;
    add_deputy(of, 1);
    of.phases = {{"steady", {}, {}}};
    history h(of);
    h.everybody_joins();
    h.phase(phase_kind::declared, "steady");
    for (int i = 0; i < 10; ++i) h.exchanges(0);
    std::vector<message_id> queued;  // when the outage begins; answered when it is over
    for (int i = 0; is_outage && i < 10; ++i) queued.push_back(h.sends(0));
    if (is_outage) h.breaks();
    h.disconnects(3);
    if (!is_outage) h.breaks();
    h.heals();
    for (const std::size_t sender : {0U, 1U}) {
      const auto m = h.says(sender);
      h.gets(0, m).gets(1, m).gets(2, m);
    }
    for (const message_id& m : queued) h.acknowledges(m).gets(0, m).gets(1, m).gets(2, m);
    for (int i = 0; i < 10; ++i) {
      const auto m = h.says(0);  // all have recovered, and client 3 is on its way back
      h.gets(0, m).gets(1, m).gets(2, m);
    }
    std::vector<message_id> under_way;  // when it comes back
    for (int i = 0; i < 10; ++i) under_way.push_back(h.sends(0));
    h.connects(3).joins(3);
    for (const message_id& m : under_way) h.acknowledges(m).gets(0, m).gets(1, m).gets(2, m);
    for (int i = 0; i < 10; ++i) h.exchanges(0);
    h.ends_well();
    EXPECT_EQ(h.verdict_of("traffic"), is_outage ? verdict::pass : verdict::inconclusive)
        << h.detail_of("traffic");
  }
}

// --- expectations

expectation expect_at_most(const std::string& metric, double max) {
  expectation row;
  row.metric = metric;
  row.max = max;
  return row;
}

TEST(Expectations, AreCheckedOneByOne) {
  plan of = one_fault();
  of.phases = {{"steady", {}, {}}};
  of.scenario.expectations = {
      expect_at_most("recovery_time", 0.001), expect_at_most("recovery_time", 15),
      expect_at_most("delivery_latency", 5),  expect_at_most("lost", 0),
      expect_at_most("recovery_time", 15),    expect_at_most("delivery_latency", 5)};
  of.scenario.expectations[4].fault = "another";
  of.scenario.expectations[5].when = "steady";
  history h(of);
  h.everybody_joins();
  h.breaks().heals();
  h.exchanges(0);
  h.exchanges(1);
  EXPECT_EQ(h.verdict_of("expect[0]"), verdict::fail) << h.detail_of("expect[0]");
  EXPECT_EQ(h.verdict_of("expect[1]"), verdict::pass);
  EXPECT_EQ(h.verdict_of("expect[2]"), verdict::pass);
  EXPECT_EQ(h.verdict_of("expect[3]"), verdict::pass);
  EXPECT_EQ(h.verdict_of("expect[4]"), verdict::inconclusive) << "no sample";
  EXPECT_EQ(h.verdict_of("expect[5]"), verdict::inconclusive) << "the phase was never on";
}

TEST(Expectations, KnowMinimaAndQuantiles) {
  plan of = make_test_plan();
  expectation row;
  row.metric = "delivery_latency";
  row.stat = expected_stat::p50;
  row.min = 1.0;
  of.scenario.expectations = {row};
  history h(of);
  h.everybody_joins();
  h.exchanges(0);
  EXPECT_EQ(h.verdict_of("expect[0]"), verdict::fail) << h.detail_of("expect[0]");
}

// --- the verdict

plan whole_run() {
  plan of = one_fault();
  of.phases = {{"steady", {}, {}}};
  return of;
}

void play(history& h) {
  h.everybody_joins();
  h.phase(phase_kind::declared, "steady");
  h.exchanges(0);
  h.breaks();
  h.exchanges(1);
  h.heals();
  h.exchanges(0);
  h.exchanges(1);
  h.ends_well();
}

TEST(Judge, PassesACleanRun) {
  history h(whole_run());
  play(h);
  EXPECT_EQ(h.end().result, verdict::pass) << h.end().why;
  EXPECT_EQ(h.end().why, "");
  EXPECT_EQ(h.findings(), "");
  EXPECT_EQ(h.end().counts.deliveries, 24U);
  EXPECT_EQ(h.end().latency.count, 24U);
  ASSERT_TRUE(h.end().latency.steady_p99_ms);
}

TEST(Judge, MakesEveryCheckThatIsExplained) {
  history h(whole_run());
  play(h);
  std::vector<std::string_view> made, explained;
  for (const check_result& each : h.end().checks) made.push_back(each.id);
  for (const glossary_entry& each : check_entries()) explained.push_back(each.name);
  EXPECT_THAT(made, testing::UnorderedElementsAreArray(explained));
}

TEST(Judge, ARunThatWasCutShortIsNeverGreen) {
  history h(whole_run());
  play(h);
  EXPECT_EQ(h.end(true).result, verdict::inconclusive);

  history broken(whole_run());
  broken.everybody_joins();
  broken.says(0);
  EXPECT_EQ(broken.end(true).result, verdict::fail);
  EXPECT_EQ(broken.verdict_of("faults"), verdict::inconclusive);
}

TEST(Judge, AProofIsNotMaskedByAnInconclusiveCheck) {
  history h;
  h.everybody_joins();
  h.says(0);
  EXPECT_EQ(h.verdict_of("generator"), verdict::inconclusive);
  EXPECT_EQ(h.end().result, verdict::fail);
  EXPECT_EQ(h.end().why.substr(0, 9), "delivery:");
}

TEST(Judge, CountsEverythingButPassesOnAThousandOfAKindAndKeepsThree) {
  history h;
  h.everybody_joins();
  const auto m = h.exchanges(0);
  for (int i = 0; i < 1500; ++i) h.gets(1, m);
  EXPECT_EQ(h.count(finding_kind::duplicate), 1500U);
  EXPECT_EQ(h.found().size(), 1000U);
  EXPECT_EQ(h.end().examples.size(), 3U);
}

TEST(Judge, ProgressShowsWhatIsMissingNow) {
  history h;
  h.everybody_joins();
  const auto m = h.says(0);
  h.gets(0, m);
  EXPECT_EQ(h.now().current().missing, 3U);
  EXPECT_EQ(h.now().current().counts.sent, 1U);
  h.gets(1, m).gets(2, m).gets(3, m);
  EXPECT_EQ(h.now().current().missing, 0U);
  EXPECT_EQ(h.now().current().latency.count, 4U);
}

TEST(Judge, AFaultOutsideThePlanBreaksTheBooksNotTheProgram) {
  history h;
  h.everybody_joins();
  h.fault_is(3, fault_state::injecting);
  EXPECT_EQ(h.end().result, verdict::inconclusive);
}

}  // namespace
}  // namespace ordeal::harness
