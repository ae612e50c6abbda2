#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <stdexcept>
#include <system_error>

#include "fault-injection/process/launcher.h"
#include "fault-injection/process/process.h"
#include "fault-injection/process/warden_loop.h"

namespace ordeal::fault {
namespace {

// A launch request is one message: command, environment and stdin. The kernel caps what we ask for.
constexpr int message_bytes_max = 1 << 20;

[[noreturn]] void fail(const char* step) {
  throw std::system_error(errno, std::generic_category(),
                          std::string("cannot start the process warden: ") + step);
}

}  // namespace

warden warden::fork_now() {
  int pair[2] = {-1, -1};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) fail("socketpair");
  ::setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &message_bytes_max, sizeof message_bytes_max);
  // A Ctrl-C between the fork and the warden's own session must not end it: it sets its signals up
  // behind the mask.
  sigset_t every, before;
  ::sigfillset(&every);
  ::sigprocmask(SIG_SETMASK, &every, &before);
  const pid_t pid = ::fork();
  if (pid == 0) run_warden(pair[1]);
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
  if (pid < 0) fail("fork");
  ::close(pair[1]);
  return warden(pair[0], pid);
}

warden::warden(warden&& other) noexcept
    : socket_(std::exchange(other.socket_, -1)), pid_(std::exchange(other.pid_, -1)) {}

warden::~warden() {
  if (socket_ < 0) return;
  ::shutdown(socket_, SHUT_RDWR);  // a launcher may still hold a copy of the descriptor
  ::close(socket_);
  while (true) {
    int state = 0;
    const pid_t changed = ::waitpid(pid_, &state, WUNTRACED);
    if (changed < 0 && errno == EINTR) continue;
    if (changed < 0 || !WIFSTOPPED(state)) return;
    ::kill(pid_, SIGCONT);  // stopped it could not clean up
  }
}

std::unique_ptr<launcher> warden::make_launcher(asio::any_io_executor ex) {
  const int copy = ::fcntl(socket_, F_DUPFD_CLOEXEC, 0);
  if (copy < 0) fail("dup");
  return make_warden_launcher(ex, copy, pid_);
}

}  // namespace ordeal::fault
