// Goal: whatever a user names instead of a small file is refused with the reason, at once.
#include "net/async/regular_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <filesystem>
#include <fstream>

#include "net/async/random.h"

namespace ordeal::net {
namespace {

class RegularFile : public testing::Test {
 protected:
  ~RegularFile() override { std::filesystem::remove(path_); }
  void write(std::size_t bytes) const {
    std::ofstream(path_, std::ios::binary) << std::string(bytes, 'x');
  }
  const std::filesystem::path path_ =
      std::filesystem::temp_directory_path() / ("ordeal-file-" + random_id(12));
};

TEST_F(RegularFile, IsReadWhole) {
  write(100'000);
  const file_content read = read_regular_file(path_, 100'000);
  EXPECT_EQ(read.text.size(), 100'000U);
  EXPECT_EQ(read.problem, "");
}

TEST_F(RegularFile, IsNotReadInPart) {
  write(2049);
  const file_content read = read_regular_file(path_, 2048);
  EXPECT_EQ(read.text, "");
  EXPECT_EQ(read.problem, "it is larger than 2 KiB");
}

TEST_F(RegularFile, MayBeMissing) {
  const file_content read = read_regular_file(path_, 10);
  EXPECT_TRUE(read.is_missing);
  EXPECT_EQ(read.problem, "No such file or directory");
}

TEST_F(RegularFile, PipeIsNotWaitedFor) {
  ASSERT_EQ(::mkfifo(path_.c_str(), 0600), 0);
  EXPECT_EQ(read_regular_file(path_, 10).problem, "it is a pipe, not a regular file");
}

TEST_F(RegularFile, DevicesAndDirectoriesAreNone) {
  EXPECT_EQ(read_regular_file("/dev/zero", 10).problem, "it is a device, not a regular file");
  EXPECT_EQ(read_regular_file("/", 10).problem, "it is a directory");
}

TEST_F(RegularFile, FailsWhereReadingFails) {
  // A regular file by its kind, and whatever is at address 0 of a process cannot be read.
  const file_content read = read_regular_file("/proc/self/mem", 10);
  EXPECT_EQ(read.problem, "Input/output error");
}

}  // namespace
}  // namespace ordeal::net
