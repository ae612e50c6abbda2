// Goal: requests are RESP arrays of bulk strings, byte for byte, with any bytes in the arguments.
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "net/redis/connection.h"

namespace ordeal::net::redis {
namespace {

using namespace std::string_view_literals;

TEST(Request, EncodesCommandsOneAfterTheOther) {
  request what;
  what.add({"PING"}).add({"SET", "key", ""});
  EXPECT_EQ(what.size(), 2U);
  EXPECT_EQ(what.bytes(), "*1\r\n$4\r\nPING\r\n*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$0\r\n\r\n");
}

TEST(Request, PassesNulAndLineEnds) {
  request what;
  what.add({"GET", "a\0\r\nb"sv});
  EXPECT_EQ(what.bytes(), "*2\r\n$3\r\nGET\r\n$5\r\na\0\r\nb\r\n"sv);
}

TEST(Request, TakesSpansAndIsClearedForReuse) {
  request what;
  const std::vector<std::string_view> arguments{"DEL", "k"};
  what.add(arguments);
  what.clear();
  EXPECT_EQ(what.size(), 0U);
  what.add(arguments);
  EXPECT_EQ(what.bytes(), "*2\r\n$3\r\nDEL\r\n$1\r\nk\r\n");
}

}  // namespace
}  // namespace ordeal::net::redis
