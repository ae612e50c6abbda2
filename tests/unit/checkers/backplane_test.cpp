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
