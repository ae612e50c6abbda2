// Every order of steps within a bound, breadth first, so that a violation comes with a shortest trace.
#pragma once

#include <cstdint>
#include <string>

#include "tests/model/walk.h"

namespace ordeal::chat::model {

struct scope {
  std::string name;
  world_options options;
  // Before the exploration, as far as it goes without a choice; e.g. settle.
  trace prologue;
  int depth_max = 40;
  std::size_t states_max = 1'000'000;
  bool settles = true;  // from every state, on a copy
};

struct exploration {
  std::uint64_t states = 0, transitions = 0;
  int depth = 0;             // of the last level that was begun
  bool is_complete = false;  // nothing new was left within the bound
  counterexample found;
  std::string text() const;
};

exploration explore(const scope& what);

}  // namespace ordeal::chat::model
