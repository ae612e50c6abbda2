#include "harness/run/private_directory.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <string>

namespace ordeal::harness {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view prefix = "ordeal-";
constexpr std::uintmax_t room_bytes_min = 256U << 20;

fs::path choose_parent() {
  const fs::path memory = "/dev/shm";
  std::error_code ec;
  const fs::space_info space = fs::space(memory, ec);
  if (!ec && space.available >= room_bytes_min && ::access(memory.c_str(), W_OK) == 0)
    return memory;
  return fs::temp_directory_path();
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

private_directory::private_directory() {
  const fs::path parent = choose_parent();
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
