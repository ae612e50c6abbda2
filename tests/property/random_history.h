// Random histories that a run could have written: clients that join, leave, resume, move to another
// node and lose their connection; messages with every outcome; faults and their windows; and a
// target that loses, repeats, reorders, damages, invents and misdirects what it delivers - each
// only in some histories, so that most kinds of findings are absent from most of them.
#pragma once

#include <cstdint>

#include "tests/property/recorded.h"

namespace ordeal::harness {

// The same for the same seed on every machine.
recorded make_random_history(std::uint64_t seed);

}  // namespace ordeal::harness
