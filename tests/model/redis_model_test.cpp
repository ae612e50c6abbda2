// Goal: the faults of the model do what their names say; the scripts themselves are compared with a real server in
// against_redis_test.cpp.
#include "tests/model/redis_model.h"

#include <gtest/gtest.h>

namespace ordeal::chat::model {
namespace {

redis_model with_log() {
  redis_model redis{redis_options()};
  convene_command convene;
  convene.round = "A.1";
  EXPECT_TRUE(std::get<convene_answer>(redis.execute("A", convene)).is_done);
  commit_command commit;
  commit.claim = repair_claim{"A.1", redis.incarnation(), 0};
  commit.log_id = "log";
  commit.epoch = 7;
  EXPECT_FALSE(std::get<repair_answer>(redis.execute("A", commit)).is_stale);
  return redis;
}

append_command message_for(const redis_model& redis) {
  append_command what;
  what.log = log_identity{"log", 7, redis.incarnation()};
  what.beat = "1 7-1 1";
  what.messages.push_back({1, std::make_shared<const message_body>(message_body{"r", "m1", "t"})});
  return what;
}

TEST(RedisModel, AppendsToTheLogThatIsOpen) {
  redis_model redis = with_log();
  const auto heard = std::get<append_answer>(redis.execute("A", message_for(redis)));
  EXPECT_FALSE(heard.is_stale);
  EXPECT_EQ(heard.top, 2U) << "beats take no index";
  EXPECT_EQ(redis.read(read_command()).beats.size(), 1U);
}

TEST(RedisModel, RefusesInAnotherIncarnation) {
  redis_model redis = with_log();
  const append_command what = message_for(redis);
  redis.set_incarnation("another");
  EXPECT_TRUE(std::get<append_answer>(redis.execute("A", what)).is_stale);
}

TEST(RedisModel, RefusesWhenAnyKeyIsLost) {
  for (int key = 0; key < static_cast<int>(log_key::recovery); ++key) {
    redis_model redis = with_log();
    redis.lose(static_cast<log_key>(key));
    EXPECT_TRUE(std::get<append_answer>(redis.execute("A", message_for(redis))).is_stale)
        << name_of(static_cast<log_key>(key));
  }
}

TEST(RedisModel, GoesBackToASnapshot) {
  redis_model redis = with_log();
  const key_space then = redis.keys();
  redis.execute("A", message_for(redis));
  redis.restore_snapshot(then);
  EXPECT_EQ(redis.read(read_command()).entries.size(), 1U);
  EXPECT_TRUE(redis.read(read_command()).beats.empty());
}

}  // namespace
}  // namespace ordeal::chat::model
