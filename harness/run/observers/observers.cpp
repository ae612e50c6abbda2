#include "harness/run/observers/observers.h"

#include "harness/run/observers/clock_observer.h"
#include "harness/run/observers/fleet_observer.h"
#include "harness/run/observers/link_observer.h"
#include "harness/run/observers/log_observer.h"
#include "harness/run/observers/redis_observer.h"

namespace ordeal::harness {
namespace asio = net::asio;
namespace {

constexpr std::chrono::seconds interval{1};

}  // namespace

observers::observers(test_bed& bed, fleet_thread& load)
    : bed_(bed), fleet_(load), stopping_(bed.executor()), tasks_(bed.executor()) {}

void observers::start() {
  tasks_.spawn("nodes", watch_nodes());
  tasks_.spawn("logs", watch_logs());
  tasks_.spawn("links", watch_links());
  // Connections of others to an external Redis say nothing about the target.
  if (bed_.redis() != nullptr) tasks_.spawn("redis", watch_redis(*bed_.redis()));
  tasks_.spawn("fleet", watch_fleet());
  tasks_.spawn("clocks", watch_clocks());
}

asio::awaitable<void> observers::stop() {
  stopping_.set();
  const auto end = [this](fleet_thread&) { is_fleet_watch_over_ = true; };
  co_await fleet_.call(end);
  co_await tasks_.join();
}

asio::awaitable<void> observers::watch_nodes() {
  node_observer nodes(bed_.node_processes());
  for (;;) {
    for (const node_usage& sample : nodes.look([this] { return fleet_.elapsed(); }))
      fleet_.post(sample);
    const bool is_over = co_await stopping_.wait_for(interval);
    if (is_over) co_return;
  }
}

asio::awaitable<void> observers::watch_logs() {
  log_observer logs(bed_.node_processes());
  for (bool is_over = false; !is_over;) {
    is_over = co_await stopping_.wait_for(interval);
    for (reason_heard& each : logs.look(fleet_.elapsed())) fleet_.post(std::move(each));
  }
}

asio::awaitable<void> observers::watch_links() {
  for (bool is_over = false; !is_over;) {
    is_over = co_await stopping_.wait_for(interval);
    co_await look_at_links(bed_, fleet_);
  }
}

asio::awaitable<void> observers::watch_redis(fault::managed_redis& redis) {
  // The last look is after the probe, for which a node may have needed its connections first.
  for (bool is_last = false;;) {
    const auto count = co_await count_connections(redis);
    if (count) fleet_.post(redis_usage{fleet_.elapsed(), *count});
    if (is_last) co_return;
    is_last = co_await stopping_.wait_for(interval);
  }
}

asio::awaitable<void> observers::watch_fleet() {
  co_await fleet_.await(observe_fleet(fleet_, is_fleet_watch_over_));
}

asio::awaitable<void> observers::watch_clocks() {
  auto before = read_clocks();
  for (;;) {
    const bool is_over = co_await stopping_.wait_for(interval);
    if (is_over) co_return;
    const auto now = read_clocks();
    if (!now) continue;
    auto jump = before ? find_jump(*before, *now) : std::nullopt;
    before = now;
    if (!jump) continue;
    jump->at = fleet_.elapsed();
    fleet_.post(*jump);
  }
}

}  // namespace ordeal::harness
