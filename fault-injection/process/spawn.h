// Starts one child of the warden: fork, own process group, death signal, descriptors, exec. Called
// only in the warden, which has one thread.
#pragma once

#include <sys/types.h>

#include "fault-injection/process/warden_messages.h"

namespace ordeal::fault {

struct spawn_result {
  pid_t pid = -1;  // -1: failed
  launch_step failed_step = launch_step::fork;
  int error_number = 0;
};

// Returns when the program runs in the child, or the child is gone again.
spawn_result spawn(const launch_request& what);

}  // namespace ordeal::fault
