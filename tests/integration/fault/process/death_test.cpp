// No descendant survives: neither the program that is killed with -9, nor the warden, nor those
// that fled their group.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <vector>

#include "tests/integration/fault/support/warden_test.h"

namespace ordeal::fault {
namespace {

using std::chrono::seconds;

class DeathTest : public warden_test {
 protected:
  std::vector<pid_t> pids_in_log() const {
    std::vector<pid_t> pids;
    std::istringstream text(log());
    for (pid_t pid = 0; text >> pid;) pids.push_back(pid);
    return pids;
  }
  asio::awaitable<void> log_says(std::string word) {
    const std::function<bool()> is_there = [this, word] {
      return log().find(word) != std::string::npos;
    };
    co_await comes_true("the log says " + word, is_there);
  }
  asio::awaitable<void> all_go(std::vector<pid_t> pids) {
    for (const pid_t pid : pids) {
      const std::function<bool()> has_ended = [pid] { return is_gone(pid); };
      co_await comes_true("process " + std::to_string(pid) + " is gone", has_ended);
    }
  }
  asio::awaitable<void> warden_is_killed();
  asio::awaitable<void> warden_is_stopped();
  asio::awaitable<void> start_fugitive();
  asio::awaitable<void> launch_something() {
    const auto child = co_await launched(shell("exit 0"));
    if (child) co_await child->wait_exit();
  }

  std::unique_ptr<process> child_;
};

TEST_F(DeathTest, KilledProgramLeavesNobody) {
  const pid_t program = ::fork();
  if (program == 0) {
    ::execl(ORPHAN_MAKER, ORPHAN_MAKER, log_file().c_str(), nullptr);
    ::_exit(127);
  }
  test::run_coro(io_, log_says("ready"));
  const std::vector<pid_t> pids = pids_in_log();  // two sleepers, the shell, the warden
  EXPECT_EQ(pids.size(), 4U);
  for (const pid_t pid : pids) EXPECT_FALSE(is_gone(pid)) << pid;
  ::kill(program, SIGKILL);
  ::waitpid(program, nullptr, 0);
  test::run_coro(io_, all_go(pids));
  for (const pid_t pid : pids) {
    if (!is_gone(pid)) ::kill(pid, SIGKILL);  // of a failed test
  }
}

asio::awaitable<void> DeathTest::start_fugitive() {
  child_ = co_await launched(
      shell("(setsid sh -c 'echo $$; echo ready; exec sleep 1000' &); exec sleep 1000"));
  co_await log_says("ready");
  co_await child_->stop(seconds(10));
}

TEST_F(DeathTest, TheEndOfTheWardenWaitsForFugitives) {
  std::optional<warden> second(warden::fork_now());
  launcher_ = second->make_launcher(io_.get_executor());
  test::run_coro(io_, start_fugitive());
  const std::vector<pid_t> pids = pids_in_log();
  ASSERT_EQ(pids.size(), 1U);
  EXPECT_FALSE(is_gone(pids[0]));
  const pid_t warden_pid = second->pid();
  second.reset();
  EXPECT_TRUE(is_gone(pids[0]));
  EXPECT_FALSE(process_state(warden_pid));
  launcher_.reset();
}

asio::awaitable<void> DeathTest::warden_is_killed() {
  child_ = co_await launched(shell("exec sleep 1000"));
  if (!child_) co_return;
  const pid_t pid = child_->pid();
  ::kill(warden_.pid(), SIGKILL);
  const process_exit ended = co_await child_->wait_exit();
  EXPECT_EQ(ended.describe(), "killed by SIGKILL");
  std::vector<pid_t> pids(1, pid);
  co_await all_go(pids);
  EXPECT_FALSE(child_->signal(SIGTERM));
  const launch_result next = co_await launcher_->launch(shell("exit 0"));
  EXPECT_EQ(next.error, "cannot start shell: the warden, which starts the processes, has ended");
}

TEST_F(DeathTest, KilledWardenTakesItsChildrenAlong) {
  test::run_coro(io_, warden_is_killed());
}

// Ctrl-C and service managers end the program in order; the warden waits for it.
TEST_F(DeathTest, TheWardenIgnoresWhatIsMeantForTheProgram) {
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGALRM, SIGPIPE, SIGRTMIN})
    ::kill(warden_.pid(), number);
  test::run_coro(io_, launch_something());
  EXPECT_FALSE(is_gone(warden_.pid()));
  EXPECT_EQ(::getpgid(warden_.pid()), warden_.pid());
}

asio::awaitable<void> DeathTest::warden_is_stopped() {
  ::kill(warden_.pid(), SIGSTOP);
  const bool is_stopped = co_await wait_stopped(warden_.pid(), true, seconds(10));
  EXPECT_TRUE(is_stopped);
  co_await launch_something();
  child_ = co_await launched(shell("exec sleep 1000"));
  if (!child_) co_return;
  ::kill(warden_.pid(), SIGSTOP);
  co_await wait_stopped(warden_.pid(), true, seconds(10));
  // The end of the child has to be told by somebody who sleeps when it happens.
  ::kill(child_->pid(), SIGKILL);
  const process_exit ended = co_await child_->wait_exit();
  EXPECT_EQ(ended.describe(), "killed by SIGKILL");
}

TEST_F(DeathTest, AStoppedWardenIsWokenUp) {
  test::run_coro(io_, warden_is_stopped());
}

TEST_F(DeathTest, AWardenThatIsStoppedAtTheEndIsWokenUpToClean) {
  const std::filesystem::path doomed = directory_ / "doomed";
  std::filesystem::create_directories(doomed / "below");
  std::ofstream(doomed / "below/secret") << "x";
  std::optional<warden> second(warden::fork_now());
  launcher_ = second->make_launcher(io_.get_executor());
  launcher_->remove_at_end(doomed);
  launcher_.reset();
  ::kill(second->pid(), SIGSTOP);
  EXPECT_TRUE(std::filesystem::exists(doomed));
  second.reset();
  EXPECT_FALSE(std::filesystem::exists(doomed));
}

}  // namespace
}  // namespace ordeal::fault
