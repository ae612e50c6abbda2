// The judge against the oracle on one history, and what is left of a history on which they disagree.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "tests/property/recorded.h"

namespace ordeal::harness {

// One line for each thing on which they disagree, beginning with its name ("lost: ..."); empty: they agree. The judge
// gets `seen`, the oracle `happened`; only tests of the comparison itself give them different ones.
std::vector<std::string> disagreements(const recorded& seen, const recorded& happened);
inline std::vector<std::string> disagreements(const recorded& of) {
  return disagreements(of, of);
}

// The same in the middle of a run: is anything still open?
std::vector<std::string> disagreements_so_far(const recorded& of);

// Takes away events as long as `is_interesting` stays true (delta debugging).
recorded minimised(recorded from, const std::function<bool(const recorded&)>& is_interesting);

}  // namespace ordeal::harness
