// The faults that act on links. Each is one file; the registry of kinds lists them.
#pragma once

#include "fault-injection/fault.h"

namespace ordeal::fault {

fault_kind link_bandwidth_kind();
fault_kind link_blackhole_kind();
fault_kind link_latency_kind();
fault_kind link_refuse_kind();
fault_kind link_reset_kind();

}  // namespace ordeal::fault
