// A history as a value: its terms and all of its events, to be judged, printed, cut and made smaller.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "harness/checkers/judge.h"
#include "harness/history/event_codec.h"

namespace ordeal::harness {

struct recorded {
  terms of;
  std::vector<event> events;

  bool is_torn() const {
    return events.empty() || !std::holds_alternative<run_ended>(events.back());
  }
};

// "  17  +1.204000000s  client-2 gets client-1#4@room-1 on node-2"
std::string to_line(const event& what);
// Terms and events, a line each.
std::string to_text(const recorded& what);

// The same history without some of its events. What only makes sense with them goes too: the outcome and the arrivals
// of a message that was never sent; the numbers of its sender's later messages close up.
recorded without(const recorded& from, std::size_t first, std::size_t count);

// What the judge makes of it.
struct judged {
  judgement end;
  std::vector<finding> found;  // everything that is passed on
};
judged judge_all(const recorded& what);

}  // namespace ordeal::harness
