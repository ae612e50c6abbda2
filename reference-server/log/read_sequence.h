// The rules for entries as they come from XREAD (log-protocol.md step 3). Pure.
#pragma once

#include "reference-server/log/chat_log.h"

namespace ordeal::chat {

enum class read_step {
  deliver,  // the next index, in the same or in a newer epoch
  gap,      // entries before it are lost to this node; go on from here
  fork  // a newer epoch at or below what was read, or an older one above it: not the log that was
        // read
};

class read_sequence {
 public:
  explicit read_sequence(position last) : last_(last) {}

  // Advances unless it answers fork.
  read_step on_entry(position at);
  position last() const { return last_; }

 private:
  position last_;
};

}  // namespace ordeal::chat
