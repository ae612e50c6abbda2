// What a child gets and what is reported of it, with real shells.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <csignal>

#include "tests/integration/fault/support/warden_test.h"

namespace ordeal::fault {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class ProcessTest : public warden_test {
 protected:
  // Runs a script to its end.
  asio::awaitable<process_exit> exit_of(process_spec spec) {
    const std::unique_ptr<process> child = co_await launched(std::move(spec));
    if (!child) co_return process_exit();
    co_return co_await child->wait_exit();
  }

  asio::awaitable<void> expect_exit(process_spec spec, std::string expected) {
    const process_exit ended = co_await exit_of(std::move(spec));
    EXPECT_EQ(ended.describe(), expected);
  }

  asio::awaitable<void> expect_failure(process_spec spec, std::string expected) {
    const launch_result result = co_await launcher_->launch(std::move(spec));
    EXPECT_EQ(result.started, nullptr);
    EXPECT_THAT(result.error, StartsWith(expected));
    EXPECT_EQ(result.is_program_missing, expected.find("no program") != std::string::npos);
  }

  asio::awaitable<void> expect_true(std::function<bool()> condition) {
    co_await comes_true("what the test waits for", condition);
  }

  asio::awaitable<void> work_and_stop();
};

TEST_F(ProcessTest, ReportsItsExitCode) {
  test::run_coro(io_, expect_exit(shell("exit 3"), "exit code 3"));
}

TEST_F(ProcessTest, ReportsTheSignalThatKilledIt) {
  test::run_coro(io_, expect_exit(shell("kill -SEGV $$"), "killed by SIGSEGV"));
}

TEST_F(ProcessTest, AppendsBothOutputsToAPrivateLogFile) {
  test::run_coro(io_, expect_exit(shell("echo one; echo two >&2"), "exit code 0"));
  test::run_coro(io_, expect_exit(shell("echo three"), "exit code 0"));
  EXPECT_EQ(log(), "one\ntwo\nthree\n");
  struct stat facts {};
  ASSERT_EQ(::stat(log_file().c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777U, 0600U);
}

TEST_F(ProcessTest, GetsOnlyTheEnvironmentThatIsMeantForIt) {
  ::setenv("ORDEAL_TEST_SECRET", "do not leak", 1);
  process_spec spec = shell("env");
  spec.env = {{"PORT", "8080"}};
  test::run_coro(io_, expect_exit(spec, "exit code 0"));
  EXPECT_THAT(log(), HasSubstr("PORT=8080\n"));
  EXPECT_THAT(log(), HasSubstr("PATH="));
  EXPECT_THAT(log(), testing::Not(HasSubstr("ORDEAL_TEST_SECRET")));
}

TEST_F(ProcessTest, StartsInItsWorkdir) {
  process_spec spec = shell("pwd");
  spec.workdir = directory_;
  test::run_coro(io_, expect_exit(spec, "exit code 0"));
  EXPECT_EQ(log(), std::filesystem::canonical(directory_).string() + "\n");
}

TEST_F(ProcessTest, MayOpenAsManyDescriptorsAsItIsGivenAndNoMore) {
  process_spec spec = shell("ulimit -Sn; ulimit -Hn");
  spec.descriptors_max = 80;
  test::run_coro(io_, expect_exit(spec, "exit code 0"));
  EXPECT_EQ(log(), "80\n80\n");
}

TEST_F(ProcessTest, MoreDescriptorsThanTheSystemAllowsAreRefusedWithTheReason) {
  process_spec spec = shell("exit 0");
  spec.descriptors_max = std::uint64_t{1} << 40;  // above fs.nr_open anywhere
  test::run_coro(io_, expect_failure(spec,
                                     "cannot start shell: cannot limit it to 1099511627776 "
                                     "descriptors: "));
}

TEST_F(ProcessTest, ReadsItsStdinText) {
  process_spec spec = shell("cat");
  spec.stdin_text = "port 1234\nuser chat\n";
  test::run_coro(io_, expect_exit(spec, "exit code 0"));
  EXPECT_EQ(log(), spec.stdin_text);
}

// More than a pipe holds by default, and a reader that is slow to begin.
TEST_F(ProcessTest, ReadsALongStdinText) {
  process_spec spec = shell("sleep 0.1; wc -c");
  spec.stdin_text = std::string(150'000, 'x');
  test::run_coro(io_, expect_exit(spec, "exit code 0"));
  EXPECT_EQ(log(), "150000\n");
}

TEST_F(ProcessTest, WithoutStdinTextItReadsNothing) {
  test::run_coro(io_, expect_exit(shell("cat"), "exit code 0"));
  EXPECT_EQ(log(), "");
}

TEST_F(ProcessTest, StartsWithCleanSignals) {
  test::run_coro(io_,
                 expect_exit(shell("grep -E 'SigBlk|SigIgn' /proc/self/status"), "exit code 0"));
  EXPECT_EQ(log(), "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
}

TEST_F(ProcessTest, InheritsNoDescriptor) {
  test::run_coro(io_, expect_exit(shell("ls /proc/$$/fd"), "exit code 0"));
  EXPECT_EQ(log(), "0\n1\n2\n");
}

// A descriptor without close-on-exec that was open when the warden was forked.
TEST_F(ProcessTest, TheWardenHoldsNothingOpen) {
  const int leaky = ::open("/dev/null", O_RDONLY);
  ASSERT_GE(leaky, 0);
  const warden second = warden::fork_now();
  ::close(leaky);
  const auto descriptors = std::filesystem::path("/proc") / std::to_string(second.pid()) / "fd";
  const auto targets_of = [&descriptors] {
    std::vector<std::string> targets;
    for (const auto& each : std::filesystem::directory_iterator(descriptors)) {
      std::error_code closed_meanwhile;
      const auto target = std::filesystem::read_symlink(each.path(), closed_meanwhile).string();
      targets.push_back(target.substr(0, target.find(':')));
    }
    std::sort(targets.begin(), targets.end());
    return targets;
  };
  const std::vector<std::string> expected{"/dev/null", "/dev/null", "/dev/null", "anon_inode",
                                          "socket"};
  const std::function<bool()> has_settled = [&] { return targets_of() == expected; };
  test::run_coro(io_, expect_true(has_settled));
}

TEST_F(ProcessTest, LeadsAGroupOfItsOwn) {
  test::run_coro(io_, expect_exit(shell("cut -d' ' -f1,5 /proc/$$/stat"), "exit code 0"));
  std::istringstream ids(log());
  pid_t pid = 0, group = -1;
  ids >> pid >> group;
  EXPECT_EQ(pid, group);
}

TEST_F(ProcessTest, MissingProgramIsNamed) {
  process_spec spec = shell("");
  spec.command = {"no-such-program"};
  test::run_coro(io_,
                 expect_failure(spec, "cannot start shell: no program 'no-such-program' on PATH"));
}

TEST_F(ProcessTest, MissingWorkdirIsNamed) {
  process_spec spec = shell("");
  spec.workdir = directory_ / "nowhere";
  test::run_coro(io_,
                 expect_failure(spec, "cannot start shell: cannot enter its working directory " +
                                          spec.workdir.string()));
}

TEST_F(ProcessTest, UnwritableLogFileIsNamed) {
  process_spec spec = shell("");
  spec.log_file = directory_ / "nowhere" / "log";
  test::run_coro(io_, expect_failure(spec, "cannot start shell: cannot open its log file " +
                                               spec.log_file.string()));
}

TEST_F(ProcessTest, TooLongAStdinTextIsRefused) {
  process_spec spec = shell("cat");
  spec.stdin_text = std::string(4'000'000, 'x');
  test::run_coro(
      io_, expect_failure(
               spec, "cannot start shell: its command, environment and stdin together are too"));
  test::run_coro(io_, expect_exit(shell("exit 4"), "exit code 4"));  // the warden goes on
}

asio::awaitable<void> ProcessTest::work_and_stop() {
  const auto child = co_await launched(shell("while :; do :; done"));
  if (!child) co_return;
  const pid_t pid = child->pid();
  const std::function<bool()> has_worked = [pid] {
    return process_cpu_time(pid) > std::chrono::milliseconds(30);
  };
  co_await comes_true("30 ms of CPU time", has_worked);
  co_await child->stop(std::chrono::seconds(5));
  EXPECT_EQ(process_cpu_time(pid).count(), 0);
}
TEST_F(ProcessTest, CpuTimeOfABusyChildGrows) {
  test::run_coro(io_, work_and_stop());
}

}  // namespace
}  // namespace ordeal::fault
