#include "net/async/regular_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace ordeal::net {
namespace {

class descriptor {
 public:
  // Without O_NONBLOCK the open itself would wait for the other end of a pipe.
  explicit descriptor(const char* path)
      : fd_(::open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)) {}
  ~descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  descriptor(const descriptor&) = delete;
  descriptor& operator=(const descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

const char* kind_of(mode_t mode) {
  if (S_ISDIR(mode)) return "it is a directory";
  if (S_ISFIFO(mode)) return "it is a pipe, not a regular file";
  if (S_ISSOCK(mode)) return "it is a socket, not a regular file";
  return "it is a device, not a regular file";
}

file_content failed(int error) {
  return {"", std::strerror(error), error == ENOENT};
}

std::string size_text(std::size_t bytes) {
  constexpr std::size_t mebibyte = 1U << 20U;
  if (bytes % mebibyte == 0) return std::to_string(bytes / mebibyte) + " MiB";
  return std::to_string(bytes / 1024) + " KiB";
}

}  // namespace

file_content read_regular_file(const std::filesystem::path& path, std::size_t bytes_max) {
  const descriptor file(path.c_str());
  if (file.get() < 0) {
    // A socket cannot be opened at all; what it is helps more than "No such device or address".
    struct stat kind {};
    const int error = errno;
    if (error == ENXIO && ::stat(path.c_str(), &kind) == 0) return {"", kind_of(kind.st_mode)};
    return failed(error);
  }
  struct stat found {};
  if (::fstat(file.get(), &found) != 0) return failed(errno);
  if (!S_ISREG(found.st_mode)) return {"", kind_of(found.st_mode)};
  file_content content;
  std::array<char, 16 * 1024> piece{};
  for (;;) {
    const ssize_t count = ::read(file.get(), piece.data(), piece.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return failed(errno);
    if (count == 0) return content;
    content.text.append(piece.data(), static_cast<std::size_t>(count));
    if (content.text.size() > bytes_max)
      return {"", "it is larger than " + size_text(bytes_max), false};
  }
}

}  // namespace ordeal::net
