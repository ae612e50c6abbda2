// A fault that does the same to each of its nodes. Control thread.
#pragma once

#include <string>
#include <vector>

#include "fault-injection/environment.h"
#include "fault-injection/fault.h"
#include "fault-injection/process/process.h"

namespace ordeal::fault {

class node_fault : public fault {
 public:
  // Each step is done for every node, also after one has failed; it is ok when all were.
  asio::awaitable<step_result> inject() final;
  asio::awaitable<step_result> confirm_active() final;
  asio::awaitable<step_result> heal() final;
  asio::awaitable<step_result> confirm_healed() final;

 protected:
  // The nodes of the spec; none there means all.
  node_fault(const fault_spec& spec, environment& where);

  node_control& control() { return control_; }
  // Signals the node's process group.
  step_result send(std::size_t node, int signal_number);

 private:
  virtual asio::awaitable<step_result> inject_into(std::size_t node) = 0;
  virtual asio::awaitable<step_result> confirm_active_in(std::size_t node) = 0;
  virtual asio::awaitable<step_result> heal_in(std::size_t node) = 0;
  virtual asio::awaitable<step_result> confirm_healed_in(std::size_t node) = 0;

  using step = asio::awaitable<step_result> (node_fault::*)(std::size_t node);
  asio::awaitable<step_result> for_each_node(step what);

  node_control& control_;
  std::vector<std::size_t> nodes_;
};

}  // namespace ordeal::fault
