#include "fault-injection/link/toxic_fault.h"

#include <numeric>
#include <utility>

#include "fault-injection/redis/managed_redis.h"
#include "net/async/task_group.h"

namespace ordeal::fault {
namespace {

asio::awaitable<void> run_step(asio::awaitable<step_result> work, step_result& result) {
  auto observed = co_await std::move(work);
  result = std::move(observed);
}

}  // namespace

toxic_fault::toxic_fault(const fault_spec& spec, environment& env) : env_(env), nodes_(spec.nodes) {
  if (!nodes_.empty()) return;
  nodes_.resize(env.nodes().node_count());
  std::iota(nodes_.begin(), nodes_.end(), std::size_t(0));
}

asio::awaitable<step_result> toxic_fault::inject() {
  return on_every_link([this](std::size_t node) { return inject_link(node); });
}

asio::awaitable<step_result> toxic_fault::confirm_active() {
  return on_every_link([this](std::size_t node) { return confirm_link(node); });
}

asio::awaitable<step_result> toxic_fault::heal() {
  return on_every_link([this](std::size_t node) { return heal_link(node); });
}

asio::awaitable<step_result> toxic_fault::confirm_healed() {
  return on_every_link([this](std::size_t node) { return confirm_link_healed(node); });
}

asio::awaitable<step_result> toxic_fault::on_every_link(step what) {
  std::vector<step_result> results(nodes_.size());
  net::task_group steps(env_.executor());
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    steps.spawn(env_.nodes().name(nodes_[i]), run_step(what(nodes_[i]), results[i]));
  }
  co_await steps.join();

  step_result all;
  all.is_ok = !results.empty();
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    all.is_ok = all.is_ok && results[i].is_ok;
    if (i > 0) all.evidence += "; ";
    all.evidence += env_.nodes().name(nodes_[i]) + ": " + results[i].evidence;
  }
  co_return all;
}

asio::awaitable<step_result> toxic_fault::inject_link(std::size_t node) {
  toxics next = link_of(node).applied();
  poison(next);
  co_await link_of(node).apply(next);
  const link_counters counters = co_await link_of(node).counters();
  step_result result;
  result.is_ok = true;
  result.evidence = "toxics of generation " + std::to_string(counters.generation) + " in force, " +
                    std::to_string(counters.open) + " connections open";
  co_return result;
}

asio::awaitable<step_result> toxic_fault::heal_link(std::size_t node) {
  toxics next = link_of(node).applied();
  cure(next);
  co_await link_of(node).apply(next);
  const link_counters counters = co_await link_of(node).counters();
  step_result result;
  result.is_ok = true;
  result.evidence = "taken back with generation " + std::to_string(counters.generation);
  co_return result;
}

asio::awaitable<step_result> toxic_fault::confirm_link_healed(std::size_t node) {
  const toxics left = link_of(node).applied();
  toxics cured = left;
  cure(cured);
  step_result result;
  if (!(cured == left)) {
    result.evidence = "its toxics are still in force";
    co_return result;
  }
  if (left.is_blackhole || left.is_refusing) {
    result.is_ok = true;
    result.evidence = "not to be seen: another fault cuts this link";
    co_return result;
  }
  const auto limit = prompt_reply_limit +
                     2 * std::chrono::ceil<std::chrono::milliseconds>(left.latency + left.jitter);
  canary_report canary = co_await send_canary(link_of(node).port(), limit);
  result.is_ok = canary.is_answered();
  result.evidence = canary.describe();
  if (result.is_ok || env_.redis() == nullptr) co_return result;
  // A link in front of a dead Redis is as dead as Redis is, and whole all the same.
  const std::string direct = co_await env_.redis()->ping(prompt_reply_limit);
  if (direct != "PONG") {
    result.is_ok = true;
    result.evidence +=
        "; Redis itself does not serve either" + (direct.empty() ? "" : ": " + direct);
    co_return result;
  }
  // It serves now, but it may have come up only after the first canary.
  canary = co_await send_canary(link_of(node).port(), limit);
  result.is_ok = canary.is_answered();
  result.evidence = canary.describe() + "; Redis itself answers";
  co_return result;
}

}  // namespace ordeal::fault
