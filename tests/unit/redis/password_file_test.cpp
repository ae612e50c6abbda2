// Goal: the password comes from the file as it is now, without its newline, and errors do not quote
// it.
#include "net/redis/password_file.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "net/async/random.h"

namespace ordeal::net::redis {
namespace {

class PasswordFile : public testing::Test {
 protected:
  ~PasswordFile() override { std::filesystem::remove(path_); }
  void write(std::string_view text) const { std::ofstream(path_, std::ios::binary) << text; }
  credentials auth() const {
    credentials result;
    result.password_file = path_;
    return result;
  }
  const std::filesystem::path path_ =
      std::filesystem::temp_directory_path() / ("ordeal-password-" + random_id(12));
};

TEST_F(PasswordFile, LosesOneNewlineAndIsReadAgain) {
  write("s3cret\n");
  EXPECT_EQ(read_password(auth()).password, "s3cret");
  write("other\r\n");
  EXPECT_EQ(read_password(auth()).password, "other");
  write(" kept \n\n");
  EXPECT_EQ(read_password(auth()).password, " kept \n");
}

TEST_F(PasswordFile, NamesTheMissingFile) {
  const auto result = read_password(auth());
  EXPECT_NE(result.error.find(path_.string()), std::string::npos) << result.error;
  EXPECT_NE(result.error.find("No such file"), std::string::npos) << result.error;
}

TEST_F(PasswordFile, IsNotADirectory) {
  credentials directory;
  directory.password_file = std::filesystem::temp_directory_path();
  EXPECT_FALSE(read_password(directory).error.empty());
}

TEST_F(PasswordFile, WithoutFileTheGivenPasswordIsUsed) {
  credentials given;
  given.password = "direct";
  EXPECT_EQ(read_password(given).password, "direct");
}

}  // namespace
}  // namespace ordeal::net::redis
