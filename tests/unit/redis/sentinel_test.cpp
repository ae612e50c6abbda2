// Goal: which sentinel is asked next, and what their answers are taken for, also when they make no sense.
#include "net/redis/sentinel.h"

#include <gtest/gtest.h>

#include "tests/unit/redis/parse.h"

namespace ordeal::net::redis {
namespace {

const server_address first{"a", 1}, second{"b", 2}, third{"c", 3};

TEST(SentinelMemory, StartsWithTheOneThatWasRight) {
  sentinel_memory memory({first, second});
  EXPECT_EQ(memory.order(), (std::vector{first, second}));
  memory.on_right(second);
  EXPECT_EQ(memory.order(), (std::vector{second, first}));
}

TEST(SentinelMemory, LearnsOthersWithoutForgettingTheGiven) {
  sentinel_memory memory({first, second});
  memory.on_learned({second, third});
  EXPECT_EQ(memory.order(), (std::vector{first, second, third}));
  memory.on_right(third);
  EXPECT_EQ(memory.order(), (std::vector{third, first, second}));
  memory.on_learned({});
  EXPECT_EQ(memory.order(), (std::vector{third, first, second}));
  memory.on_right(first);
  EXPECT_EQ(memory.order(), (std::vector{first, second}));
}

TEST(SentinelMemory, LearnsOnlySoMany) {
  std::vector<server_address> many;
  for (std::uint16_t port = 1; port <= 100; ++port) many.push_back({"x", port});
  sentinel_memory memory({first});
  memory.on_learned(many);
  EXPECT_EQ(memory.order().size(), 1 + sentinel_memory::learned_max);
}

TEST(SentinelAnswers, AnAddressIsHostAndPort) {
  const auto good = test::parse_reply("*2\r\n$8\r\n10.0.0.1\r\n$4\r\n6379\r\n");
  const auto found = parse_master_address(good.view());
  ASSERT_TRUE(found);
  EXPECT_EQ(*found, (server_address{"10.0.0.1", 6'379}));
  for (const char* text :
       {"*-1\r\n", "*0\r\n", "+OK\r\n", "-ERR no\r\n", "*1\r\n$1\r\na\r\n",
        "*2\r\n$1\r\na\r\n$1\r\n0\r\n", "*2\r\n$1\r\na\r\n$5\r\n70000\r\n",
        "*2\r\n$1\r\na\r\n$2\r\n-1\r\n", "*2\r\n$0\r\n\r\n$1\r\n1\r\n",
        "*2\r\n$3\r\na\nb\r\n$1\r\n1\r\n", "*3\r\n$1\r\na\r\n$1\r\n1\r\n$1\r\n1\r\n"}) {
    const auto answer = test::parse_reply(text);
    EXPECT_FALSE(parse_master_address(answer.view())) << text;
  }
}

TEST(SentinelAnswers, OtherSentinelsEachOnce) {
  const std::string one = "*4\r\n$2\r\nip\r\n$1\r\na\r\n$4\r\nport\r\n$1\r\n1\r\n";
  const std::string odd = "*3\r\n$2\r\nip\r\n$1\r\na\r\n$4\r\nport\r\n";
  const auto answer = test::parse_reply("*4\r\n" + one + one + odd + ":7\r\n");
  EXPECT_EQ(parse_sentinels(answer.view()), (std::vector{first}));
  const auto error = test::parse_reply("-ERR No such master with that name\r\n");
  EXPECT_TRUE(parse_sentinels(error.view()).empty());
}

}  // namespace
}  // namespace ordeal::net::redis
