// Where was a lost message lost? From what the taps on the links saw and who else got it, as a sentence:
//
//   accepted by its node ─▶ sent to Redis ─▶ accepted by Redis ─▶ sent to the client's node ─▶ received there
//
// A tap that never saw a message on its link proves nothing by its silence (payloads may be packed or encrypted).
#pragma once

#include <string>

#include "harness/checkers/ledger.h"

namespace ordeal::harness {

// Empty when nothing is known.
std::string describe_hop(const ledger& book, const open_message& message, client_id client,
                         node_id node);

}  // namespace ordeal::harness
