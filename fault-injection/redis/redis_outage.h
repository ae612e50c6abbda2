// Redis is down for a while: its process ends by a signal and is started again with the same data.
// Carries redis_kill and redis_stop, which differ in the signal. Control thread.
#pragma once

#include <chrono>
#include <memory>

#include "fault-injection/fault.h"

namespace ordeal::fault {

// `exit_limit`: how long the process may take to end before the fault counts as not in effect.
std::unique_ptr<fault> make_redis_outage(environment& where, int signal_number,
                                         std::chrono::milliseconds exit_limit);

}  // namespace ordeal::fault
