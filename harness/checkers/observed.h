// The strongest contract that a history satisfies: what was observed, beside what was promised. It says nothing about
// what the history had no occasion to show, and names that.
#pragma once

#include <string>

#include "harness/checkers/checkers.h"

namespace ordeal::harness {

// In the words of a target file: "delivery every_message, order total, duplicates none, ack appended, recovery 1.1s".
// Empty when there was nothing to observe.
std::string describe_observed(const bench& at);

}  // namespace ordeal::harness
