// How many connections the nodes have to Redis, by Redis' own list. Control thread only.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <optional>

#include "fault-injection/redis/managed_redis.h"

namespace ordeal::harness {

// The connections that are logged in as the application: those of the harness' own user are left out. nullopt when
// Redis does not answer at once; it may be down or stopped by a fault.
boost::asio::awaitable<std::optional<std::uint32_t>> count_connections(fault::managed_redis& redis);

}  // namespace ordeal::harness
