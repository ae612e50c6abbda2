// Goal: every error reply that a Redis in trouble gives is put into the class that its remedy
// needs.
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "net/redis/connection.h"
#include "tests/unit/redis/parse.h"

namespace ordeal::net::redis {
namespace {

TEST(Classify, KnowsTheRepliesOfARedisInTrouble) {
  const std::vector<std::pair<std::string, reply_class>> table{
      {"+OK", reply_class::ok},
      {":7", reply_class::ok},
      {"-LOADING Redis is loading the dataset in memory", reply_class::retryable},
      {"-OOM command not allowed when used memory > 'maxmemory'.", reply_class::retryable},
      {"-MISCONF Redis is configured to save RDB snapshots", reply_class::retryable},
      {"-NOREPLICAS Not enough good replicas to write.", reply_class::retryable},
      {"-BUSY Redis is busy running a script.", reply_class::retryable},
      {"-UNBLOCKED force unblock from blocking operation", reply_class::retryable},
      {"-ERR max number of clients reached", reply_class::retryable},
      {"-MASTERDOWN Link with MASTER is down", reply_class::retryable},
      {"-NOSCRIPT No matching script.", reply_class::script_missing},
      {"-READONLY You can't write against a read only replica.", reply_class::read_only},
      {"-NOAUTH Authentication required.", reply_class::auth},
      {"-WRONGPASS invalid username-password pair or user is disabled.", reply_class::auth},
      {"-NOPERM this user has no permissions", reply_class::auth},
      {"-WRONGTYPE Operation against a key", reply_class::fatal},
      {"-BUSYGROUP Consumer Group name already exists", reply_class::fatal},
      {"-MOVED 3999 127.0.0.1:6381", reply_class::fatal},
      {"-ASK 3999 127.0.0.1:6381", reply_class::fatal},
      {"-CROSSSLOT Keys in request don't hash to the same slot", reply_class::fatal},
      {"-ERR unknown command", reply_class::fatal}};
  for (const auto& [text, expected] : table) {
    const reply answer = test::parse_reply(text + "\r\n");
    EXPECT_EQ(classify(answer.view()), expected) << text;
  }
}

TEST(RedisErrors, EachHasItsOwnSentence) {
  std::set<std::string> sentences;
  for (int value = 1; value <= static_cast<int>(errc::no_master); ++value) {
    const auto ec = make_error_code(static_cast<errc>(value));
    EXPECT_TRUE(ec.failed());
    EXPECT_NE(ec.message(), "unknown Redis error");
    sentences.insert(ec.message());
  }
  EXPECT_EQ(sentences.size(), static_cast<std::size_t>(errc::no_master));
}

}  // namespace
}  // namespace ordeal::net::redis
