#include "net/async/pidfd.h"

#include <sys/syscall.h>
#include <unistd.h>

namespace ordeal::net {

// TOOLCHAIN(glibc-2.36): <sys/pidfd.h> lacks C linkage; the system call needs no header.
int open_pidfd(pid_t pid) noexcept {
  return static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
}

}  // namespace ordeal::net
