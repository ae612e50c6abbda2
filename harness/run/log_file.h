// The log of a child process: what a target writes there knows no bounds, so it is read in pieces of
// bounded size, and kept short. Blocking, on regular files; control thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace ordeal::harness {

// The first and the last lines, indented, each on a line of its own and cut where it is long, under a
// heading that names the file; "its log is empty: PATH" when there are none. Begins with a newline.
std::string log_excerpt(const std::filesystem::path& path);

// Waits for a text in a log that grows. Reads each byte once.
class log_watch {
 public:
  log_watch(std::filesystem::path path, std::string text)
      : path_(std::move(path)), text_(std::move(text)) {}

  // Has it appeared by now, since the log was opened or cut?
  bool has_appeared();

 private:
  std::filesystem::path path_;
  std::string text_;
  std::string tail_;  // of what was read: the text may have come in part
  std::uintmax_t read_ = 0;
  bool has_appeared_ = false;
};

// What is written to a log from now on.
class log_follower {
 public:
  explicit log_follower(std::filesystem::path path);

  // The lines that were finished since the last time, or the last ones of too many: costs little
  // however much a target writes.
  std::vector<std::string> take_new();

 private:
  std::filesystem::path path_;
  std::uintmax_t read_ = 0;
  std::string begun_;  // of a line without an end
};

// Keeps every *.log of a directory below some megabytes: one that has grown beyond is emptied, its
// first part is kept beside it as NAME.first, what came last before as NAME.previous. The writers
// append, so they go on where the file ends now; a line may be cut, and few are lost in between.
class log_keeper {
 public:
  explicit log_keeper(std::filesystem::path directory, std::uintmax_t bytes_max = 8U << 20U)
      : directory_(std::move(directory)), bytes_max_(bytes_max) {}

  void tick();

 private:
  void cut(const std::filesystem::path& log) const;

  std::filesystem::path directory_;
  std::uintmax_t bytes_max_;
};

}  // namespace ordeal::harness
