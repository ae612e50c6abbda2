#include "fault-injection/fault.h"

#include <charconv>

#include "net/async/assert.h"

namespace ordeal::fault {

const char* name_of(fault_state state) {
  switch (state) {
    case fault_state::planned:
      return "planned";
    case fault_state::injecting:
      return "injecting";
    case fault_state::active:
      return "active";
    case fault_state::healing:
      return "healing";
    case fault_state::healed:
      return "healed";
    case fault_state::failed:
      return "failed";
  }
  return "unknown";
}

const char* name_of(fault_class value) {
  switch (value) {
    case fault_class::client:
      return "client";
    case fault_class::node:
      return "node";
    case fault_class::link:
      return "link";
    case fault_class::server_admin:
      return "server_admin";
    case fault_class::process:
      return "process";
  }
  return "unknown";
}

std::chrono::nanoseconds fault_spec::duration(const std::string& parameter) const {
  return std::chrono::nanoseconds(number(parameter));
}

std::int64_t fault_spec::number(const std::string& parameter) const {
  const std::string& canonical = text(parameter);
  std::int64_t count = 0;
  const char* const end = canonical.data() + canonical.size();
  const auto [stopped_at, error] = std::from_chars(canonical.data(), end, count);
  ORDEAL_ASSERT(error == std::errc() && stopped_at == end);
  return count;
}

}  // namespace ordeal::fault
