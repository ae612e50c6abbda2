#include "harness/run/observers/link_observer.h"

namespace ordeal::harness {

net::asio::awaitable<void> look_at_links(test_bed& bed, fleet_thread& load) {
  for (std::size_t node = 0; node < bed.node_processes().node_count(); ++node) {
    const fault::link_counters now = co_await bed.link_of(node).counters();
    load.post(backplane_seen{load.elapsed(), node_id(node), static_cast<std::uint32_t>(now.open),
                             now.bytes_up});
  }
}

}  // namespace ordeal::harness
