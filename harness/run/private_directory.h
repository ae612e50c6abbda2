// A directory that only this run can read: Redis data, the nodes' password file. Removed with the
// object; what a killed run left behind is removed by the next one.
#pragma once

#include <filesystem>

namespace ordeal::harness {

class private_directory {
 public:
  // Under /dev/shm where that has room, else under the system's temporary directory: Redis' fsync then costs nothing,
  // and a killed Redis process has lost nothing that it acknowledged. Throws std::runtime_error.
  private_directory();
  private_directory(const private_directory&) = delete;
  private_directory& operator=(const private_directory&) = delete;
  ~private_directory();

  const std::filesystem::path& path() const { return path_; }

  // Replaces `name` in one step, mode 0600. Throws std::runtime_error.
  std::filesystem::path write_file(const std::string& name, std::string_view content) const;

 private:
  std::filesystem::path path_;
};

}  // namespace ordeal::harness
