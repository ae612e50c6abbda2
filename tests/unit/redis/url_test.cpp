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
  for (const char* text :
       {"", "http://h", "rediss:/h", "redis://", "redis://:6379", "redis://h:0", "redis://h:65536",
        "redis://h:12x", "redis://h/x", "redis://h/-1", "redis://h?db=1", "redis://[::1",
        "redis://[::1]x", "redis://h,i", "redis://h:1,i:2"}) {
    const auto result = parse_url(text);
    EXPECT_FALSE(result.options) << text;
    EXPECT_FALSE(result.error.empty()) << text;
  }
}

TEST(RedisUrl, RedissIsTls) {
  const auto plain = parse_url("redis://h");
  ASSERT_TRUE(plain.options);
  EXPECT_FALSE(plain.options->tls.is_on);
  const auto tls = parse_url("rediss://chat@redis.example:6380/2");
  ASSERT_TRUE(tls.options) << tls.error;
  EXPECT_TRUE(tls.options->tls.is_on);
  EXPECT_EQ(tls.options->host, "redis.example");
  EXPECT_EQ(tls.options->port, 6380);
  EXPECT_EQ(tls.options->database, 2);
  EXPECT_FALSE(tls.options->sentinel.is_set());
}

TEST(RedisUrl, NamesSentinelsAndTheirMaster) {
  const auto found = parse_url("redis+sentinel://chat@a.example:26380,[::1],c/my-master.1/3");
  ASSERT_TRUE(found.options) << found.error;
  EXPECT_EQ(found.options->auth.user, "chat");
  EXPECT_EQ(found.options->database, 3);
  EXPECT_FALSE(found.options->tls.is_on);
  const sentinel_options& sentinel = found.options->sentinel;
  EXPECT_EQ(sentinel.master_name, "my-master.1");
  EXPECT_EQ(sentinel.auth.user, "");
  EXPECT_FALSE(sentinel.has_tls);
  const std::vector<server_address> wanted{{"a.example", 26'380}, {"::1", 26'379}, {"c", 26'379}};
  EXPECT_EQ(sentinel.places, wanted);
  EXPECT_TRUE(sentinel.memory);

  const auto tls = parse_url("rediss+sentinel://a/m");
  ASSERT_TRUE(tls.options) << tls.error;
  EXPECT_TRUE(tls.options->tls.is_on);
  EXPECT_TRUE(tls.options->sentinel.is_set());
}

TEST(RedisUrl, RefusesHalfASentinelUrl) {
  for (const char* text :
       {"redis+sentinel://", "redis+sentinel://a", "redis+sentinel://a/", "redis+sentinel:///m",
        "redis+sentinel://a,/m", "redis+sentinel://,a/m", "redis+sentinel://a,,b/m",
        "redis+sentinel://a:0/m", "redis+sentinel://a:x/m", "redis+sentinel://a/m/x",
        "redis+sentinel://a/m*", "redis+sentinel://a/m/1/2", "redis+sentinel://a//0"}) {
    const auto result = parse_url(text);
    EXPECT_FALSE(result.options) << text;
    EXPECT_NE(result.error.find("redis+sentinel://[user@]host"), std::string::npos) << result.error;
  }
  std::string many = "redis+sentinel://a";
  for (int i = 0; i < 32; ++i) many += ",a";
  EXPECT_FALSE(parse_url(many + "/m").options);
}

TEST(RedisUrl, SentinelUrlsHoldNoPasswordEither) {
  for (const char* text : {"redis+sentinel://:hunter2@a/m", "redis+sentinel://u:hunter2@a,b/m/2",
                           "redis+sentinel://a:hunter2/m", "redis+sentinel://a,b:hunter2/m"}) {
    const auto result = parse_url(text);
    EXPECT_FALSE(result.options) << text;
    EXPECT_EQ(result.error.find("ter2"), std::string::npos) << result.error;
  }
}

}  // namespace
}  // namespace ordeal::net::redis
