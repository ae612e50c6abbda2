// The record of a run out of its plan and outcome: what all reports are written from.
#pragma once

#include "harness/run/engine.h"
#include "harness/run/run.h"
#include "reports/record.h"

namespace ordeal::harness {

report::run_record record_of(const plan& what, const run_outcome& outcome,
                             const results_directory& results, std::string redis,
                             std::string replay);

// How the command ends after this run.
exit_code exit_code_of(const run_outcome& outcome);

}  // namespace ordeal::harness
