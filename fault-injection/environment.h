// What faults act on: the Redis under test, one link (proxy) a node, and the nodes. The harness implements
// node_control; Redis and links live in this component.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <cstddef>
#include <string>
#include <string_view>

#include "fault-injection/fault.h"

namespace ordeal::fault {

class managed_redis;
class link;
class process;

class node_control {
 public:
  virtual ~node_control() = default;
  virtual std::size_t node_count() const = 0;
  virtual std::string name(std::size_t node) const = 0;    // "node-1"
  virtual process* running_process(std::size_t node) = 0;  // null while the node is down
  // The next exit of the node is a planned one: no finding, no alarm.
  virtual void expect_exit(std::size_t node) = 0;
  virtual asio::awaitable<step_result> start(
      std::size_t node) = 0;  // launches it again with the same ports
  virtual asio::awaitable<step_result> wait_ready(
      std::size_t node) = 0;  // its readiness, within the target's timeout
  // Writes the password to the nodes' password file (atomically); they read it at their next connect.
  virtual void tell_password(std::string_view password) = 0;
};

// What the nodes log in with now; both empty: nothing is asked of them.
struct login {
  std::string user, password;
};

class environment {
 public:
  virtual ~environment() = default;
  virtual asio::any_io_executor executor() = 0;  // the control thread; all faults run there
  virtual managed_redis* redis() = 0;            // null with an external Redis
  virtual login application_login() { return {}; }
  virtual link& link_of(std::size_t node) = 0;
  virtual node_control& nodes() = 0;
  // An intent, fsynced to undo.jsonl before a fault changes anything outside this process's own children.
  virtual void record_undo(std::string_view fault, std::string_view intent) = 0;
};

}  // namespace ordeal::fault
