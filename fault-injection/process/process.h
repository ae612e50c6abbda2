// Child processes that never outlive the program. They are started by the warden, a tiny process that is forked
// before any thread exists:
//
//   ordeal ── socket ── warden (subreaper, own session) ─┬─ redis-server   (own process group, death signal)
//                                                       ├─ ordeal-chat
//                                                       └─ ...
//
// When ordeal ends, kill -9 included, the socket closes and the warden kills every descendant, also those that
// forked twice, and removes the directories it was told of. When the warden is killed, the death signal takes its
// children, and ordeal sees the socket close. When it is stopped, ordeal wakes it up: nobody else could.
// Ctrl-C of the terminal reaches only ordeal.
#pragma once

#include <sys/types.h>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace ordeal::fault {

namespace asio = boost::asio;

struct process_spec {
  std::string name;                  // for messages: "node-1"
  std::vector<std::string> command;  // argv[0] is searched on PATH; never holds a secret
  std::vector<std::pair<std::string, std::string>>
      env;                         // added to PATH, HOME, LANG, TZ, TMPDIR of this process
  std::filesystem::path workdir;   // empty: as this process
  std::filesystem::path log_file;  // stdout and stderr, appended, mode 0600; empty: nowhere
  std::string stdin_text;          // written to its stdin, which is then closed
  std::uint64_t descriptors_max =
      0;  // that it may have open, soft and hard limit; 0: as this process
};

struct process_exit {
  bool by_signal = false;
  int code = 0;                  // exit code, or the signal's number
  std::string describe() const;  // "exit code 3", "killed by SIGSEGV"
};

class process {
 public:
  virtual ~process() = default;  // kills the process group if it still runs
  virtual pid_t pid() const = 0;
  virtual const std::string& name() const = 0;
  virtual const std::optional<process_exit>& exit() const = 0;  // set once it ended
  virtual asio::awaitable<process_exit> wait_exit() = 0;        // several may wait
  virtual bool signal(int number) = 0;  // to its process group; false when it is gone
  // TERM, up to `grace`, then KILL; returns when it ended.
  virtual asio::awaitable<process_exit> stop(std::chrono::milliseconds grace) = 0;
};

// "SIGKILL"; "signal 63" for one without a name.
std::string signal_name(int number);

// The state letter of /proc/PID/stat ('R', 'S', 'T', 'Z', ...); nullopt when there is no such process.
std::optional<char> process_state(pid_t pid);
// Waits until the process is stopped by a signal (state T), or is not; false at the limit or when
// it is gone. One that was caught inside vfork is held by the kernel in state D instead, which does
// not count.
asio::awaitable<bool> wait_stopped(pid_t pid, bool is_stopped, std::chrono::milliseconds limit);
// Waits for the end of the process; false when it still runs at the limit.
asio::awaitable<bool> ended_within(process& which, std::chrono::milliseconds limit);
// User and system time used so far by the process, all threads; zero when there is no such process.
std::chrono::microseconds process_cpu_time(pid_t pid);

struct launch_result {
  std::string error;  // "cannot start node-1: no program 'node' on PATH"; empty when it started
  bool is_program_missing = false;  // the program itself does not exist: something to install
  std::unique_ptr<process> started;
};

class launcher {
 public:
  virtual ~launcher() = default;
  virtual asio::awaitable<launch_result> launch(process_spec spec) = 0;
  // The directory is removed when all processes have ended, whatever way this program ends.
  virtual void remove_at_end(const std::filesystem::path& directory) = 0;
};

// Forks the warden. Call it once, before the first thread and before any io_context exists; throws
// std::system_error.
class warden {
 public:
  static warden fork_now();
  warden(warden&&) noexcept;
  warden& operator=(warden&&) = delete;
  ~warden();  // closes the socket and waits until the warden has killed what was left

  pid_t pid() const { return pid_; }
  // The launcher on this executor; make one.
  std::unique_ptr<launcher> make_launcher(asio::any_io_executor ex);

 private:
  warden(int socket, pid_t pid) : socket_(socket), pid_(pid) {}
  int socket_ = -1;
  pid_t pid_ = -1;
};

}  // namespace ordeal::fault
