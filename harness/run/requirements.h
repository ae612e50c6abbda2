// What a scenario needs before it may start: permission, and means.
#pragma once

#include <optional>
#include <string>

#include "harness/scenario/scenario.h"
#include "harness/target/target.h"

namespace ordeal::harness {

// Why the safety guard refuses the scenario: a fault would harm what it was not allowed to. nullopt: it may run.
std::optional<std::string> why_refused(const scenario& what);

// What this machine, or this version, lacks for it. nullopt: nothing.
std::optional<std::string> why_skipped(const scenario& what, const target& with);

}  // namespace ordeal::harness
