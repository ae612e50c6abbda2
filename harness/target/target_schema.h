// The rows of target files.
#pragma once

#include "harness/scenario/schema_table.h"

namespace ordeal::harness {

schema target_schema();

}  // namespace ordeal::harness
