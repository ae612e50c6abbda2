// summary.json, version 1 (docs/results.md).
#pragma once

#include <string>

#include "reports/record.h"

namespace ordeal::report {

// One JSON object, pretty-printed one member a line at the top level, with a final newline.
std::string render_summary_json(const run_record& record);

}  // namespace ordeal::report
