// How a replay walks from a cursor to the node's present position: pure decisions.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

#include "reference-server/hub/counters.h"
#include "reference-server/log/chat_log.h"

namespace ordeal::chat {

struct replay_step {
  position upto;
  bool is_last =
      false;  // reaches the present: from here on new entries are held back for the client
};

// The next range to read, (after, upto], about `entries_max` long. The index is dense over all
// epochs, so a step with the present epoch takes the rest of the earlier ones with it.
inline replay_step next_replay_step(position after, position last_read, std::size_t entries_max) {
  const bool is_last = last_read.index <= after.index + entries_max;
  if (is_last) return replay_step{last_read, true};
  return replay_step{position{last_read.epoch, after.index + entries_max}, false};
}

struct reset_reason {
  reset_cause cause;
  std::string_view text;
};

// Why a cursor cannot be honoured; only for the statuses that say so.
inline reset_reason reason_of(range_status status) {
  if (status == range_status::trimmed) {
    return {reset_cause::trimmed, "messages after the cursor are no longer kept"};
  }
  if (status == range_status::forked) {
    return {reset_cause::fork, "the cursor lies on a branch of the log that was lost"};
  }
  if (status == range_status::future) {
    return {reset_cause::future, "the cursor is ahead of the log"};
  }
  return {reset_cause::unknown_log, "the cursor belongs to another log"};
}

}  // namespace ordeal::chat
