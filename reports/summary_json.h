// summary.json, version 1: the record for programs. Keys are only ever added within a version
// (docs/results.md).
#pragma once

#include <string>

#include "reports/record.h"

namespace ordeal::report {

std::string summary_json(const run_record& run);

}  // namespace ordeal::report
