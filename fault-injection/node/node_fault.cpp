#include "fault-injection/node/node_fault.h"

namespace ordeal::fault {

node_fault::node_fault(const fault_spec& spec, environment& where)
    : control_(where.nodes()), nodes_(spec.nodes) {
  if (!nodes_.empty()) return;
  for (std::size_t node = 0; node < control_.node_count(); ++node) nodes_.push_back(node);
}

asio::awaitable<step_result> node_fault::inject() {
  return for_each_node(&node_fault::inject_into);
}

asio::awaitable<step_result> node_fault::confirm_active() {
  return for_each_node(&node_fault::confirm_active_in);
}

asio::awaitable<step_result> node_fault::heal() {
  return for_each_node(&node_fault::heal_in);
}

asio::awaitable<step_result> node_fault::confirm_healed() {
  return for_each_node(&node_fault::confirm_healed_in);
}

asio::awaitable<step_result> node_fault::for_each_node(step what) {
  step_result total;
  total.is_ok = true;
  for (const std::size_t node : nodes_) {
    const step_result one = co_await (this->*what)(node);
    total.is_ok = total.is_ok && one.is_ok;
    if (!total.evidence.empty()) total.evidence += "; ";
    total.evidence += control_.name(node) + ": " + one.evidence;
  }
  co_return total;
}

step_result node_fault::send(std::size_t node, int signal_number) {
  process* const running = control_.running_process(node);
  if (running == nullptr || !running->signal(signal_number)) return step_result{false, "is down"};
  return step_result{true,
                     signal_name(signal_number) + " to pid " + std::to_string(running->pid())};
}

}  // namespace ordeal::fault
