// Goal: a view answers every question about any reply without a cast, also the questions that make
// no sense for it.
#include "net/redis/reply.h"

#include <gtest/gtest.h>

#include "tests/unit/redis/parse.h"

namespace ordeal::net::redis {
namespace {

TEST(Reply, NestedArraysAreWalkedByIndex) {
  const reply answer = test::parse_reply("*2\r\n*2\r\n$1\r\na\r\n:5\r\n$-1\r\n");
  const reply_view all = answer.view();
  ASSERT_TRUE(all.is_array());
  EXPECT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0][0].text(), "a");
  EXPECT_EQ(all[0][1].integer(), 5);
  EXPECT_TRUE(all[1].is_nil());
}

TEST(Reply, OutOfRangeAndWrongTypesAreHarmless) {
  const reply answer = test::parse_reply(":5\r\n");
  EXPECT_TRUE(answer.view()[3].is_nil());
  EXPECT_EQ(answer.view().size(), 0U);
  EXPECT_EQ(answer.view().text(), "");
  const reply none;
  EXPECT_TRUE(none.view().is_nil());
  EXPECT_EQ(none->integer(), 0);
}

TEST(Reply, TextThatIsANumberCountsAsInteger) {
  EXPECT_EQ(test::parse_reply("$3\r\n-12\r\n").view().integer(), -12);
  EXPECT_EQ(test::parse_reply("$3\r\n12x\r\n").view().integer(), 0);
  EXPECT_EQ(test::parse_reply("$19\r\n9007199254740993123\r\n").view().integer(),
            9007199254740993123);
}

TEST(Reply, ErrorsHaveTextAndAreNotText) {
  const reply answer = test::parse_reply("-ERR no\r\n");
  EXPECT_TRUE(answer->is_error());
  EXPECT_FALSE(answer->is_text());
  EXPECT_EQ(answer->text(), "ERR no");
}

}  // namespace
}  // namespace ordeal::net::redis
