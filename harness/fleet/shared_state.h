// What all clients of a fleet share: the plan, the options, where events go, the counters. Owned by
// the fleet, used on its thread only.
#pragma once

#include <string_view>
#include <unordered_map>
#include <vector>

#include "harness/drivers/driver.h"
#include "harness/fleet/fleet.h"
#include "harness/fleet/send_lane.h"
#include "net/async/clock.h"
#include "net/async/condition.h"

namespace ordeal::harness {

struct shared_state {
  shared_state(asio::any_io_executor executor, const plan& of, fleet_options with, event_sink& into)
      : ex(executor),
        what(of),
        options(std::move(with)),
        history(into),
        rules(rules_of(of.target.protocol)),
        changed(ex) {
    for (std::size_t room = 0; room < what.room_names.size(); ++room) {
      rooms_by_name.emplace(what.room_names[room], room_id{static_cast<std::uint32_t>(room)});
    }
  }

  run_time run_time_at(net::time_point at) const { return at - options.run_start; }

  asio::any_io_executor ex;
  const plan& what;
  const fleet_options options;
  event_sink& history;
  const publish_rules rules;
  std::unordered_map<std::string_view, room_id> rooms_by_name;
  fleet_status status;
  std::size_t clients_running = 0;
  bool is_stopping = false;
  bool has_anybody_moved = false;  // to another node, since deputies were looked for
  net::condition changed;          // a counter that somebody may wait for moved
  std::vector<driver_event>
      events;  // of the frame being handled; here, so that its memory is used again
};

}  // namespace ordeal::harness
