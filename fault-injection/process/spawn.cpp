#include "fault-injection/process/spawn.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <vector>

namespace ordeal::fault {
namespace {

struct failure {
  launch_step step = launch_step::fork;
  int error_number = 0;
};

class descriptor {
 public:
  explicit descriptor(int fd = -1) : fd_(fd) {}
  descriptor(const descriptor&) = delete;
  descriptor& operator=(const descriptor&) = delete;
  ~descriptor() { reset(-1); }

  void reset(int fd) {
    if (fd_ >= 0) ::close(fd_);
    fd_ = fd;
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

bool make_pipe(descriptor& read_end, descriptor& write_end) {
  int ends[2] = {-1, -1};
  if (::pipe2(ends, O_CLOEXEC) != 0) return false;
  read_end.reset(ends[0]);
  write_end.reset(ends[1]);
  return true;
}

// A pipe that holds all of `text`, with its writing end closed: nobody ever has to wait for the
// reader.
bool make_filled_pipe(descriptor& read_end, const std::string& text) {
  descriptor write_end;
  if (!make_pipe(read_end, write_end)) return false;
  const int size = static_cast<int>(text.size());
  if (::fcntl(write_end.get(), F_GETPIPE_SZ) < size &&
      ::fcntl(write_end.get(), F_SETPIPE_SZ, size) < 0) {
    return false;
  }
  return ::write(write_end.get(), text.data(), text.size()) == size;
}

void reset_signals() {
  for (int number = 1; number < NSIG; ++number) ::signal(number, SIG_DFL);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (const std::string& text : texts) result.push_back(const_cast<char*>(text.c_str()));
  result.push_back(nullptr);
  return result;
}

// In the child: everything up to the exec. Returns only on failure.
failure become(const launch_request& what, int stdin_fd, pid_t warden_pid) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != warden_pid)
    ::_exit(127);  // the warden ended before the death signal was armed
  reset_signals();

  const int input = stdin_fd >= 0 ? stdin_fd : ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (input < 0 || ::dup2(input, STDIN_FILENO) < 0) return {launch_step::stdin_text, errno};

  const char* const log_file = what.log_file.empty() ? "/dev/null" : what.log_file.c_str();
  const int log = ::open(log_file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (log < 0 || ::dup2(log, STDOUT_FILENO) < 0 || ::dup2(log, STDERR_FILENO) < 0) {
    return {launch_step::log_file, errno};
  }
  if (!what.workdir.empty() && ::chdir(what.workdir.c_str()) != 0) {
    return {launch_step::workdir, errno};
  }
  if (what.descriptors_max > 0) {
    const rlimit limit{what.descriptors_max, what.descriptors_max};
    if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) return {launch_step::limits, errno};
  }
  if (what.command.empty()) return {launch_step::program, ENOENT};

  std::vector<char*> environment = pointers(what.environment);
  environ = environment.data();  // before the search: PATH is the child's
  const std::vector<char*> command = pointers(what.command);
  ::execvp(command[0], command.data());
  return {launch_step::program, errno};
}

}  // namespace

spawn_result spawn(const launch_request& what) {
  spawn_result result;
  descriptor report_read, report_write, stdin_read;
  if (!make_pipe(report_read, report_write)) {
    result.error_number = errno;
    return result;
  }
  if (!what.stdin_text.empty() && !make_filled_pipe(stdin_read, what.stdin_text)) {
    result.failed_step = launch_step::stdin_text;
    result.error_number = errno;
    return result;
  }

  const pid_t warden_pid = ::getpid();
  const pid_t pid = ::fork();
  if (pid == 0) {
    const failure why = become(what, stdin_read.get(), warden_pid);
    [[maybe_unused]] const auto written = ::write(report_write.get(), &why, sizeof why);
    ::_exit(127);
  }
  if (pid < 0) {
    result.error_number = errno;
    return result;
  }

  // The exec closes the writing end: end of file means that the program runs.
  report_write.reset(-1);
  failure why;
  ssize_t got = 0;
  do got = ::read(report_read.get(), &why, sizeof why);
  while (got < 0 && errno == EINTR);
  if (got == static_cast<ssize_t>(sizeof why)) {
    ::waitpid(pid, nullptr, 0);
    result.failed_step = why.step;
    result.error_number = why.error_number;
    return result;
  }
  result.pid = pid;
  return result;
}

}  // namespace ordeal::fault
