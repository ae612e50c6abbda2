// The nemesis executes the plan's faults: waits for each one's time, injects, confirms, holds, heals, confirms. Every
// step is reported as it happens. Control thread only.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "fault-injection/fault.h"
#include "harness/run/test_bed.h"
#include "net/async/clock.h"
#include "net/async/task_group.h"

namespace ordeal::harness {

class nemesis {
 public:
  // `fault` is an index into the specs.
  using on_change =
      std::function<void(std::size_t fault, fault::fault_state state, std::string evidence)>;

  nemesis(test_bed& bed, const std::vector<fault::fault_spec>& specs, on_change changed);

  // Starts the clock: a fault planned at `at` is injected at zero + at.
  void start(net::time_point zero);
  // Faults that have not begun never will; active ones are healed now.
  void stop() { stopping_.set(); }
  // Returns when every fault is healed, failed or was never begun.
  net::asio::awaitable<void> join() { return tasks_.join(); }

  bool is_idle() const { return tasks_.size() == 0; }
  // The state of each fault now, for the live display.
  const std::vector<fault::fault_state>& states() const { return states_; }

 private:
  net::asio::awaitable<void> run_one(std::size_t index, net::time_point due);
  net::asio::awaitable<void> carry_out(std::size_t index, fault::fault& what);
  net::asio::awaitable<fault::step_result> guarded(net::asio::awaitable<fault::step_result> step);
  void enter(std::size_t index, fault::fault_state state, std::string evidence);

  test_bed& bed_;
  const std::vector<fault::fault_spec>& specs_;
  on_change changed_;
  std::vector<fault::fault_state> states_;
  net::stop_event stopping_;
  net::task_group tasks_;
};

}  // namespace ordeal::harness
