// Listens on the link between a node and Redis and tells which messages of this run pass, and what Redis answers:
//
//   forwarded bytes ─▶ resp_scanner ─▶ envelope_finder ─▶ sightings ─▶ report, one batch a piece of bytes
//                           └─ frames ─▶ reply_pairing ──────┘
//
// It says only what it saw; of a connection that it cannot read (TLS, compression) it says nothing. Runs on the proxy
// thread, one for each node; nothing of it is shared with another thread.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "fault-injection/link/link_tap.h"
#include "harness/history/event.h"
#include "net/async/clock.h"

namespace ordeal::harness {

struct tap_outlet {
  net::time_point run_start;  // times count from here
  // Called on the proxy thread.
  std::function<void(std::vector<tapped>)> on_tapped;
  std::function<void(reason_heard)> on_error = {};  // Redis answers with one; may be empty
};

// What it makes are taps for the connections of this node. The same sighting is told once within the last thousands.
fault::tap_maker tap_of(node_id node, std::string run_nonce, tap_outlet outlet);

}  // namespace ordeal::harness
