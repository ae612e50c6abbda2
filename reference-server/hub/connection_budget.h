// How many connections a node may have within its limit of open files. Redis connections come back only while there are
// descriptors for them, so clients never get the last ones.
#pragma once

#include <cstddef>

#include "reference-server/hub/limits.h"

namespace ordeal::chat {

// Connections to Redis and to sentinels, old ones that are being closed beside new ones, files of passwords and
// certificates, and a client that is told that there is no room.
inline constexpr std::size_t reserved_descriptors = 24;

// Lowers connections_max and probes_max where the limit leaves no room for them, and notes the limit then. False: there
// is not even room for a few; nothing is changed.
bool fit_into_descriptors(hub_limits& limits, std::size_t descriptors_limit,
                          std::size_t descriptors_open);

}  // namespace ordeal::chat
