// Goal: cursors survive the round trip through a client, and whatever else a client sends is told
// apart.
#include <gtest/gtest.h>

#include "reference-server/log/chat_log.h"

namespace ordeal::chat {
namespace {

TEST(Cursor, SurvivesTheRoundTrip) {
  const position at{3, 18446744073709551615U};
  const auto parsed = parse_cursor(format_cursor("0a9z", at));
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->log_id, "0a9z");
  EXPECT_EQ(parsed->at, at);
  EXPECT_EQ(format_cursor("log", {1, 2}), "log:1-2");
}

TEST(Cursor, RefusesWhatIsNotOne) {
  for (const char* text : {"", ":", "log", "log:", "log:1", "log:1-", "log:-1", "log:1-x",
                           "log:1-2-3", "log:1-2 ", " log:1-2", ":1-2", "LOG:1-2", "a:b:1-2",
                           "log:+1-2", "log:1-18446744073709551616", "log:0x1-2"}) {
    EXPECT_FALSE(parse_cursor(text)) << text;
  }
  EXPECT_FALSE(parse_cursor(std::string(65, 'a') + ":1-2"));
}

TEST(Position, IsOrderedByEpochThenIndex) {
  const position low{1, 70}, high{2, 68};
  EXPECT_LT(low, high);
  const position next{1, 71};
  EXPECT_LT(low, next);
}

}  // namespace
}  // namespace ordeal::chat
