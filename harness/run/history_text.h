// Events of a history as JSON lines that people read: names as in all reports, times in seconds
// since time zero, to the nanosecond. Pure functions; nothing here knows where an event came from
// or where its line goes.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "harness/history/event.h"
#include "harness/scenario/terms.h"

namespace ordeal::harness {

// "delivered" and so on, as in docs/formats.md; all of them in the order of `event`.
std::string_view kind_of(const event& what);
std::span<const std::string_view> event_kinds();

// {"t": 17.250000000, "event": "delivered", ...}, without a line end. What is not known is left out.
std::string line_of(const event& what, const terms& in);

}  // namespace ordeal::harness
