#include "fault-injection/process/process.h"

#include <cstring>
#include <ctime>

#include "fault-injection/process/proc_stat.h"
#include "net/async/clock.h"
#include "net/async/condition.h"
#include "net/async/deadline.h"

namespace ordeal::fault {

std::string signal_name(int number) {
  const char* const name = ::sigabbrev_np(number);
  return name == nullptr ? "signal " + std::to_string(number) : std::string("SIG") + name;
}

std::string process_exit::describe() const {
  return by_signal ? "killed by " + signal_name(code) : "exit code " + std::to_string(code);
}

std::optional<char> process_state(pid_t pid) {
  const auto stat = read_proc_stat(pid);
  if (!stat) return std::nullopt;
  return stat->state;
}

std::chrono::microseconds process_cpu_time(pid_t pid) {
  clockid_t clock{};
  timespec used{};
  if (::clock_getcpuclockid(pid, &clock) != 0 || ::clock_gettime(clock, &used) != 0) return {};
  return std::chrono::duration_cast<std::chrono::microseconds>(
      std::chrono::seconds(used.tv_sec) + std::chrono::nanoseconds(used.tv_nsec));
}

asio::awaitable<bool> wait_stopped(pid_t pid, bool is_stopped, std::chrono::milliseconds limit) {
  constexpr auto interval = std::chrono::milliseconds(5);
  const auto deadline = net::now() + limit;
  while (true) {
    const std::optional<char> state = process_state(pid);
    if (state && (*state == 'T') == is_stopped) co_return true;
    if (!state || net::now() >= deadline) co_return false;
    co_await net::sleep_for(interval);
  }
}

asio::awaitable<bool> ended_within(process& which, std::chrono::milliseconds limit) {
  const auto ended = co_await net::with_deadline(which.wait_exit(), limit);
  co_return ended.has_value();
}

}  // namespace ordeal::fault
