// Reading a small file whole, when somebody else named it: a pipe, a device or a file without end must
// neither hang the program nor fill its memory. Blocking, for regular files only; callable from any thread.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

namespace ordeal::net {

struct file_content {
  std::string text;
  // Why there is no text, to stand behind "cannot read X: "; empty when it was read.
  std::string problem;
  bool is_missing = false;  // there is no such file
};

// At most `bytes_max` bytes; a larger file is a problem, not a beginning.
file_content read_regular_file(const std::filesystem::path& path, std::size_t bytes_max);

}  // namespace ordeal::net
