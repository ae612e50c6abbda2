// The faults of a managed Redis; each in its own file.
#pragma once

#include "fault-injection/fault.h"

namespace ordeal::fault {

fault_kind redis_kill_kind();
fault_kind redis_stop_kind();
fault_kind redis_pause_kind();
fault_kind redis_password_kind();

// What every one of them says when the scenario's Redis is external.
step_result no_managed_redis();

}  // namespace ordeal::fault
