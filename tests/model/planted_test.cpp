// Goal: the model finds what a log without one of its precautions does wrong. Each bug is planted in the model of
// Redis, in what the world hands on, or in a node's patience; random walks must find it.
#include <gtest/gtest.h>

#include <iostream>

#include "tests/model/walk.h"

namespace ordeal::chat::model {
namespace {

constexpr std::uint64_t steps_max = 400'000;

// The same without the bug.
world_options mended(world_options options) {
  const world_options whole = all_faults();
  options.bugs = whole.bugs;
  options.redis.appends_unchecked = options.redis.commits_unchecked = false;
  options.redis.believes_seqs = false;
  options.machine.silent_beats_max = whole.machine.silent_beats_max;
  options.machine.member_beats_max = whole.machine.member_beats_max;
  options.machine.boot_looks = whole.machine.boot_looks;
  options.machine.grace_looks = whole.machine.grace_looks;
  return options;
}

// What walks find counts when the same steps without the bug find nothing.
void expect_found(const char* what, const world_options& options,
                  const planted_bugs& also_without = {}) {
  walk_tally tally;
  for (std::uint64_t seed = 1; tally.steps < steps_max; ++seed) {
    counterexample found = walk(seed, options, steps_max, tally);
    if (found.violation.empty()) continue;
    found = shrink(std::move(found));
    world_options whole = mended(found.options);
    whole.bugs = also_without;
    if (!replay(found.steps, whole).violation().empty()) continue;
    std::cout << what << ", seed " << seed << ": " << found.violation << "\n  after "
              << found.steps.size() << " steps; " << tally.text() << "\n";
    return;
  }
  ADD_FAILURE() << what << " was not found in " << tally.text();
}

TEST(PlantedInTheLog, AppendWithoutTheIncarnationAndStateCheck) {
  world_options options = all_faults();
  options.redis.appends_unchecked = true;
  expect_found("append unchecked", options);
}

TEST(PlantedInTheLog, OutboxClearedWhenSeen) {
  world_options options = all_faults();
  options.machine.silent_beats_max = 0;
  options.machine.member_beats_max = 0;
  // A node's own replay buffer holds what it has seen, as well: the outbox matters beyond its end.
  options.machine.replay_entries = 3;
  expect_found("outbox cleared when seen", options);
}

TEST(PlantedInTheLog, CommitWithoutOwnerAndRound) {
  world_options options = all_faults();
  options.redis.commits_unchecked = true;
  expect_found("commit unchecked", options);
}

TEST(PlantedInTheLog, WatermarksOfALostBranch) {
  world_options options = all_faults();
  // A node does not believe what marks that are too high say: the second line behind these.
  options.bounds = options.bounds.with(limit::miscounts, 0);
  options.bugs.believes_repeats = true;
  const planted_bugs believing = options.bugs;
  options.bugs.merges_lost_marks = true;
  expect_found("marks of a lost branch", options, believing);
}

TEST(PlantedInTheLog, RepetitionsThatAreBelieved) {
  world_options options = all_faults();
  options.bugs.believes_repeats = true;
  expect_found("repetitions believed", options);
}

TEST(PlantedInTheLog, AppendBehindOneThatIsNotAnswered) {
  world_options options = all_faults();
  options.redis.believes_seqs = true;
  expect_found("appends behind each other, without a proof", options);
}

TEST(PlantedInTheLog, JoinerThatCreatesALogAtOnce) {
  world_options options = all_faults();
  options.machine.boot_looks = 0;
  options.machine.grace_looks = 0;
  expect_found("a joiner creates at once", options);
}

TEST(PlantedInTheLog, EpochThatIsNotUnique) {
  world_options options = all_faults();
  options.bugs.repeats_epochs = true;
  expect_found("an epoch twice", options);
}

}  // namespace
}  // namespace ordeal::chat::model
