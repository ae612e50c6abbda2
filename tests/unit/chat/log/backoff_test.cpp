// Goal: pauses double up to the limit, stay within half and all of it, and start anew after a
// success.
#include "reference-server/log/backoff.h"

#include <gtest/gtest.h>

namespace ordeal::chat {
namespace {

using namespace std::chrono_literals;

TEST(Backoff, DoublesWithJitterUpToItsLimit) {
  backoff pause(50ms, 300ms, net::random_stream(1, "test"));
  for (const auto whole : {50ms, 100ms, 200ms, 300ms, 300ms}) {
    const auto drawn = pause.next();
    EXPECT_GE(drawn, whole / 2);
    EXPECT_LE(drawn, whole);
  }
  pause.reset();
  EXPECT_LE(pause.next(), 50ms);
}

}  // namespace
}  // namespace ordeal::chat
