// Why a cursor cannot be honoured, in words.
#pragma once

#include <string_view>

#include "reference-server/hub/counters.h"
#include "reference-server/log/chat_log.h"

namespace ordeal::chat {

struct reset_reason {
  reset_cause cause;
  std::string_view text;
};

// Only for the statuses that say so.
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
