// Whether Redis refuses the login of a node, from what the taps hear. Any thread.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>

#include "harness/history/event.h"

namespace ordeal::harness {

class login_watch {
 public:
  void on(const reason_heard& what);
  // "Redis answers WRONGPASS to node-1": more than once, for a while, and up to now. Else empty: a client may ask first
  // and log in then. `now` is on the clock of the events.
  std::string trouble(node_id node, run_time now) const;

 private:
  struct refusals {
    std::uint64_t count = 0;
    run_time first{}, latest{};
    std::string code;
  };
  mutable std::mutex mutex_;
  std::map<node_id, refusals> nodes_;
};

}  // namespace ordeal::harness
