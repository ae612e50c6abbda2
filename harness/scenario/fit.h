// What a scenario asks for and this target cannot give. Pure.
#pragma once

#include <vector>

#include "harness/scenario/scenario.h"
#include "harness/target/target.h"

namespace ordeal::harness {

// Places are the scenario's.
std::vector<diagnostic> misfits(const scenario& what, const target& with);

}  // namespace ordeal::harness
