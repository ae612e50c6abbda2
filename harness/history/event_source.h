// Whatever events can be taken from, one after the other: a history on disk, or several of them merged. One thread.
#pragma once

#include <optional>

#include "harness/history/event.h"

namespace ordeal::harness {

class event_source {
 public:
  virtual ~event_source() = default;
  // The next event; nullopt from the end on.
  virtual std::optional<event> next() = 0;
};

}  // namespace ordeal::harness
