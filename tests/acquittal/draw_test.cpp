// Whatever the seed, the scenario is one that Ordeal takes and that a correct node survives.
#include "tests/acquittal/draw.h"

#include <gtest/gtest.h>

#include <set>

#include "fault-injection/fault.h"
#include "harness/scenario/problem_list.h"
#include "harness/scenario/scenario_loader.h"

namespace ordeal::acquittal {
namespace {

constexpr std::uint64_t seed_count = 2'000;

TEST(Draw, EverySeedGivesAValidScenario) {
  harness::scenario_inputs inputs;
  inputs.known_targets = {"reference"};
  for (std::uint64_t seed = 0; seed < seed_count; ++seed) {
    const drawn_scenario drawn = draw(seed);
    const std::string text = to_yaml(drawn, "reference");
    const auto loaded = harness::parse_scenario(text, "drawn.yaml", fault::kinds(), inputs);
    ASSERT_TRUE(loaded.value) << harness::render_all(loaded.problems, text) << text;
    EXPECT_EQ(loaded.value->faults.size(), drawn.faults.size());
    EXPECT_EQ(loaded.value->load.rooms, drawn.rooms);
  }
}

TEST(Draw, SameSeedDrawsTheSame) {
  EXPECT_EQ(to_yaml(draw(7), "reference"), to_yaml(draw(7), "reference"));
  EXPECT_NE(to_yaml(draw(7), "reference"), to_yaml(draw(8), "reference"));
}

std::set<std::string> known_kinds() {
  std::set<std::string> known;
  for (const fault::fault_kind& each : fault::kinds()) known.insert(each.name);
  return known;
}

TEST(Draw, ShortFormMeetsEveryFault) {
  std::set<std::string> kinds;
  for (std::uint64_t i = 0; i < ORDEAL_ACQUITTAL_SHORT_RUNS; ++i) {
    for (const drawn_fault& each : draw(ORDEAL_ACQUITTAL_SHORT_SEED + i).faults)
      kinds.insert(each.kind);
  }
  EXPECT_EQ(kinds, known_kinds()) << "choose another seed in tests/acquittal/CMakeLists.txt";
}

TEST(Draw, MeetsEveryFaultAndOverlapsSome) {
  std::set<std::string> kinds;
  std::size_t overlaps = 0, quiet = 0;
  for (std::uint64_t seed = 0; seed < seed_count; ++seed) {
    const drawn_scenario drawn = draw(seed);
    quiet += drawn.faults.empty();
    for (std::size_t i = 0; i < drawn.faults.size(); ++i) {
      kinds.insert(drawn.faults[i].kind);
      for (std::size_t j = 0; j < i; ++j)
        overlaps += is_overlapping(drawn.faults[i], drawn.faults[j]);
    }
  }
  EXPECT_EQ(kinds, known_kinds())
      << "a fault that no run meets: draw it, or say here why a correct node "
         "need not survive it";
  EXPECT_GT(overlaps, seed_count / 10);
  EXPECT_GT(quiet, 0U);
}

TEST(Draw, FaultsThatWouldHideEachOtherDoNotMeet) {
  for (std::uint64_t seed = 0; seed < seed_count; ++seed) {
    const drawn_scenario drawn = draw(seed);
    for (const drawn_fault& one : drawn.faults) {
      for (const drawn_fault& other : drawn.faults) {
        if (&one == &other || !is_overlapping(one, other)) continue;
        EXPECT_TRUE(may_overlap(one, other)) << to_yaml(drawn, "reference");
      }
    }
  }
}

TEST(Draw, TwoFaultsOfOnePlaceMayMeetOnDifferentNodesOnly) {
  drawn_fault cut, kill;
  cut.kind = "link_blackhole";
  cut.where = place::link;
  cut.node = 1;
  drawn_fault other_cut = cut;
  EXPECT_FALSE(may_overlap(cut, other_cut));
  other_cut.node = 2;
  EXPECT_TRUE(may_overlap(cut, other_cut));
  other_cut.node.reset();
  EXPECT_FALSE(may_overlap(cut, other_cut));
  kill.kind = "redis_kill";
  kill.where = place::redis;
  EXPECT_FALSE(may_overlap(kill, kill));
  EXPECT_TRUE(may_overlap(kill, cut));
  cut.kind = "link_latency";
  EXPECT_FALSE(may_overlap(kill, cut));
}

}  // namespace
}  // namespace ordeal::acquittal
