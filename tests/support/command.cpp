#include "tests/support/command.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>

extern char** environ;

namespace ordeal::test {
namespace fs = std::filesystem;
namespace {

struct proc_entry {
  pid_t parent = 0;
  char state = 'Z';
};

std::optional<proc_entry> read_stat(pid_t pid) {
  const std::string text = read_file("/proc/" + std::to_string(pid) + "/stat");
  const std::size_t end_of_name = text.rfind(')');
  if (end_of_name == std::string::npos) return std::nullopt;
  std::istringstream rest(text.substr(end_of_name + 1));
  proc_entry entry;
  rest >> entry.state >> entry.parent;
  return entry;
}

}  // namespace

command::command(std::vector<std::string> arguments, const fs::path& directory,
                 std::map<std::string, std::string> env)
    : out_(directory / "stdout"), err_(directory / "stderr") {
  std::vector<std::string> variables;
  for (char** each = environ; *each != nullptr; ++each) {
    const std::string text = *each;
    if (!env.contains(text.substr(0, text.find('=')))) variables.push_back(text);
  }
  for (const auto& [key, value] : env) variables.push_back(key + "=" + value);
  std::vector<char*> argv, envp;
  for (std::string& each : arguments) argv.push_back(each.data());
  for (std::string& each : variables) envp.push_back(each.data());
  argv.push_back(nullptr);
  envp.push_back(nullptr);

  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, out_.c_str(),
                                   O_WRONLY | O_CREAT | O_TRUNC, 0600);
  posix_spawn_file_actions_addopen(&files, STDERR_FILENO, err_.c_str(),
                                   O_WRONLY | O_CREAT | O_TRUNC, 0600);
  const int failure = ::posix_spawnp(&pid_, argv[0], &files, nullptr, argv.data(), envp.data());
  posix_spawn_file_actions_destroy(&files);
  if (failure != 0) throw std::runtime_error("cannot start " + arguments[0]);
}

command::~command() {
  if (!status_) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
}

void command::signal(int number) const {
  ::kill(pid_, number);
}

std::optional<int> command::wait(std::chrono::steady_clock::duration limit) {
  int raw = 0;
  const auto has_ended = [&] { return ::waitpid(pid_, &raw, WNOHANG) == pid_; };
  if (status_) return status_;
  if (!eventually(has_ended, limit)) return std::nullopt;
  status_ = WIFEXITED(raw) ? WEXITSTATUS(raw) : 128 + WTERMSIG(raw);
  return status_;
}

std::string command::out() const {
  return read_file(out_);
}
std::string command::err() const {
  return read_file(err_);
}

std::set<pid_t> command::descendants() const {
  std::map<pid_t, pid_t> parents;
  for (const fs::directory_entry& entry : fs::directory_iterator("/proc")) {
    const pid_t pid = static_cast<pid_t>(std::atoi(entry.path().filename().c_str()));
    if (pid <= 0) continue;
    if (const auto stat = read_stat(pid)) parents[pid] = stat->parent;
  }
  std::set<pid_t> found;
  for (const auto& [pid, parent] : parents) {
    pid_t ancestor = parent;
    while (ancestor > 1 && ancestor != pid_ && parents.contains(ancestor))
      ancestor = parents[ancestor];
    if (ancestor == pid_) found.insert(pid);
  }
  return found;
}

void pause_between_polls() {
  ::poll(nullptr, 0, 10);
}

bool is_alive(pid_t pid) {
  const auto stat = read_stat(pid);
  return stat && stat->state != 'Z' && stat->state != 'X';
}

std::string read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

scratch_directory::scratch_directory() {
  std::string name = (fs::temp_directory_path() / "ordeal-test-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make " + name);
  path_ = name;
}

scratch_directory::~scratch_directory() {
  std::error_code ec;
  fs::remove_all(path_, ec);
}

}  // namespace ordeal::test
