#include "harness/run/private_directory.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>

namespace ordeal::harness {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view prefix = "ordeal-";
constexpr std::uintmax_t memory_bytes_min = 256U << 20, disk_bytes_min = 16U << 20;

// Why the folder will not do; empty when it will.
std::string objection_to(const fs::path& folder, std::uintmax_t bytes_min) {
  std::error_code ec;
  if (!fs::is_directory(folder, ec)) return folder.string() + " is no folder";
  if (::access(folder.c_str(), W_OK | X_OK) != 0)
    return folder.string() + ": " + std::strerror(errno);
  const fs::space_info space = fs::space(folder, ec);
  if (ec) return folder.string() + ": " + ec.message();
  if (space.available >= bytes_min) return {};
  return folder.string() + " has only " + std::to_string(space.available >> 20) + " MiB left of " +
         std::to_string(bytes_min >> 20);
}

fs::path temporary_folder() {
  const char* const wanted = std::getenv("TMPDIR");
  return wanted != nullptr && *wanted != '\0' ? wanted : "/tmp";
}

fs::path choose_parent(const fs::path& memory, const fs::path& disk) {
  const std::string against_memory = objection_to(memory, memory_bytes_min);
  if (against_memory.empty()) return memory;
  const std::string against_disk = objection_to(disk, disk_bytes_min);
  if (against_disk.empty()) return disk;
  throw std::runtime_error("no folder for Redis' data and the password file: " + against_memory +
                           "; " + against_disk + "; set TMPDIR to a folder that has room");
}

// "ordeal-<pid>-xxxxxx" of a process that is gone.
bool is_stale(const fs::path& path) {
  const std::string name = path.filename().string();
  if (name.compare(0, prefix.size(), prefix) != 0) return false;
  const pid_t pid = static_cast<pid_t>(std::strtol(name.c_str() + prefix.size(), nullptr, 10));
  return pid > 0 && ::kill(pid, 0) != 0 && errno == ESRCH;
}

void remove_stale(const fs::path& parent) {
  std::error_code ec;
  for (const fs::directory_entry& found : fs::directory_iterator(parent, ec)) {
    if (!found.is_directory(ec) || !is_stale(found.path())) continue;
    fs::remove_all(found.path(), ec);  // another user's: stays, and is no concern of ours
  }
}

}  // namespace

private_directory::private_directory() : private_directory("/dev/shm", temporary_folder()) {}

private_directory::private_directory(const fs::path& memory, const fs::path& disk) {
  const fs::path parent = choose_parent(memory, disk);
  remove_stale(parent);
  std::string name =
      (parent / (std::string(prefix) + std::to_string(::getpid()) + "-XXXXXX")).string();
  if (::mkdtemp(name.data()) == nullptr) {
    throw std::runtime_error("cannot make a private directory in " + parent.string() + ": " +
                             std::strerror(errno));
  }
  path_ = name;
}

private_directory::~private_directory() {
  std::error_code ec;
  fs::remove_all(path_, ec);
}

fs::path private_directory::write_file(const std::string& name, std::string_view content) const {
  const fs::path target = path_ / name;
  const fs::path temporary = path_ / (name + ".new");
  const int file = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  const bool is_written = file >= 0 && ::write(file, content.data(), content.size()) ==
                                           static_cast<ssize_t>(content.size());
  if (file >= 0) ::close(file);
  if (!is_written || ::rename(temporary.c_str(), target.c_str()) != 0) {
    throw std::runtime_error("cannot write " + target.string() + ": " + std::strerror(errno));
  }
  return target;
}

}  // namespace ordeal::harness
