// A total order of events that depends on nothing but what they say: time, then kind (in the order of `event`), then
// every field in the order of its declaration. Events of different shards that happened at the same nanosecond are
// told apart by it. Pure.
#pragma once

#include <compare>

#include "harness/history/event.h"

namespace ordeal::harness {

std::strong_ordering compare(const event& a, const event& b);

inline bool is_before(const event& a, const event& b) {
  return compare(a, b) < 0;
}
inline bool is_same(const event& a, const event& b) {
  return compare(a, b) == 0;
}

// Whether it is about the run as a whole and not about a client: shards of one run record it alike.
bool is_shared(const event& what);

}  // namespace ordeal::harness
