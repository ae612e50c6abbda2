// Lines of /proc/PID/stat, with the names that programs give themselves.
#include "fault-injection/process/proc_stat.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>

#include "fault-injection/process/process.h"

namespace ordeal::fault {
namespace {

TEST(ProcStat, ReadsStateAndParent) {
  const auto stat = parse_proc_stat("4711 (redis-server) T 42 4711 4711 0 -1 4194560");
  ASSERT_TRUE(stat);
  EXPECT_EQ(stat->state, 'T');
  EXPECT_EQ(stat->parent, 42);
}

TEST(ProcStat, NameMayLookLikeFields) {
  const auto stat = parse_proc_stat("4711 (a) R 1 (b) S 42 4711");
  ASSERT_TRUE(stat);
  EXPECT_EQ(stat->state, 'S');
  EXPECT_EQ(stat->parent, 42);
}

TEST(ProcStat, RefusesWhatIsNoLine) {
  for (const char* const line : {"", "4711", "4711 (sh)", "4711 (sh) S", "4711 (sh) S x"}) {
    EXPECT_FALSE(parse_proc_stat(line)) << line;
  }
}

TEST(ProcStat, ReadsThisProcess) {
  const auto stat = read_proc_stat(::getpid());
  ASSERT_TRUE(stat);
  EXPECT_EQ(stat->parent, ::getppid());
  EXPECT_EQ(process_state(::getpid()), 'R');
}

TEST(ProcessExit, DescribesItself) {
  process_exit exited;
  exited.code = 3;
  EXPECT_EQ(exited.describe(), "exit code 3");
  exited.by_signal = true;
  exited.code = SIGSEGV;
  EXPECT_EQ(exited.describe(), "killed by SIGSEGV");
  exited.code = 63;  // a real-time signal has no name
  EXPECT_EQ(exited.describe(), "killed by signal 63");
}

}  // namespace
}  // namespace ordeal::fault
