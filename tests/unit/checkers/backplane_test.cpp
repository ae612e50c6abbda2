// Who uses the Redis under test, and whom a fault can touch.
#include <gtest/gtest.h>

#include "tests/unit/checkers/history_builder.h"

namespace ordeal::harness {
namespace {

plan one_fault() {
  plan of = make_test_plan();
  add_fault(of, "crash");
  return of;
}

void sees(history& h, std::size_t node, std::uint64_t bytes) {
  h.now().on(backplane_seen{h.time(), node_id(node), bytes > 0 ? 2U : 0U, bytes});
}

void goes_well(history& h) {
  h.exchanges(0);
  h.breaks().heals();
  h.exchanges(0);
  h.exchanges(1);
  h.ends_well();
}

TEST(BackplaneChecker, PassesWhenEveryNodeUsesIt) {
  history h(one_fault());
  h.everybody_joins();
  sees(h, 0, 100);
  sees(h, 1, 1);
  goes_well(h);
  EXPECT_EQ(h.verdict_of("backplane"), verdict::pass);
  EXPECT_EQ(h.detail_of("backplane"), "all 2 nodes use the Redis under test");
}

TEST(BackplaneChecker, ANodeThatIsElsewhereProvesNothing) {
  history h(one_fault());
  h.everybody_joins();
  sees(h, 0, 100);
  sees(h, 1, 0);
  goes_well(h);
  sees(h, 1, 100);
  EXPECT_EQ(h.verdict_of("backplane"), verdict::inconclusive);
  EXPECT_TRUE(
      h.detail_of("backplane")
          .starts_with("node-2 sent nothing to the Redis under test before the first fault; "));
  EXPECT_EQ(h.end().result, verdict::inconclusive);
}

TEST(BackplaneChecker, AFaultThatTouchesNobodyProvesNothing) {
  history h(one_fault());
  h.everybody_joins();
  sees(h, 0, 0);
  sees(h, 1, 0);
  goes_well(h);
  EXPECT_EQ(h.verdict_of("backplane"), verdict::inconclusive);
  EXPECT_TRUE(h.detail_of("backplane")
                  .starts_with("nothing ever went through Redis; crash touched nobody; "))
      << h.detail_of("backplane");
  EXPECT_EQ(h.end().why, "backplane: " + h.detail_of("backplane"));
}

// By kind and victims: the nodes touched, when node 3 of three is wired to another Redis.
TEST(BackplaneChecker, EachFaultSaysWhomItCouldTouch) {
  struct expected {
    const char* kind;
    std::vector<std::size_t> victims;
    std::vector<node_id> touched;
  };
  const node_id one{0}, two{1}, three{2};
  const std::vector<expected> rows = {
      {"redis_kill", {}, {one, two}}, {"link_reset", {}, {one, two}},
      {"link_reset", {1, 2}, {two}},  {"link_reset", {2}, {}},
      {"node_kill", {2}, {three}},    {"node_kill", {}, {one, two, three}},
  };
  plan of = make_test_plan(3, {{0}, {0}, {0}});
  for (std::size_t f = 0; f < rows.size(); ++f) {
    add_fault(of, "fault-" + std::to_string(f));
    of.faults.back().kind = rows[f].kind;
    of.faults.back().nodes = rows[f].victims;
  }
  add_fault(of, "never");
  history h(of);
  h.everybody_joins();
  sees(h, 0, 100);
  sees(h, 1, 100);
  sees(h, 2, 0);
  for (std::size_t f = 0; f < rows.size(); ++f) h.breaks(f).heals(f);
  for (std::size_t f = 0; f < rows.size(); ++f)
    EXPECT_EQ(h.end().faults.at(f).touched, rows[f].touched) << f << ": " << rows[f].kind;
  EXPECT_EQ(h.end().faults.back().touched, std::nullopt);
}

TEST(BackplaneChecker, AHistoryWithoutLinksIsTakenAtItsWord) {
  for (const bool has_backplane : {true, false}) {
    plan of = one_fault();
    of.target.has_backplane = has_backplane;
    history h(of);
    h.everybody_joins();
    h.breaks().heals();
    const std::vector<node_id> all = {node_id{0}, node_id{1}};
    EXPECT_EQ(h.end().faults.at(0).touched, has_backplane ? all : std::vector<node_id>());
  }
}

TEST(BackplaneChecker, WhatIsLostWithoutOneStaysLost) {
  for (const bool is_declared : {false, true}) {
    plan of = make_test_plan();
    of.target.has_backplane = !is_declared;
    history h(std::move(of));
    h.everybody_joins();
    sees(h, 0, 0);
    sees(h, 1, 0);
    const message_id lost = h.says(0);
    h.gets(0, lost).gets(2, lost);
    h.later(std::chrono::seconds(60)).ends_well();
    EXPECT_EQ(h.end().result, verdict::fail);
    EXPECT_TRUE(h.end().why.starts_with("nothing ever went through Redis; delivery: "))
        << h.end().why;
  }
}

TEST(BackplaneChecker, KnowsNothingOfOlderHistoriesAndAsksNothingOfASingleNode) {
  history old(one_fault());
  old.everybody_joins();
  goes_well(old);
  EXPECT_EQ(old.verdict_of("backplane"), verdict::skipped);

  plan of = make_test_plan(1, {{0}, {0}});
  of.target.has_backplane = false;
  history alone(std::move(of));
  alone.everybody_joins();
  sees(alone, 0, 0);
  alone.exchanges(0);
  alone.ends_well();
  EXPECT_EQ(alone.verdict_of("backplane"), verdict::skipped);
  EXPECT_EQ(alone.detail_of("backplane"), "the target declares none");
}

}  // namespace
}  // namespace ordeal::harness
