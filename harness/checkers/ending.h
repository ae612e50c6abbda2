// How a history ends, folded from its events.
#pragma once

#include <string>

#include "harness/history/event.h"

namespace ordeal::harness {

struct ending {
  run_time at{};         // of the last event
  bool is_torn = false;  // it stops in the middle: no run_ended
  bool was_cut_short =
      false;  // by a signal, or by what `problem` says; a torn one is cut short too
  int signal = 0;
  std::string problem;  // of the surroundings
};

}  // namespace ordeal::harness
