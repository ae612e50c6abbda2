// The replicated log under the model: what every change has to pass.
#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>

#include "tests/model/explore.h"
#include "tests/model/scopes.h"

namespace ordeal::chat::model {
namespace {

TEST(LogModel, HoldsInEveryOrderWithinTheBounds) {
  for (const scope& each : short_scopes()) {
    const exploration done = explore(each);
    std::cout << each.name << " (" << each.options.bounds.text() << "): " << done.text() << "\n";
    EXPECT_EQ(done.found.text(), "") << each.name;
  }
}

// ORDEAL_MODEL_SEED walks another way; a finding prints the seed that shows it again.
TEST(LogModel, HoldsInRandomWalks) {
  const char* const chosen = std::getenv("ORDEAL_MODEL_SEED");
  const std::uint64_t seed = chosen != nullptr ? std::strtoull(chosen, nullptr, 10) : 1;
  walk_tally tally;
  const counterexample found = walk_many(seed, all_faults(), 200'000, tally);
  std::cout << "from seed " << seed << ": " << tally.text() << "\n";
  EXPECT_EQ(found.text(), "");
}

}  // namespace
}  // namespace ordeal::chat::model
