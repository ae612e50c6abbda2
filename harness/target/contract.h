// The words of contracts, for people; the types are in target.h.
#pragma once

#include <string>

#include "harness/target/target.h"

namespace ordeal::harness {

// "delivery every_message, order total, duplicates none, ack appended, resume true, recovery 15s"
std::string describe(const contract& promises);

}  // namespace ordeal::harness
