// A program run by a test: output captured, signals, bounded waits. Kills what is left of it when the test ends.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace ordeal::test {

class command {
 public:
  // Starts at once; `env` is added to this process' environment. Output goes to files in `directory`.
  command(std::vector<std::string> arguments, const std::filesystem::path& directory,
          std::map<std::string, std::string> env = {});
  ~command();
  command(const command&) = delete;
  command& operator=(const command&) = delete;

  pid_t pid() const { return pid_; }
  void signal(int number) const;

  // The exit code, or 128 + signal; nullopt when it did not end in time.
  std::optional<int> wait(std::chrono::steady_clock::duration limit);

  std::string out() const;
  std::string err() const;

  // Its children, their children and so on, as of now.
  std::set<pid_t> descendants() const;

 private:
  pid_t pid_ = -1;
  std::optional<int> status_;
  std::filesystem::path out_, err_;
};

// Polls until `condition()` is true; false at the limit.
template <class F>
bool eventually(F condition, std::chrono::steady_clock::duration limit);

void pause_between_polls();

template <class F>
bool eventually(F condition, std::chrono::steady_clock::duration limit) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= deadline) return false;
    pause_between_polls();
  }
  return true;
}

// Whether a process of this id runs (a zombie does not).
bool is_alive(pid_t pid);
std::string read_file(const std::filesystem::path& path);
// A directory of its own for a test, removed with the object.
class scratch_directory {
 public:
  scratch_directory();
  ~scratch_directory();
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace ordeal::test
