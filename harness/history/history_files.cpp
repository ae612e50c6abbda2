#include "harness/history/history_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <system_error>

namespace ordeal::harness {

std::string history_file_name(unsigned number) {
  std::string digits = std::to_string(number);
  if (digits.size() < 6) digits.insert(0, 6 - digits.size(), '0');
  return digits + ".history";
}

history_files::history_files(std::filesystem::path directory, std::string header_frame,
                             std::uint64_t file_bytes_max)
    : directory_(std::move(directory)),
      header_frame_(std::move(header_frame)),
      file_bytes_max_(file_bytes_max) {}

history_files::~history_files() {
  if (fd_ >= 0) ::close(fd_);
}

// Reads errno: to be called first thing after a call failed.
std::string history_files::failed(const char* doing) const {
  const std::string why = std::generic_category().message(errno);
  return std::string("cannot ") + doing + " " + file_.string() + ": " + why;
}

std::string history_files::begin() {
  std::error_code ec;
  std::filesystem::create_directories(directory_, ec);
  if (ec) return "cannot make the directory " + directory_.string() + ": " + ec.message();
  return open_next();
}

std::string history_files::open_next() {
  file_ = directory_ / history_file_name(++number_);
  fd_ = ::open(file_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (fd_ < 0) return failed("open");
  struct stat found {};
  if (::fstat(fd_, &found) != 0) return failed("look at");
  if (found.st_size > 0)
    return file_.string() + " is already there; a history is never appended to";
  written_ = 0;
  return append(header_frame_);
}

std::string history_files::append(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(fd_, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return failed("write");
    bytes.remove_prefix(static_cast<std::size_t>(count));
    written_ += static_cast<std::uint64_t>(count);
  }
  return {};
}

std::string history_files::write(std::string_view frame) {
  const bool is_full = written_ + frame.size() > file_bytes_max_ && written_ > header_frame_.size();
  if (is_full) {
    if (auto problem = close(); !problem.empty()) return problem;
    if (auto problem = open_next(); !problem.empty()) return problem;
  }
  return append(frame);
}

std::string history_files::close() {
  if (fd_ < 0) return {};
  const int result = ::close(fd_);
  fd_ = -1;
  return result == 0 ? std::string() : failed("close");
}

}  // namespace ordeal::harness
