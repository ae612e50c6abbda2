// What went over each node's link to Redis so far, as events.
#pragma once

#include <boost/asio/awaitable.hpp>

#include "harness/run/fleet_thread.h"
#include "harness/run/test_bed.h"

namespace ordeal::harness {

net::asio::awaitable<void> look_at_links(test_bed& bed, fleet_thread& load);

}  // namespace ordeal::harness
