#include "reference-server/hub/out_queue.h"

#include <gtest/gtest.h>

namespace ordeal::chat {
namespace {

record_ptr record(std::string text) {
  return std::make_shared<const std::string>(std::move(text));
}

std::string taken(out_queue& queue, std::size_t frame_bytes_max = 1'000) {
  std::vector<record_ptr> frame;
  queue.take(frame, frame_bytes_max);
  std::string joined;
  for (const auto& part : frame) joined += *part + ".";
  return joined;
}

TEST(OutQueue, TakesEverythingInOrder) {
  out_queue queue(100);
  EXPECT_TRUE(queue.push(record("a")));
  EXPECT_TRUE(queue.push(record("b")));
  EXPECT_EQ(taken(queue), "a.b.");
  EXPECT_EQ(taken(queue), "");
}

TEST(OutQueue, CutsFramesAtTheLimitButTakesAtLeastOne) {
  out_queue queue(100);
  for (const char* text : {"aaaa", "bbbb", "cccc"}) queue.push(record(text));
  EXPECT_EQ(taken(queue, 8), "aaaa.bbbb.");
  EXPECT_EQ(taken(queue, 1), "cccc.");
  EXPECT_TRUE(queue.is_empty());
}

TEST(OutQueue, CountsWhatIsBeingWritten) {
  out_queue queue(8);
  EXPECT_TRUE(queue.push(record("12345678")));
  EXPECT_EQ(taken(queue), "12345678.");
  EXPECT_EQ(queue.bytes(), 8U);
  queue.written();
  EXPECT_EQ(queue.bytes(), 0U);
  EXPECT_TRUE(queue.push(record("12345678")));
}

TEST(OutQueue, OverflowIsForGoodAndSkipsNothing) {
  out_queue queue(8);
  EXPECT_TRUE(queue.push(record("1234567")));
  EXPECT_FALSE(queue.push(record("89")));
  EXPECT_TRUE(queue.is_overflown());
  EXPECT_FALSE(queue.push(record("x"))) << "a later, smaller record would be a gap";
}

TEST(OutQueue, TheLastRecordFollowsWhatWaits) {
  out_queue queue(8);
  queue.push(record("a"));
  queue.close(record("bye"));
  EXPECT_FALSE(queue.push(record("b")));
  EXPECT_EQ(taken(queue), "a.bye.");
}

TEST(OutQueue, TheLastRecordReplacesWhatAnOverflownQueueHeld) {
  out_queue queue(2);
  queue.push(record("aa"));
  queue.push(record("b"));
  queue.close(record("bye"));
  EXPECT_EQ(queue.bytes(), 3U) << "what is dropped takes no room";
  EXPECT_EQ(queue.count(), 1U);
  EXPECT_EQ(taken(queue), "bye.");
}

}  // namespace
}  // namespace ordeal::chat
