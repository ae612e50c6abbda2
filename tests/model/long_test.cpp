// The replicated log under the model: wider bounds, and fifty times the walks.
#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>

#include "tests/model/explore.h"
#include "tests/model/scopes.h"

namespace ordeal::chat::model {
namespace {

TEST(LogModelLong, HoldsInEveryOrderWithinTheBounds) {
  for (const scope& each : long_scopes()) {
    const exploration done = explore(each);
    std::cout << each.name << " (" << each.options.bounds.text() << "): " << done.text()
              << std::endl;
    EXPECT_EQ(done.found.text(), "") << each.name;
  }
}

TEST(LogModelLong, HoldsInRandomWalks) {
  const char* const chosen = std::getenv("ORDEAL_MODEL_SEED");
  const std::uint64_t seed = chosen != nullptr ? std::strtoull(chosen, nullptr, 10) : 1'000'000;
  walk_tally tally;
  const counterexample found = walk_many(seed, all_faults(), 10'000'000, tally);
  std::cout << "from seed " << seed << ": " << tally.text() << "\n";
  EXPECT_EQ(found.text(), "");
}

}  // namespace
}  // namespace ordeal::chat::model
