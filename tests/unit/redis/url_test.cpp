// Goal: Redis URLs give exactly the options they name, and anything doubtful is refused without
// being quoted.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "net/redis/connection.h"

namespace ordeal::net::redis {
namespace {

TEST(RedisUrl, NamesUserHostPortAndDatabase) {
  const auto full = parse_url("redis://chat@redis.example:7001/3");
  ASSERT_TRUE(full.options) << full.error;
  EXPECT_EQ(full.options->auth.user, "chat");
  EXPECT_EQ(full.options->host, "redis.example");
  EXPECT_EQ(full.options->port, 7001);
  EXPECT_EQ(full.options->database, 3);
}

TEST(RedisUrl, HasDefaults) {
  for (const char* text : {"redis://127.0.0.1", "redis://127.0.0.1/", "redis://127.0.0.1:6379/0"}) {
    const auto result = parse_url(text);
    ASSERT_TRUE(result.options) << result.error;
    EXPECT_EQ(result.options->host, "127.0.0.1");
    EXPECT_EQ(result.options->port, 6379);
    EXPECT_EQ(result.options->database, 0);
    EXPECT_EQ(result.options->auth.user, "");
  }
}

TEST(RedisUrl, TakesIpv6InBrackets) {
  const auto result = parse_url("redis://[::1]:7000");
  ASSERT_TRUE(result.options) << result.error;
  EXPECT_EQ(result.options->host, "::1");
  EXPECT_EQ(result.options->port, 7000);
}

TEST(RedisUrl, RefusesPasswordsWithoutQuotingThem) {
  for (const char* text : {"redis://:hunter2@h", "redis://u:hunter2@h:1/2", "redis://u:hun/ter2@h",
                           "redis://u:hunter2", "redis://h:hunter2/0", "redis://h/hunter2"}) {
    const auto result = parse_url(text);
    EXPECT_FALSE(result.options) << text;
    EXPECT_FALSE(result.error.empty());
    EXPECT_EQ(result.error.find("ter2"), std::string::npos) << result.error;
  }
}

TEST(RedisUrl, RefusesWhatItDoesNotKnow) {
  for (const char* text : {"", "http://h", "rediss://h", "redis://", "redis://:6379", "redis://h:0",
                           "redis://h:65536", "redis://h:12x", "redis://h/x", "redis://h/-1",
                           "redis://h?db=1", "redis://[::1", "redis://[::1]x"}) {
    const auto result = parse_url(text);
    EXPECT_FALSE(result.options) << text;
    EXPECT_FALSE(result.error.empty()) << text;
  }
}

}  // namespace
}  // namespace ordeal::net::redis
