// The queue between a link's reader and writer: what is due when, under changing delays.
#include "fault-injection/link/delay_queue.h"

#include <gtest/gtest.h>

#include <chrono>

namespace ordeal::fault {
namespace {

using std::chrono::milliseconds;

const net::time_point start{};

TEST(DelayQueue, IsEmptyAtFirst) {
  const delay_queue queue(10);
  EXPECT_EQ(queue.next_due(), std::nullopt);
  EXPECT_EQ(queue.byte_count(), 0U);
  EXPECT_FALSE(queue.is_full());
}

TEST(DelayQueue, DelaysEachChunkFromItsArrival) {
  delay_queue queue(100);
  queue.push("a", start, milliseconds(10));
  queue.push("b", start + milliseconds(4), milliseconds(10));
  EXPECT_EQ(queue.next_due(), start + milliseconds(10));
  queue.consume(1);
  EXPECT_EQ(queue.front_bytes(), "b");
  EXPECT_EQ(queue.next_due(), start + milliseconds(14));
}

TEST(DelayQueue, NeverLetsAChunkOvertake) {
  delay_queue queue(100);
  queue.push("slow", start, milliseconds(50));
  queue.push("fast", start + milliseconds(1), milliseconds(2));
  queue.consume(4);
  EXPECT_EQ(queue.front_bytes(), "fast");
  EXPECT_EQ(queue.next_due(), start + milliseconds(50));
}

TEST(DelayQueue, KeepsTheEndBehindTheBytes) {
  delay_queue queue(100);
  queue.push("last words", start, milliseconds(50));
  queue.push_end(stream_end::fin, start, milliseconds(0));
  EXPECT_EQ(queue.front_end(), stream_end::none);
  queue.consume(10);
  EXPECT_EQ(queue.front_end(), stream_end::fin);
  EXPECT_EQ(queue.front_bytes(), "");
  EXPECT_EQ(queue.next_due(), start + milliseconds(50));
}

TEST(DelayQueue, LetsAChunkGoInParts) {
  delay_queue queue(100);
  queue.push("abcdef", start, milliseconds(0));
  queue.consume(4);
  EXPECT_EQ(queue.front_bytes(), "ef");
  EXPECT_EQ(queue.byte_count(), 2U);
  queue.consume(2);
  EXPECT_EQ(queue.next_due(), std::nullopt);
}

TEST(DelayQueue, IsFullAtItsBound) {
  delay_queue queue(4);
  queue.push("abc", start, milliseconds(0));
  EXPECT_FALSE(queue.is_full());
  queue.push("def", start, milliseconds(0));
  EXPECT_TRUE(queue.is_full());
  queue.consume(3);
  EXPECT_FALSE(queue.is_full());
}

TEST(DelayQueue, ReleasesWhatWaitsWhenDelaysAreLowered) {
  delay_queue queue(100);
  queue.push("a", start, milliseconds(1'000));
  queue.push("b", start + milliseconds(100), milliseconds(1'000));
  queue.limit_delays(milliseconds(10));
  EXPECT_EQ(queue.next_due(), start + milliseconds(10));
  queue.consume(1);
  EXPECT_EQ(queue.next_due(), start + milliseconds(110));
}

TEST(DelayQueue, KeepsOrderWhenDelaysAreLowered) {
  delay_queue queue(100);
  queue.push("a", start + milliseconds(20), milliseconds(1'000));
  queue.push("b", start + milliseconds(21), milliseconds(0));
  queue.limit_delays(milliseconds(500));
  queue.consume(1);
  EXPECT_EQ(queue.next_due(), start + milliseconds(520));
}

TEST(DelayQueue, DoesNotDelayMoreWhenTheLimitIsHigher) {
  delay_queue queue(100);
  queue.push("a", start, milliseconds(10));
  queue.limit_delays(milliseconds(500));
  EXPECT_EQ(queue.next_due(), start + milliseconds(10));
}

}  // namespace
}  // namespace ordeal::fault
