#include "net/async/program.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

namespace ordeal::net {

void open_standard_streams() {
  for (int number = STDIN_FILENO; number <= STDERR_FILENO; ++number) {
    if (::fcntl(number, F_GETFD) >= 0 || errno != EBADF) continue;
    // The lowest free number is taken: this one, as all below are open by now.
    ::open("/dev/null", number == STDIN_FILENO ? O_RDONLY : O_WRONLY);
  }
}

void ignore_stray_signals() {
  for (const int number : {SIGPIPE, SIGALRM, SIGVTALRM, SIGPROF, SIGUSR1, SIGUSR2, SIGPOLL, SIGPWR,
                           SIGSTKFLT, SIGXFSZ}) {
    ::signal(number, SIG_IGN);
  }
  for (int number = SIGRTMIN; number <= SIGRTMAX; ++number) ::signal(number, SIG_IGN);
  ::signal(SIGCHLD,
           SIG_DFL);  // whoever started us may have ignored it: children could not be waited for
}

}  // namespace ordeal::net
