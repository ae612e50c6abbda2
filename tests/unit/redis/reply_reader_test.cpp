// Goal: replies come out as they were sent, in whatever pieces, and bytes that no Redis sends break
// the reader instead of taking memory. Method: literal RESP.
#include "net/redis/reply_reader.h"

#include <gtest/gtest.h>

#include <string>

namespace ordeal::test {
namespace {

using net::redis::reply_reader;

TEST(ReplyReader, GivesRepliesAsSoonAsTheyAreWhole) {
  reply_reader reader;
  reader.feed("+OK\r\n:7\r\n$5\r\nhe");
  EXPECT_EQ(reader.take().value()->text(), "OK");
  EXPECT_EQ(reader.take().value()->integer(), 7);
  EXPECT_FALSE(reader.take());
  reader.feed("llo\r\n");
  EXPECT_EQ(reader.take().value()->text(), "hello");
  EXPECT_FALSE(reader.take());
  EXPECT_FALSE(reader.is_broken());
}

TEST(ReplyReader, IsBrokenByWhatIsNoResp) {
  reply_reader reader;
  reader.feed("+OK\r\nHTTP/1.1 400 Bad Request\r\n");
  EXPECT_EQ(reader.take().value()->text(), "OK");
  EXPECT_FALSE(reader.take());
  EXPECT_TRUE(reader.is_broken());
  reader.feed("+OK\r\n");
  EXPECT_FALSE(reader.take());
}

TEST(ReplyReader, TakesTheLargestArrayAndRefusesALargerOneAtItsLength) {
  reply_reader reader;
  const std::size_t count = reply_reader::array_elements_max;
  std::string largest = "*" + std::to_string(count) + "\r\n";
  for (std::size_t i = 0; i < count; ++i) largest += ":1\r\n";
  reader.feed(largest);
  EXPECT_EQ(reader.take().value()->size(), count);
  reader.feed("*1\r\n*" + std::to_string(count + 1) + "\r\n");
  EXPECT_FALSE(reader.take());
  EXPECT_TRUE(reader.is_broken());
}

}  // namespace
}  // namespace ordeal::test
