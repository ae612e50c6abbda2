// What a client may ask for, and how long it may take. Plain values; the defaults live here only.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include "reference-server/hub/flush_policy.h"

namespace ordeal::chat {

struct hub_limits {
  std::size_t message_bytes_max = 64U << 10;  // the text of one message
  std::size_t room_name_bytes_max = 200;
  std::size_t message_id_bytes_max = 128;
  std::size_t rooms_per_client_max = 100;
  std::size_t connections_max = 20'000;
  std::size_t header_bytes_max = 32U << 10;  // of an HTTP request: cookies and tokens travel there
  std::size_t probes_max = 100;  // HTTP connections beside them: probes, scrapes, negotiations
  std::size_t connections_per_address_max = 0;  // of all kinds; 0: any number
  std::size_t descriptors_limit = 0;      // the limit of open files, where it lowered the two above
  std::size_t sends_in_flight_max = 256;  // per client; above it its socket is not read
  std::size_t out_queue_bytes_max = 4U << 20;        // per client; above it the client is cut off
  std::chrono::milliseconds catch_up_wait{10'000};   // for clients, by a node behind its log
  std::chrono::milliseconds drain_pause_max{3'000};  // of a client that is waited for
  std::size_t out_total_bytes_max = 256U << 20;      // of all clients, shared records once
  // Records that are written together. Who takes less within client_timeout is cut off.
  std::size_t frame_bytes_max = 64U << 10;
  std::chrono::milliseconds handshake_timeout{15'000};
  std::chrono::milliseconds ping_interval{
      15'000};  // the server pings when it has sent nothing for so long
  // Silence of a client, and how long one may take nothing of what waits for it.
  std::chrono::milliseconds client_timeout{30'000};
  std::chrono::milliseconds closing_timeout{
      2'000};  // from the close record to the end of the connection
  std::chrono::milliseconds congestion_wait_max{
      5'000};  // a Send waits so long for room in the outbox
  std::chrono::milliseconds negotiated_id_lifetime{60'000};  // from negotiate to the WebSocket

  // Stateful reconnect: what is kept for a client whose connection broke, and for how long.
  std::size_t reconnect_buffer_bytes_max = 100'000;  // sent to a client, not yet acknowledged
  std::size_t reconnect_sessions_max = 1'000;        // clients of this node that are waited for
  std::size_t reconnect_bytes_max = 64U << 20;       // kept for all of them together
  std::chrono::milliseconds reconnect_timeout{30'000};
  std::chrono::milliseconds ack_interval{1'000};

  std::vector<std::string> allowed_origins;  // normal_origin()s, besides the server's own
  bool is_local =
      false;  // listens on loopback: a page's own host is this machine by name or number
  flush_pacing pacing;

  // A queue that holds more is crowded, and what is added to it at a time: even with every byte of a text escaped as
  // \u00XX it does not overflow by one part.
  std::size_t crowded_bytes() const { return out_queue_bytes_max / 4; }
  std::size_t part_bytes_max() const { return out_queue_bytes_max / 8; }
  // A replay goes on below the one, by about the other: a millisecond's work.
  std::size_t replay_bytes() const { return out_queue_bytes_max / 8; }
  std::size_t replay_step_bytes() const {
    return std::min<std::size_t>(part_bytes_max(), 64U << 10);
  }

  // A client that comes back joins all of its rooms again, perhaps twice in a row.
  std::size_t joins_in_flight_max() const { return 2 * rooms_per_client_max; }

  // The longest record a client needs: every byte of the text escaped as \u00XX, and room for the
  // rest.
  std::size_t record_bytes_max() const { return message_bytes_max * 6 + (8U << 10); }
};

}  // namespace ordeal::chat
