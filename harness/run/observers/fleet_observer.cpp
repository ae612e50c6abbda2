#include "harness/run/observers/fleet_observer.h"

#include <algorithm>

#include "net/async/condition.h"

namespace ordeal::harness {
namespace asio = net::asio;
namespace {

constexpr std::chrono::milliseconds ring_interval{100};
constexpr std::chrono::seconds report_interval{1};

}  // namespace

loop_meter::loop_meter(net::time_point now, std::chrono::nanoseconds cpu)
    : due_(now + ring_interval), since_(now), cpu_(cpu) {}

std::optional<observer_usage> loop_meter::rang(net::time_point now, std::chrono::nanoseconds cpu) {
  stall_ = std::max<std::chrono::nanoseconds>(stall_, now - due_);
  due_ = now + ring_interval;
  const auto passed = now - since_;
  if (passed < report_interval) return std::nullopt;
  observer_usage usage;
  usage.busy_permille = static_cast<std::uint32_t>(1000 * (cpu - cpu_).count() / passed.count());
  usage.stall = stall_;
  since_ = now;
  cpu_ = cpu;
  stall_ = {};
  return usage;
}

asio::awaitable<void> observe_fleet(fleet_thread& there, const bool& is_over) {
  loop_meter meter(net::now(), fleet_thread::cpu_time());
  while (!is_over) {
    co_await net::sleep_for(meter.due() - net::now());
    auto usage = meter.rang(net::now(), fleet_thread::cpu_time());
    if (!usage || is_over) continue;
    usage->at = there.elapsed();
    there.recorder().on(*usage);
  }
}

}  // namespace ordeal::harness
