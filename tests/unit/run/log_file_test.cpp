// Goal: the log of a child, however long its lines or the file, costs little to read and little room.
#include "harness/run/log_file.h"

#include <gtest/gtest.h>

#include <fstream>

#include "tests/support/command.h"

namespace ordeal::harness {
namespace {

namespace fs = std::filesystem;

class LogFile : public testing::Test {
 protected:
  void append(const std::string& text) const {
    std::ofstream(path_, std::ios::binary | std::ios::app) << text;
  }
  static std::string numbered_lines(int from, int to) {
    std::string text;
    for (int i = from; i <= to; ++i) text += "line " + std::to_string(i) + "\n";
    return text;
  }
  const test::scratch_directory scratch_;
  const fs::path path_ = scratch_.path() / "node-1.log";
};

TEST_F(LogFile, ShortOneIsQuotedWhole) {
  append("a\r\n\n  \nb");
  EXPECT_EQ(log_excerpt(path_), "\n  its log, " + path_.string() + ":\n    a\n    b\n");
}

TEST_F(LogFile, FirstAndLastLinesAreQuoted) {
  append(numbered_lines(1, 90'000));
  EXPECT_EQ(log_excerpt(path_), "\n  its log, " + path_.string() +
                                    ":\n    line 1\n    line 2\n    line 3\n    ...\n"
                                    "    line 89996\n    line 89997\n    line 89998\n"
                                    "    line 89999\n    line 90000\n");
}

TEST_F(LogFile, EmptyOrMissingOneIsSaidToBeSo) {
  EXPECT_EQ(log_excerpt(path_), "\n  its log is empty: " + path_.string());
}

TEST_F(LogFile, LineWithoutEndIsCut) {
  append(std::string(3'000'000, 'x'));
  const std::string quoted = log_excerpt(path_);
  EXPECT_LT(quoted.size(), 1'000U);
  EXPECT_NE(quoted.find("xxx ... ("), std::string::npos) << quoted;
}

TEST_F(LogFile, TextThatComesInPartsIsSeen) {
  log_watch watch(path_, "listening on");
  EXPECT_FALSE(watch.has_appeared()) << "there is no file";
  append(std::string(200'000, 'x') + "\nlisten");
  EXPECT_FALSE(watch.has_appeared());
  append("ing ");
  EXPECT_FALSE(watch.has_appeared());
  append("on port 1\n");
  EXPECT_TRUE(watch.has_appeared());
  EXPECT_TRUE(watch.has_appeared());
}

TEST_F(LogFile, TextIsSeenInALogThatWasCut) {
  log_watch watch(path_, "ready");
  append(std::string(1'000, 'x'));
  EXPECT_FALSE(watch.has_appeared());
  fs::resize_file(path_, 0);
  append("ready\n");
  EXPECT_TRUE(watch.has_appeared());
}

TEST_F(LogFile, FollowerTakesEachNewLineOnce) {
  append("before\n");
  log_follower follower(path_);
  EXPECT_TRUE(follower.take_new().empty());
  append("one\ntw");
  EXPECT_EQ(follower.take_new(), std::vector<std::string>{"one"});
  append("o\n");
  EXPECT_EQ(follower.take_new(), std::vector<std::string>{"two"});
  fs::resize_file(path_, 0);
  append("new\n");
  EXPECT_EQ(follower.take_new(), std::vector<std::string>{"new"});
  append(numbered_lines(1, 90'000));
  const auto last = follower.take_new();
  EXPECT_EQ(last.size(), 200U);
  EXPECT_EQ(last.back(), "line 90000");
}

TEST_F(LogFile, KeeperBoundsWhatNeverStops) {
  constexpr std::uintmax_t limit = 64U << 10U;
  log_keeper keeper(scratch_.path(), limit);
  append("born\n");
  for (int round = 0; round < 40; ++round) {
    append(numbered_lines(1000 * round, 1000 * round + 999));
    keeper.tick();
  }
  std::uintmax_t total = 0;
  for (const auto& entry : fs::directory_iterator(scratch_.path())) total += entry.file_size();
  EXPECT_LT(total, 2 * limit) << "after 480 KB";
  const std::string quoted = log_excerpt(path_);
  EXPECT_NE(quoted.find("born"), std::string::npos) << quoted;
  EXPECT_NE(quoted.find("line 39999"), std::string::npos) << quoted;
}

}  // namespace
}  // namespace ordeal::harness
