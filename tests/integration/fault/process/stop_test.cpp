// Ending children: in order, by force, with what they have started.
#include <csignal>

#include "net/async/task_group.h"
#include "tests/integration/fault/support/warden_test.h"

namespace ordeal::fault {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class StopTest : public warden_test {
 protected:
  // A shell that has set its trap. It forks nobody afterwards: a process that is stopped inside
  // vfork stays in state D.
  asio::awaitable<std::unique_ptr<process>> shell_with_trap(std::string trap) {
    std::unique_ptr<process> child =
        co_await launched(shell(trap + "; sleep 1000 & echo ready; wait"));
    const std::function<bool()> is_ready = [this] {
      return log().find("ready") != std::string::npos;
    };
    co_await comes_true("the shell has set its trap", is_ready);
    co_return child;
  }
  asio::awaitable<void> stop_in_order();
  asio::awaitable<void> stop_by_force();
  asio::awaitable<void> stop_paused();
  asio::awaitable<void> stop_twice();
  asio::awaitable<void> group_goes_with_leader();
  asio::awaitable<void> destroy();
  asio::awaitable<void> pause_and_go_on();
  asio::awaitable<void> wait_for(process* which, int* count);
  asio::awaitable<void> several_wait();
};

asio::awaitable<void> StopTest::stop_in_order() {
  const auto child = co_await shell_with_trap("trap 'exit 5' TERM");
  const process_exit ended = co_await child->stop(seconds(10));
  EXPECT_EQ(ended.describe(), "exit code 5");
}
TEST_F(StopTest, TermIsEnoughForWhoListens) {
  test::run_coro(io_, stop_in_order());
}

asio::awaitable<void> StopTest::stop_by_force() {
  const auto child = co_await shell_with_trap("trap '' TERM");
  const auto begin = net::now();
  const process_exit ended = co_await child->stop(milliseconds(200));
  EXPECT_EQ(ended.describe(), "killed by SIGKILL");
  EXPECT_GE(net::now() - begin, milliseconds(200));
}
TEST_F(StopTest, KillAfterTheGraceForWhoIgnoresTerm) {
  test::run_coro(io_, stop_by_force());
}

asio::awaitable<void> StopTest::stop_paused() {
  const auto child = co_await shell_with_trap("trap 'exit 5' TERM");
  child->signal(SIGSTOP);
  const bool is_stopped = co_await wait_stopped(child->pid(), true, seconds(5));
  EXPECT_TRUE(is_stopped);
  const process_exit ended = co_await child->stop(seconds(10));
  EXPECT_EQ(ended.describe(), "exit code 5");
}
TEST_F(StopTest, PausedProcessEndsInOrder) {
  test::run_coro(io_, stop_paused());
}

asio::awaitable<void> StopTest::stop_twice() {
  const auto child = co_await launched(shell("sleep 1000"));
  EXPECT_FALSE(child->exit());
  const process_exit first = co_await child->stop(seconds(10));
  const process_exit second = co_await child->stop(seconds(10));
  EXPECT_EQ(first.describe(), "killed by SIGTERM");
  EXPECT_EQ(second.describe(), "killed by SIGTERM");
  EXPECT_TRUE(child->exit());
  EXPECT_FALSE(child->signal(SIGTERM));
  EXPECT_FALSE(process_state(child->pid()));
}
TEST_F(StopTest, StoppingWhatHasEndedSaysHowItEnded) {
  test::run_coro(io_, stop_twice());
}

asio::awaitable<void> StopTest::group_goes_with_leader() {
  const auto child = co_await launched(shell("sleep 1000 & echo $!; exit 0"));
  co_await child->wait_exit();
  const pid_t grandchild = std::stoi(log());
  const std::function<bool()> has_ended = [grandchild] { return is_gone(grandchild); };
  co_await comes_true("the grandchild is gone", has_ended);
}
TEST_F(StopTest, WhatItLeavesInItsGroupIsKilled) {
  test::run_coro(io_, group_goes_with_leader());
}

asio::awaitable<void> StopTest::destroy() {
  auto child = co_await launched(shell("sleep 1000"));
  const pid_t pid = child->pid();
  child.reset();
  const std::function<bool()> has_ended = [pid] { return is_gone(pid); };
  co_await comes_true("the process is gone", has_ended);
}
TEST_F(StopTest, DestroyingTheObjectKillsTheProcess) {
  test::run_coro(io_, destroy());
}

asio::awaitable<void> StopTest::pause_and_go_on() {
  const auto child = co_await launched(shell("exec sleep 1000"));
  const pid_t pid = child->pid();
  child->signal(SIGSTOP);
  bool is_as_wanted = co_await wait_stopped(pid, true, seconds(5));
  EXPECT_TRUE(is_as_wanted);
  is_as_wanted = co_await wait_stopped(pid, false, milliseconds(50));
  EXPECT_FALSE(is_as_wanted);
  child->signal(SIGCONT);
  is_as_wanted = co_await wait_stopped(pid, false, seconds(5));
  EXPECT_TRUE(is_as_wanted);
  bool has_ended = co_await ended_within(*child, milliseconds(50));
  EXPECT_FALSE(has_ended);
  child->signal(SIGKILL);
  has_ended = co_await ended_within(*child, seconds(5));
  EXPECT_TRUE(has_ended);
  is_as_wanted = co_await wait_stopped(pid, false, seconds(5));
  EXPECT_FALSE(is_as_wanted) << "a process that is gone is in no state";
}
TEST_F(StopTest, SignalsPauseItAndLetItGoOn) {
  test::run_coro(io_, pause_and_go_on());
}

asio::awaitable<void> StopTest::wait_for(process* which, int* count) {
  const process_exit ended = co_await which->wait_exit();
  EXPECT_EQ(ended.describe(), "killed by SIGKILL");
  ++*count;
}
asio::awaitable<void> StopTest::several_wait() {
  const auto child = co_await launched(shell("sleep 1000"));
  int count = 0;
  net::task_group waiters(io_.get_executor());
  for (int i = 0; i < 3; ++i) waiters.spawn("waiter", wait_for(child.get(), &count));
  child->signal(SIGKILL);
  co_await waiters.join();
  EXPECT_EQ(count, 3);
}
TEST_F(StopTest, SeveralMayWait) {
  test::run_coro(io_, several_wait());
}

}  // namespace
}  // namespace ordeal::fault
