// A reply from its RESP text, for tests.
#pragma once

#include <gtest/gtest.h>
#include <hiredis/hiredis.h>

#include <string_view>

#include "net/redis/reply.h"

namespace ordeal::test {

inline net::redis::reply parse_reply(std::string_view resp) {
  redisReader* reader = redisReaderCreate();
  void* raw = nullptr;
  redisReaderFeed(reader, resp.data(), resp.size());
  EXPECT_EQ(redisReaderGetReply(reader, &raw), REDIS_OK);
  redisReaderFree(reader);
  return net::redis::reply(static_cast<redisReply*>(raw));
}

}  // namespace ordeal::test
