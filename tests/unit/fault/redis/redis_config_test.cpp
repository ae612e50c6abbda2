// The configuration text: who may log in, how data is kept, and that no password can be printed by
// a server that does not understand it.
#include "fault-injection/redis/redis_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ordeal::fault {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string config(const redis_settings& settings, bool is_login_enabled = true) {
  return redis_config(settings, 12345, "adminsecret", is_login_enabled);
}

TEST(RedisConfig, ListensOnLoopbackOnly) {
  const std::string text = config(redis_settings());
  EXPECT_THAT(text, HasSubstr("bind 127.0.0.1\n"));
  EXPECT_THAT(text, HasSubstr("port 12345\n"));
  EXPECT_THAT(text, HasSubstr("daemonize no\n"));
}

TEST(RedisConfig, ApplicationUserHasNoAdminRights) {
  redis_settings settings;
  settings.user = "chat";
  settings.password = "apppassword";
  const std::string text = config(settings);
  EXPECT_THAT(text, HasSubstr("user chat on \"\\x3eapppassword\" ~* &* +@all -@admin\n"));
  EXPECT_THAT(text, HasSubstr("user default off ~* &* +@all\n"));
  EXPECT_THAT(text, HasSubstr("user ordeal-admin on \"\\x3eadminsecret\" ~* &* +@all\n"));
}

TEST(RedisConfig, DefaultUserWithAndWithoutPassword) {
  redis_settings settings;
  EXPECT_THAT(config(settings), HasSubstr("user default on nopass ~* &* +@all\n"));
  settings.password = "apppassword";
  EXPECT_THAT(config(settings), HasSubstr("user default on \"\\x3eapppassword\" ~* &* +@all\n"));
}

TEST(RedisConfig, BarredLoginStaysBarredOverARestart) {
  redis_settings settings;
  EXPECT_THAT(config(settings, false), HasSubstr("user default off nopass"));
  settings.user = "chat";
  EXPECT_THAT(config(settings, false), HasSubstr("user chat off nopass"));
}

TEST(RedisConfig, PersistenceModes) {
  redis_settings settings;
  settings.persistence = redis_persistence::none;
  EXPECT_THAT(config(settings), HasSubstr("save \"\"\nappendonly no\n"));
  settings.persistence = redis_persistence::rdb;
  EXPECT_THAT(config(settings), HasSubstr("save 60 1\nappendonly no\n"));
  settings.persistence = redis_persistence::aof;
  EXPECT_THAT(config(settings), HasSubstr("appendonly yes\nappendfsync everysec\n"));
  settings.persistence = redis_persistence::aof_always;
  EXPECT_THAT(config(settings), HasSubstr("appendonly yes\nappendfsync always\n"));
}

TEST(RedisConfig, EveryCharacterIsQuoted) {
  redis_settings settings;
  settings.password = "a\"b\nc d";
  settings.data_dir = "/tmp/my data";
  const std::string text = config(settings);
  EXPECT_THAT(text, HasSubstr("\"\\x3ea\\x22b\\x0ac\\x20d\""));
  EXPECT_THAT(text, HasSubstr("dir \"\\x2ftmp\\x2fmy\\x20data\"\n"));
}

// An old server stops at the first line that it does not know and prints it.
TEST(RedisConfig, LinesThatOldServersRefuseComeBeforePasswords) {
  redis_settings settings;
  settings.password = "apppassword";
  const std::string text = config(settings);
  EXPECT_LT(text.find("enable-debug-command"), text.find("adminsecret"));
  EXPECT_LT(text.find("enable-debug-command"), text.find("apppassword"));
}

TEST(RedisSettings, UserNamesThatWouldBreakTheConfiguration) {
  redis_settings settings;
  EXPECT_EQ(check_redis_settings(settings), "");
  settings.user = "chat-1.a_b";
  EXPECT_EQ(check_redis_settings(settings), "");
  settings.user = "ordeal-admin";
  EXPECT_THAT(check_redis_settings(settings), HasSubstr("Ordeal's own"));
  settings.user = "two words";
  EXPECT_THAT(check_redis_settings(settings), HasSubstr("'two words'"));
}

}  // namespace
}  // namespace ordeal::fault
