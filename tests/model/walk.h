// Random walks: far beyond what can be explored completely, with all faults, several recoveries
// each. A walk is made of its seed alone. And what serves every counterexample: running a trace
// again, and making it short.
#pragma once

#include <cstdint>
#include <string>

#include "tests/model/world.h"

namespace ordeal::chat::model {

struct walk_tally {
  std::uint64_t walks = 0, steps = 0, recoveries = 0, forks = 0, rests = 0;
  std::string text() const;
};

struct counterexample {
  std::string violation;  // empty: none
  trace steps;
  world_options options;
  std::string text() const;  // with what Redis was told, and why
};

// Everything may happen, but for what is known not to hold yet: each exception says why.
world_options all_faults();
// What may happen in the walk of `seed`; the bugs are those of `base`.
world_options walk_options(std::uint64_t seed, const world_options& base);
// Up to `steps_max` steps; a violation comes with its trace as it was walked.
counterexample walk(std::uint64_t seed, const world_options& base, std::uint64_t steps_max,
                    walk_tally& tally);
// Walks of consecutive seeds until `steps` are done or one finds something; that one is shrunk.
counterexample walk_many(std::uint64_t first_seed, const world_options& base, std::uint64_t steps,
                         walk_tally& tally);

// Steps that are not possible are left out.
world replay(const trace& steps, const world_options& options, std::string* narration = nullptr);
// The same kind of violation with as few steps as removing can make it.
counterexample shrink(counterexample found);

}  // namespace ordeal::chat::model
