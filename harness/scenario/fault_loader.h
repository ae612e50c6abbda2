// The `faults` list: kinds, their parameters and their place in the timeline, checked against the
// fault registry.
#pragma once

#include <vector>

#include "fault-injection/fault.h"
#include "harness/scenario/checked_document.h"
#include "harness/scenario/scenario.h"

namespace ordeal::harness {

// `phases` are the scenario's, `nodes` their count. What is wrong goes to `problems`.
std::vector<fault_recipe> load_faults(const checked_value& list,
                                      const std::vector<phase_recipe>& phases, std::size_t nodes,
                                      const std::vector<fault::fault_kind>& kinds,
                                      problem_list& problems);

}  // namespace ordeal::harness
