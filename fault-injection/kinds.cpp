#include <algorithm>

#include "fault-injection/fault.h"
#include "fault-injection/link/link_faults.h"
#include "fault-injection/node/node_faults.h"
#include "fault-injection/redis/redis_faults.h"

namespace ordeal::fault {
namespace {

std::vector<fault_kind> all_kinds() {
  std::vector<fault_kind> all{
      link_bandwidth_kind(), link_blackhole_kind(), link_latency_kind(), link_refuse_kind(),
      link_reset_kind(),     node_kill_kind(),      node_pause_kind(),   redis_kill_kind(),
      redis_password_kind(), redis_pause_kind(),    redis_stop_kind(),
  };
  const auto by_name = [](const fault_kind& a, const fault_kind& b) { return a.name < b.name; };
  std::sort(all.begin(), all.end(), by_name);
  return all;
}

}  // namespace

const std::vector<fault_kind>& kinds() {
  static const std::vector<fault_kind> all = all_kinds();
  return all;
}

const fault_kind* find_kind(std::string_view name) {
  for (const fault_kind& kind : kinds()) {
    if (kind.name == name) return &kind;
  }
  return nullptr;
}

}  // namespace ordeal::fault
