#include "reference-server/hub/connection_budget.h"

#include <algorithm>

namespace ordeal::chat {
namespace {

constexpr std::size_t room_min = 8;  // four clients, four probes

}  // namespace

bool fit_into_descriptors(hub_limits& limits, std::size_t descriptors_limit,
                          std::size_t descriptors_open) {
  const std::size_t taken = descriptors_open + reserved_descriptors;
  if (descriptors_limit < taken + room_min) return false;
  const std::size_t room = descriptors_limit - taken;
  if (limits.connections_max <= room && limits.probes_max <= room - limits.connections_max)
    return true;
  limits.probes_max = std::min(limits.probes_max, room / 4);
  limits.connections_max = std::min(limits.connections_max, room - limits.probes_max);
  limits.descriptors_limit = descriptors_limit;
  return true;
}

}  // namespace ordeal::chat
