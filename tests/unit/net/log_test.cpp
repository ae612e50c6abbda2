// Log lines on a stderr that is a pipe.
#include "net/async/log.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string>

namespace ordeal::net {
namespace {

// stderr is a pipe while it lives.
class piped_stderr {
 public:
  piped_stderr() : before_(::dup(STDERR_FILENO)) {
    EXPECT_EQ(::pipe2(ends_.data(), O_CLOEXEC), 0);
    ::fcntl(ends_[0], F_SETFL, O_NONBLOCK);
    ::dup2(ends_[1], STDERR_FILENO);
  }
  ~piped_stderr() {
    ::dup2(before_, STDERR_FILENO);
    for (const int fd : {before_, ends_[0], ends_[1]}) ::close(fd);
  }
  // All that is in the pipe.
  std::string read() {
    std::string text;
    std::array<char, 4096> some{};
    for (ssize_t got = 0; (got = ::read(ends_[0], some.data(), some.size())) > 0;)
      text.append(some.data(), static_cast<std::size_t>(got));
    return text;
  }

 private:
  int before_;
  std::array<int, 2> ends_{};
};

auto lines_of(const std::string& text) {
  return std::count(text.begin(), text.end(), '\n');
}

TEST(Log, APipeThatNobodyReadsHoldsNobodyUpAndTheLossIsTold) {
  piped_stderr pipe;
  constexpr int lines = 20'000;  // 64 KiB are full after some hundred
  for (int i = 0; i < lines; ++i) log(log_level::warn, "test", "a line as long as most are");
  const std::string before = pipe.read();
  const auto kept = lines_of(before);
  EXPECT_GT(kept, 100);
  EXPECT_LT(kept, lines);
  EXPECT_EQ(before.find("lost"), std::string::npos);

  log(log_level::warn, "test", "somebody reads again");
  const std::string after = pipe.read();
  EXPECT_NE(after.find("warn test: somebody reads again\n"), std::string::npos);
  EXPECT_NE(after.find("lines=" + std::to_string(lines - kept) + "\n"), std::string::npos) << after;

  log(log_level::warn, "test", "told once");
  EXPECT_EQ(lines_of(pipe.read()), 1);
}

TEST(Log, AHugeLineIsCutAndStaysOneLine) {
  piped_stderr pipe;
  log(log_level::warn, "test", std::string(1 << 20, 'x'));
  const std::string text = pipe.read();
  EXPECT_EQ(text.size(), 4096U);
  EXPECT_TRUE(text.ends_with("xxx...\n"));
  EXPECT_EQ(lines_of(text), 1);
}

}  // namespace
}  // namespace ordeal::net
