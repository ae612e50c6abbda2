#include "fault-injection/process/warden_loop.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "fault-injection/process/proc_stat.h"
#include "fault-injection/process/spawn.h"
#include "fault-injection/process/warden_messages.h"
#include "net/async/clock.h"

namespace ordeal::fault {
namespace {

// Killed processes end at once unless the kernel holds them (a dead disk); then the warden gives
// up.
constexpr auto farewell_limit = std::chrono::seconds(10);
constexpr int rescan_interval_ms = 20;

// Processes whose parent is `parent`, zombies included.
std::vector<pid_t> children_of(pid_t parent) {
  std::vector<pid_t> found;
  DIR* const directory = ::opendir("/proc");
  if (directory == nullptr) return found;
  while (const dirent* const entry = ::readdir(directory)) {
    pid_t pid = 0;
    const char* const end = entry->d_name + std::strlen(entry->d_name);
    const auto parsed = std::from_chars(entry->d_name, end, pid);
    if (parsed.ec != std::errc() || parsed.ptr != end) continue;
    const auto stat = read_proc_stat(pid);
    if (stat && stat->parent == parent) found.push_back(pid);
  }
  ::closedir(directory);
  return found;
}

class warden_loop {
 public:
  explicit warden_loop(int socket) : socket_(socket) {
    // All stay blocked: no signal but KILL ends it, and a child unblocks its own.
    sigset_t child_ended;
    ::sigemptyset(&child_ended);
    ::sigaddset(&child_ended, SIGCHLD);
    signals_ = ::signalfd(-1, &child_ended, SFD_CLOEXEC | SFD_NONBLOCK);
  }

  void run() {
    bool is_open = signals_ >= 0;
    while (is_open) {
      pollfd sources[2] = {{socket_, POLLIN, 0}, {signals_, POLLIN, 0}};
      if (::poll(sources, 2, -1) < 0 && errno != EINTR) break;
      is_open = serve_requests();
      reap();
    }
    kill_descendants();
    remove_directories();
  }

 private:
  // False when ordeal has gone.
  bool serve_requests() {
    while (true) {
      const received_message next = receive_message(socket_);
      if (next.state == receive_state::nothing_yet) return true;
      if (next.state == receive_state::closed) return false;
      const auto request = decode_request(next.bytes);
      if (!request) return false;
      if (const auto* what = std::get_if<launch_request>(&*request)) launch(*what);
      if (const auto* what = std::get_if<signal_request>(&*request)) signal(*what);
      if (const auto* what = std::get_if<remove_request>(&*request))
        directories_.push_back(what->directory);
    }
  }

  void launch(const launch_request& what) {
    const spawn_result result = spawn(what);
    if (result.pid < 0) {
      tell(failed_event{what.id, result.failed_step, result.error_number});
      return;
    }
    children_.emplace(result.pid, what.id);
    tell(started_event{what.id, result.pid});
  }

  // A child is in the table until it is reaped, so its pid cannot have become somebody else's.
  void signal(const signal_request& what) {
    for (const auto& [pid, id] : children_) {
      if (id == what.id) ::kill(-pid, what.number);
    }
  }

  void reap() {
    signalfd_siginfo ignored;
    while (::read(signals_, &ignored, sizeof ignored) > 0) {
    }
    while (true) {
      siginfo_t ended{};
      // WNOWAIT: the group's id must stay taken until the rest of the group has been killed.
      if (::waitid(P_ALL, 0, &ended, WEXITED | WNOHANG | WNOWAIT) != 0 || ended.si_pid == 0) return;
      const auto child = children_.find(ended.si_pid);
      if (child != children_.end()) ::kill(-ended.si_pid, SIGKILL);
      ::waitpid(ended.si_pid, nullptr, 0);
      if (child == children_.end()) continue;  // an orphan that came back to its subreaper
      tell(exited_event{child->second, ended.si_code != CLD_EXITED, ended.si_status});
      children_.erase(child);
    }
  }

  // An event that cannot be delivered has no reader: the loop sees the closed socket next.
  void tell(const warden_event& what) { send_message(socket_, encode(what)); }

  // Whatever is killed leaves its children to this subreaper, so killing direct children again and
  // again reaches every descendant, and never a pid that has been reused: nobody but this process
  // reaps them.
  void kill_descendants() {
    const auto deadline = net::now() + farewell_limit;
    for (const auto& [pid, id] : children_) ::kill(-pid, SIGKILL);
    while (net::now() < deadline) {
      pid_t reaped = 0;
      do reaped = ::waitpid(-1, nullptr, WNOHANG);
      while (reaped > 0);
      if (reaped < 0 && errno == ECHILD) return;
      for (const pid_t pid : children_of(::getpid())) ::kill(pid, SIGKILL);
      pollfd ended{signals_, POLLIN, 0};
      ::poll(&ended, 1, rescan_interval_ms);
      signalfd_siginfo ignored;
      while (::read(signals_, &ignored, sizeof ignored) > 0) {
      }
    }
  }

  // Whatever way ordeal went: it may have had no time to.
  void remove_directories() {
    std::error_code ec;
    for (const std::string& each : directories_) std::filesystem::remove_all(each, ec);
  }

  int socket_;
  int signals_ = -1;
  std::vector<std::string> directories_;
  std::map<pid_t, std::uint64_t> children_;
};

// Whatever ordeal had open is not the warden's: a pipe or a port held here would outlive it.
// Returns the socket again.
int close_all_but(int socket) {
  const int kept = ::fcntl(socket, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
  const auto number = static_cast<unsigned>(kept);
  if (number > STDERR_FILENO + 1) ::close_range(STDERR_FILENO + 1, number - 1, 0);
  ::close_range(number + 1, ~0U, 0);
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) ::close(fd);
  // The lowest free numbers are taken: stdin, stdout and stderr.
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) ::open("/dev/null", O_RDWR);
  return kept;
}

}  // namespace

void run_warden(int socket) {
  ::setsid();
  ::prctl(PR_SET_NAME, "ordeal-warden");
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  ::signal(SIGCHLD, SIG_DFL);
  warden_loop(close_all_but(socket)).run();
  ::_exit(0);
}

}  // namespace ordeal::fault
