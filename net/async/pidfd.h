// A descriptor that becomes readable when a process ends, child or not.
#pragma once

#include <sys/types.h>

namespace ordeal::net {

// The descriptor (close it), or -1 with errno.
int open_pidfd(pid_t pid) noexcept;

}  // namespace ordeal::net
