// What every session of one hub works with. Owned by the hub, outlives the sessions.
#pragma once

#include "reference-server/hub/catch_up.h"
#include "reference-server/hub/counters.h"
#include "reference-server/hub/flusher.h"
#include "reference-server/hub/limits.h"
#include "reference-server/hub/records.h"
#include "reference-server/hub/replay_gate.h"
#include "reference-server/hub/rooms.h"
#include "reference-server/log/chat_log.h"

namespace ordeal::chat {

struct hub_context {
  hub_limits limits;
  chat_log& log;
  flusher& flush;
  catch_up& pace;
  record_ledger& ledger;
  replay_gate& replays;
  room_table& rooms;
  hub_counters& count;
  std::size_t sessions_waiting = 0;  // for the next connection of their client
};

}  // namespace ordeal::chat
