#include "harness/run/nemesis.h"

#include "net/async/clock.h"

namespace ordeal::harness {
namespace asio = net::asio;
using fault::fault_state;
using fault::step_result;

nemesis::nemesis(test_bed& bed, const std::vector<fault::fault_spec>& specs, on_change changed)
    : bed_(bed),
      specs_(specs),
      changed_(std::move(changed)),
      states_(specs.size(), fault_state::planned),
      stopping_(bed.executor()),
      tasks_(bed.executor()) {}

void nemesis::start(net::time_point zero) {
  for (std::size_t i = 0; i < specs_.size(); ++i)
    tasks_.spawn(specs_[i].name, run_one(i, zero + specs_[i].at));
}

void nemesis::enter(std::size_t index, fault_state state, std::string evidence) {
  states_[index] = state;
  changed_(index, state, std::move(evidence));
}

asio::awaitable<void> nemesis::run_one(std::size_t index, net::time_point due) {
  const bool is_too_late = co_await stopping_.wait_for(due - net::now());
  if (is_too_late) co_return;
  const fault::fault_kind& kind = *fault::find_kind(specs_[index].kind);
  const std::unique_ptr<fault::fault> what = kind.make(specs_[index], bed_);
  const bool is_on_redis = kind.target == fault::target_kind::redis;
  if (is_on_redis) bed_.begin_redis_fault();
  co_await carry_out(index, *what);
  if (is_on_redis) bed_.end_redis_fault();
}

// A fault that could not be injected or confirmed is healed all the same: nobody knows what it left behind. It stays
// failed then.
asio::awaitable<void> nemesis::carry_out(std::size_t index, fault::fault& what) {
  enter(index, fault_state::injecting, {});
  step_result step = co_await guarded(what.inject());
  if (step.is_ok) step = co_await guarded(what.confirm_active());
  const bool is_active = step.is_ok;
  enter(index, is_active ? fault_state::active : fault_state::failed, step.evidence);

  if (is_active) {
    const fault::fault_spec& spec = specs_[index];
    const auto hold = spec.held ? spec.held : what.hold();
    if (hold) co_await stopping_.wait_for(*hold);
    enter(index, fault_state::healing, {});
  }
  step = co_await guarded(what.heal());
  if (step.is_ok) step = co_await guarded(what.confirm_healed());
  if (is_active)
    enter(index, step.is_ok ? fault_state::healed : fault_state::failed, step.evidence);
}

asio::awaitable<step_result> nemesis::guarded(asio::awaitable<step_result> step) {
  step_result result;
  try {
    result = co_await std::move(step);
  } catch (const std::exception& thrown) {
    result = step_result{false, thrown.what()};
  }
  co_return result;
}

}  // namespace ordeal::harness
