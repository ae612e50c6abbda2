// Ordeal's own open files and sockets: a client is one, a connection of a node to Redis two.
#pragma once

#include <cstdint>
#include <string>

#include "harness/scenario/scenario.h"

namespace ordeal::harness {

// What a run cannot do with less of: its clients, the links and what the program itself holds open.
// A node that opens many connections to Redis needs more.
std::uint64_t descriptors_needed(const scenario& what);

// Raises this process' limit as far as it may be raised. What to do when it is still below `needed`;
// empty when it is enough.
std::string provide_descriptors(std::uint64_t needed);

// The sentence of provide_descriptors().
std::string describe_shortage(std::uint64_t needed, std::uint64_t allowed);

// What to do when this process has used up its descriptors, so that nobody looks for the fault at
// the nodes; empty while there are some left.
std::string why_out_of_descriptors();

}  // namespace ordeal::harness
