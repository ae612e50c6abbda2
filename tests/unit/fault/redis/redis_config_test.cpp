// The configuration text: who may log in, how data is kept, and that no password can be printed by
// a server that does not understand it.
#include "fault-injection/redis/redis_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

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

TEST(RedisConfig, DirectivesComeAfterThePersistenceTheyMayRefineAndBeforeAnyPassword) {
  redis_settings settings;
  settings.user = "chat";
  settings.password = "apppassword";
  settings.directives = {{"maxmemory", "64mb"},
                         {"client-output-buffer-limit", "normal 2mb 0 0"},
                         {"notify-keyspace-events", ""}};
  const std::string text = config(settings);
  EXPECT_THAT(text, HasSubstr("appendfsync everysec\n"
                              "maxmemory 64mb\n"
                              "client-output-buffer-limit normal 2mb 0 0\n"
                              "notify-keyspace-events \"\"\n"
                              "port 12345\n"));
  EXPECT_LT(text.find("notify-"), text.find("user "));
}

TEST(RedisConfig, WhatOrdealNeedsItselfIsRefusedWhateverItsCase) {
  for (const char* name : {"port", "BIND", "Dir", "requirepass", "aclfile", "user", "replicaof",
                           "include", "appendonly", "rename-command", "logfile"}) {
    EXPECT_NE(why_refused({name, "x"}), "") << name;
  }
  for (const char* name : {"maxmemory", "client-output-buffer-limit", "save", "appendfsync"})
    EXPECT_EQ(why_refused({name, "x"}), "") << name;
  EXPECT_NE(why_refused({"maxmemory", "64mb\nport 1"}), "");
  EXPECT_NE(why_refused({"max memory", "64mb"}), "");
  EXPECT_NE(why_refused({"", "64mb"}), "");
}

TEST(RedisConfig, AComplaintOfTheServerIsFoundInItsLog) {
  const auto found = find_complaint(
      "1:C 27 Nov 2026 # Warning: something\n"
      "\n*** FATAL CONFIG FILE ERROR (Redis 7.0.15) ***\n"
      "Reading the configuration file, at line 12\n"
      ">>> 'maxmemory 64pb'\n"
      "argument must be a memory value\n");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->line, 12U);
  EXPECT_EQ(found->words, "argument must be a memory value");
  EXPECT_FALSE(find_complaint("# Could not create server TCP listening socket\n"));
}

TEST(RedisConfig, ALineBelongsToItsDirectiveOrToNone) {
  redis_settings settings;
  settings.directives = {{"a", "1"}, {"b", "2"}};
  const std::string text = config(settings);
  const std::string_view before = std::string_view(text).substr(0, text.find("a 1\n"));
  const auto first = static_cast<std::size_t>(std::count(before.begin(), before.end(), '\n')) + 1;
  EXPECT_EQ(directive_of(first - 1, settings), std::nullopt);
  EXPECT_EQ(directive_of(first, settings), 0U);
  EXPECT_EQ(directive_of(first + 1, settings), 1U);
  EXPECT_EQ(directive_of(first + 2, settings), std::nullopt);
  EXPECT_EQ(directive_of(0, settings), std::nullopt);
}

TEST(RedisConfig, AnotherServerSaysItsOwnVersion) {
  EXPECT_EQ(version_of("# Server\r\nredis_version:7.0.15\r\nredis_mode:standalone\r\n"), "7.0.15");
  EXPECT_EQ(version_of("# Server\r\nredis_version:7.2.4\r\nserver_name:valkey\r\n"
                       "valkey_version:8.1.1\r\n"),
            "valkey 8.1.1");
}

}  // namespace
}  // namespace ordeal::fault
