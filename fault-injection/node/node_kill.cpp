#include <csignal>

#include "fault-injection/node/node_fault.h"
#include "fault-injection/node/node_faults.h"

namespace ordeal::fault {
namespace {

constexpr std::chrono::milliseconds exit_limit{2'000};

class node_kill final : public node_fault {
 public:
  node_kill(const fault_spec& spec, environment& where) : node_fault(spec, where) {}

 private:
  asio::awaitable<step_result> inject_into(std::size_t node) override {
    if (control().running_process(node) != nullptr) control().expect_exit(node);
    co_return send(node, SIGKILL);
  }

  asio::awaitable<step_result> confirm_active_in(std::size_t node) override {
    step_result result;
    if (process* const running = control().running_process(node)) {
      const std::string who = "pid " + std::to_string(running->pid());
      result.is_ok = co_await ended_within(*running, exit_limit);
      result.evidence = who + (result.is_ok ? " has ended" : " still runs");
    } else {
      result.is_ok = true;
      result.evidence = "no process";
    }
    co_return result;
  }

  asio::awaitable<step_result> heal_in(std::size_t node) override {
    process* const running = control().running_process(node);
    if (running == nullptr) co_return co_await control().start(node);
    step_result result;
    result.is_ok = true;
    result.evidence = "pid " + std::to_string(running->pid()) + " runs";
    co_return result;
  }

  asio::awaitable<step_result> confirm_healed_in(std::size_t node) override {
    return control().wait_ready(node);
  }
};

std::unique_ptr<fault> make(const fault_spec& spec, environment& where) {
  return std::make_unique<node_kill>(spec, where);
}

}  // namespace

fault_kind node_kill_kind() {
  fault_kind kind;
  kind.name = "node_kill";
  kind.klass = fault_class::node;
  kind.target = target_kind::node;
  kind.duration = duration_use::required;
  kind.doc =
      "Crashes a node, or every node without `target`: kill -9 to its process group, and after "
      "`for` a new start with "
      "the same command, ports and environment. Its clients lose their connections and must come "
      "back by themselves. "
      "Confirmed when the process has ended; healed when the node is ready again by the target's "
      "own readiness check.";
  kind.make = make;
  return kind;
}

}  // namespace ordeal::fault
