// A directory that only this run can read: Redis data, the nodes' password file. Removed with the
// object, by the warden when the run was killed, and by the next run when both were.
#pragma once

#include <filesystem>

namespace ordeal::harness {

class private_directory {
 public:
  // Under /dev/shm where that has room, else under TMPDIR: Redis' fsync then costs nothing, and a killed Redis process
  // has lost nothing that it acknowledged. Throws std::runtime_error, with what to do, when neither has.
  private_directory();
  // The same in these two, for tests.
  private_directory(const std::filesystem::path& memory, const std::filesystem::path& disk);
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
