// The record of a run: what all reports are written from, and how the command ends. The same for a run that has just
// ended and for a stored one that is judged again; what is judged comes from the terms and the judgement alone. Pure
// functions.
#pragma once

#include <optional>
#include <string>

#include "harness/checkers/judge.h"
#include "harness/run/run.h"
#include "harness/scenario/terms.h"
#include "reports/record.h"

namespace ordeal::harness {

// What is known of a run beside its history.
struct run_facts {
  std::string run_id, directory, redis, replay, started_at;
  std::optional<double> server_cpu_us, fleet_cpu_us;  // a delivery
};

// Without a judgement the run never got as far as load; `end.problem` says why.
report::run_record record_of(const terms& what, const std::optional<judgement>& judged,
                             const ending& end, const run_facts& facts);

exit_code exit_code_of(const std::optional<judgement>& judged, const ending& end);

// How a finding reads in reports: names instead of numbers.
report::finding_row row_of(const finding& what, const terms& in);

}  // namespace ordeal::harness
