// summary.md: the run on one page, for a CI step summary. Stays far below the size at which GitHub
// drops it.
#pragma once

#include <string>

#include "reports/record.h"

namespace ordeal::report {

std::string summary_md(const run_record& run);

}  // namespace ordeal::report
