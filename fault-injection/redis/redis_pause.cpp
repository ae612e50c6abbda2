#include <csignal>

#include "fault-injection/environment.h"
#include "fault-injection/redis/managed_redis.h"
#include "fault-injection/redis/redis_faults.h"

namespace ordeal::fault {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds state_limit{2'000};
constexpr milliseconds silence{
    300};  // a healthy loopback Redis answers in well under a millisecond
constexpr milliseconds ping_limit{5'000};

class redis_pause final : public fault {
 public:
  explicit redis_pause(environment& where) : redis_(where.redis()) {}

  asio::awaitable<step_result> inject() override { co_return send(SIGSTOP); }

  asio::awaitable<step_result> confirm_active() override {
    step_result result = co_await confirm_state(true);
    if (!result.is_ok) co_return result;
    const std::string answer = co_await redis_->ping(silence);
    result.is_ok = answer.empty();
    result.evidence += "; PING on a new connection: ";
    result.evidence +=
        answer.empty() ? "no reply in " + std::to_string(silence.count()) + " ms" : answer;
    co_return result;
  }

  asio::awaitable<step_result> heal() override { co_return send(SIGCONT); }

  asio::awaitable<step_result> confirm_healed() override {
    step_result result = co_await confirm_state(false);
    if (!result.is_ok) co_return result;
    const std::string answer = co_await redis_->ping(ping_limit);
    result.is_ok = answer == "PONG";
    result.evidence += "; PING on a new connection: " + (answer.empty() ? "no reply" : answer);
    co_return result;
  }

 private:
  step_result send(int signal_number) {
    if (redis_ == nullptr) return no_managed_redis();
    process* const running = redis_->running_process();
    if (running == nullptr || !running->signal(signal_number))
      return step_result{false, "redis-server is down"};
    const std::string pid = std::to_string(running->pid());
    return step_result{true, signal_name(signal_number) + " to redis-server, pid " + pid};
  }

  asio::awaitable<step_result> confirm_state(bool is_stopped) {
    step_result result;
    if (redis_ == nullptr) co_return no_managed_redis();
    process* const running = redis_->running_process();
    result.evidence = "redis-server is down";
    if (running == nullptr) co_return result;
    const pid_t pid = running->pid();
    result.is_ok = co_await wait_stopped(pid, is_stopped, state_limit);
    const char state = process_state(pid).value_or('?');
    result.evidence = "redis-server, pid " + std::to_string(pid) + ", is in state " + state;
    co_return result;
  }

  managed_redis* redis_;
};

std::unique_ptr<fault> make(const fault_spec&, environment& where) {
  return std::make_unique<redis_pause>(where);
}

}  // namespace

fault_kind redis_pause_kind() {
  fault_kind kind;
  kind.name = "redis_pause";
  kind.klass = fault_class::process;
  kind.target = target_kind::redis;
  kind.duration = duration_use::required;
  kind.doc =
      "Freezes Redis for `for`: SIGSTOP, then SIGCONT. Its connections stay open and new ones are "
      "still accepted by "
      "the kernel, but nothing is answered, as when a host hangs or a disk stalls; only timeouts "
      "notice. Commands that "
      "were sent meanwhile are carried out when it wakes. Confirmed when the process is in state T "
      "and a PING gets no "
      "reply in 300 ms; healed when it is not and PING is answered with PONG.";
  kind.make = make;
  return kind;
}

}  // namespace ordeal::fault
