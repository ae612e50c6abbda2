// The faults of a node's process; each in its own file.
#pragma once

#include "fault-injection/fault.h"

namespace ordeal::fault {

fault_kind node_kill_kind();
fault_kind node_pause_kind();

}  // namespace ordeal::fault
