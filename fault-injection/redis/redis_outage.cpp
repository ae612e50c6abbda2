#include "fault-injection/redis/redis_outage.h"

#include "fault-injection/environment.h"
#include "fault-injection/redis/loopback.h"
#include "fault-injection/redis/managed_redis.h"
#include "fault-injection/redis/redis_faults.h"

namespace ordeal::fault {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds connect_limit{1'000};
constexpr milliseconds ping_limit{2'000};

class redis_outage final : public fault {
 public:
  redis_outage(environment& where, int signal_number, milliseconds exit_limit)
      : redis_(where.redis()), signal_number_(signal_number), exit_limit_(exit_limit) {}

  asio::awaitable<step_result> inject() override {
    step_result result;
    if (redis_ == nullptr) co_return no_managed_redis();
    result.evidence = "redis-server is already down";
    if (redis_->running_process() == nullptr) co_return result;
    result.evidence = "redis-server does not answer INFO";
    run_id_before_ = co_await read_run_id(*redis_);
    process* const victim = redis_->running_process();
    if (run_id_before_.empty() || victim == nullptr) co_return result;
    victim_ = victim->pid();
    result.is_ok = victim->signal(signal_number_);
    result.evidence =
        signal_name(signal_number_) + " to redis-server, pid " + std::to_string(victim_);
    co_return result;
  }

  asio::awaitable<step_result> confirm_active() override {
    step_result result;
    if (redis_ == nullptr) co_return no_managed_redis();
    if (process* const running = redis_->running_process()) {
      const pid_t pid = running->pid();
      const milliseconds patience = pid == victim_ ? exit_limit_ : milliseconds(0);
      const bool has_ended = co_await ended_within(*running, patience);
      result.evidence = "redis-server, pid " + std::to_string(pid) + ", still runs";
      if (!has_ended) co_return result;
    }
    const auto ec = co_await try_connect(redis_->port(), connect_limit);
    const std::string what = ec ? ec.message() : "accepted";
    result.is_ok = ec == asio::error::connection_refused;
    result.evidence = "the process has ended; a new connection to port " +
                      std::to_string(redis_->port()) + ": " + what;
    co_return result;
  }

  asio::awaitable<step_result> heal() override {
    step_result result;
    if (redis_ == nullptr) co_return no_managed_redis();
    process* running = redis_->running_process();
    if (running != nullptr && running->pid() == victim_) {
      co_await running->stop(milliseconds(0));  // it was told to end and did not
      running = redis_->running_process();
    }
    if (running == nullptr) co_return co_await redis_->start();
    result.is_ok = true;
    result.evidence = "redis-server, pid " + std::to_string(running->pid()) + ", runs";
    co_return result;
  }

  asio::awaitable<step_result> confirm_healed() override {
    step_result result;
    if (redis_ == nullptr) co_return no_managed_redis();
    const std::string answer = co_await redis_->ping(ping_limit);
    const std::string run_id = co_await read_run_id(*redis_);
    const bool is_new = !run_id.empty() && run_id != run_id_before_;
    result.is_ok = answer == "PONG" && is_new;
    result.evidence = "PING on a new connection: " + (answer.empty() ? "no reply" : answer);
    result.evidence += is_new ? "; its run_id is a new one" : "; its run_id is the one of before";
    co_return result;
  }

 private:
  managed_redis* redis_;
  int signal_number_;
  milliseconds exit_limit_;
  pid_t victim_ = -1;
  std::string run_id_before_;
};

}  // namespace

step_result no_managed_redis() {
  return step_result{false,
                     "this fault needs a Redis of Ordeal's own (backplane.redis.mode: managed)"};
}

std::unique_ptr<fault> make_redis_outage(environment& where, int signal_number,
                                         milliseconds exit_limit) {
  return std::make_unique<redis_outage>(where, signal_number, exit_limit);
}

}  // namespace ordeal::fault
