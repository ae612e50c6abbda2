#include <csignal>

#include "fault-injection/node/node_fault.h"
#include "fault-injection/node/node_faults.h"

namespace ordeal::fault {
namespace {

constexpr std::chrono::milliseconds state_limit{2'000};

class node_pause final : public node_fault {
 public:
  node_pause(const fault_spec& spec, environment& where) : node_fault(spec, where) {}

 private:
  asio::awaitable<step_result> inject_into(std::size_t node) override {
    co_return send(node, SIGSTOP);
  }
  asio::awaitable<step_result> confirm_active_in(std::size_t node) override {
    return confirm_state(node, true);
  }
  asio::awaitable<step_result> heal_in(std::size_t node) override { co_return send(node, SIGCONT); }
  asio::awaitable<step_result> confirm_healed_in(std::size_t node) override {
    return confirm_state(node, false);
  }

  asio::awaitable<step_result> confirm_state(std::size_t node, bool is_stopped) {
    step_result result;
    process* const running = control().running_process(node);
    result.evidence = "is down";
    if (running == nullptr) co_return result;
    const pid_t pid = running->pid();
    result.is_ok = co_await wait_stopped(pid, is_stopped, state_limit);
    const char state = process_state(pid).value_or('?');
    result.evidence = "pid " + std::to_string(pid) + " is in state " + state;
    co_return result;
  }
};

std::unique_ptr<fault> make(const fault_spec& spec, environment& where) {
  return std::make_unique<node_pause>(spec, where);
}

}  // namespace

fault_kind node_pause_kind() {
  fault_kind kind;
  kind.name = "node_pause";
  kind.klass = fault_class::node;
  kind.target = target_kind::node;
  kind.duration = duration_use::required;
  kind.doc =
      "Freezes a node, or every node without `target`, for `for`: SIGSTOP to its process group, "
      "then SIGCONT, as a "
      "long garbage collection or a stalled virtual machine does. Its connections stay open and "
      "silent; what arrives "
      "meanwhile waits in socket buffers. Confirmed when its process is in state T, healed when it "
      "no longer is.";
  kind.make = make;
  return kind;
}

}  // namespace ordeal::fault
