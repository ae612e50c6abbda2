// What every fault is: a package of inject, confirm, heal and confirm-heal. A fault that was never confirmed by an
// observation independent of the one who injected it proves nothing, and the verdict says so.
//
//   planned ─▶ injecting ─▶ active ─▶ healing ─▶ healed
//                  └────────────┴─────────┴────▶ failed      (not confirmed, or it could not be done)
//
// Adding a fault: one file that defines its class and its descriptor, one line in kinds.cpp.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ordeal::fault {

namespace asio = boost::asio;

class environment;

enum class fault_state { planned, injecting, active, healing, healed, failed };
const char* name_of(fault_state state);

// Result of a step: whether it worked, and what was observed, for the event log ("PING on a new connection: no reply
// in 300 ms"). Never holds a secret.
struct step_result {
  bool is_ok = false;
  std::string evidence;
};

class fault {
 public:
  virtual ~fault() = default;
  virtual asio::awaitable<step_result> inject() = 0;
  virtual asio::awaitable<step_result> confirm_active() = 0;
  virtual asio::awaitable<step_result> heal() = 0;
  virtual asio::awaitable<step_result> confirm_healed() = 0;
  // How long it wants to be held when the scenario gives no `for`; nullopt: it is healed as soon as it is confirmed.
  virtual std::optional<std::chrono::nanoseconds> hold() const { return std::nullopt; }
};

// Who may be harmed: what a scenario with an external Redis allows by `allow_faults`.
enum class fault_class { client, node, link, server_admin, process };
const char* name_of(fault_class value);

enum class target_kind {
  redis,
  node,
  link
};  // `link` and `node` take `target: { node: N }`; without it: every node

enum class parameter_type { text, boolean, duration, size, integer, bandwidth };

// One key under `with:`.
struct parameter {
  std::string name;
  parameter_type type = parameter_type::text;
  std::string default_text;          // as it would be written; empty: required
  std::vector<std::string> allowed;  // for text; empty: anything
  std::string doc;                   // one sentence
};

enum class duration_use { required, optional, forbidden };  // the scenario's `for:`

// A planned fault, resolved: everything drawn and defaulted.
struct fault_spec {
  std::string name;
  std::string kind;
  std::vector<std::size_t> nodes;                // 0-based; empty for redis faults
  std::chrono::nanoseconds at{};                 // since the start of the run
  std::optional<std::chrono::nanoseconds> held;  // `for`; none: it ends by itself
  std::map<std::string, std::string> with;       // every parameter of the kind, defaults filled in

  const std::string& text(const std::string& parameter) const { return with.at(parameter); }
  bool flag(const std::string& parameter) const { return with.at(parameter) == "true"; }
  std::chrono::nanoseconds duration(
      const std::string& parameter) const;  // canonical text: nanoseconds as integer
  // Of a size in bytes, of a bandwidth in bytes a second.
  std::int64_t number(const std::string& parameter) const;
};

struct fault_kind {
  std::string name;
  fault_class klass = fault_class::process;
  target_kind target = target_kind::redis;
  duration_use duration = duration_use::required;
  std::vector<parameter> parameters;
  std::string doc;  // a sentence or two: what happens, what a user sees, how it is confirmed
  std::function<std::unique_ptr<fault>(const fault_spec&, environment&)> make;
  // What is wrong with a combination of values that are each allowed ("redis_password with change: revoke needs
  // `for`"); empty text: nothing. The scenario loader asks it; may be absent.
  std::function<std::string(const fault_spec&)> validate = {};
};

// Every kind there is, sorted by name.
const std::vector<fault_kind>& kinds();
const fault_kind* find_kind(std::string_view name);

}  // namespace ordeal::fault
