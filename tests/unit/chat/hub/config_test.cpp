#include "reference-server/hub/config.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <initializer_list>
#include <vector>

namespace ordeal::chat {
namespace {

config_result parse(std::initializer_list<const char*> flags) {
  std::vector<const char*> arguments{"ordeal-chat"};
  arguments.insert(arguments.end(), flags);
  return parse_config(static_cast<int>(arguments.size()), arguments.data());
}

// An environment variable for the length of a test.
class scoped_variable {
 public:
  scoped_variable(const char* name, const char* value) : name_(name) { ::setenv(name, value, 1); }
  ~scoped_variable() { ::unsetenv(name_); }

 private:
  const char* name_;
};

TEST(Config, DefaultsToLoopbackAndAnyPort) {
  const auto parsed = parse({});
  ASSERT_TRUE(parsed.config) << parsed.output;
  EXPECT_TRUE(parsed.config->listen.address().is_loopback());
  EXPECT_EQ(parsed.config->listen.port(), 0);
  EXPECT_TRUE(parsed.config->limits.is_local);
  EXPECT_FALSE(parse({"--listen", "0.0.0.0:0"}).config.value().limits.is_local);
  EXPECT_FALSE(parsed.config->log.node_name.empty());
}

TEST(Config, UnknownFlagsAreNamedWithoutTheirValues) {
  for (const auto& flags : {std::initializer_list<const char*>{"--redis-password", "hunter2"},
                            std::initializer_list<const char*>{"--redis-password=hunter2"}}) {
    const auto parsed = parse(flags);
    EXPECT_EQ(parsed.exit_code, 2);
    EXPECT_NE(parsed.output.find("no option --redis-password;"), std::string::npos)
        << parsed.output;
    EXPECT_NE(parsed.output.find("--redis-password-file"), std::string::npos) << parsed.output;
    EXPECT_EQ(parsed.output.find("hunter2"), std::string::npos) << parsed.output;
  }
  EXPECT_EQ(parse({"hunter2"}).output.find("hunter2"), std::string::npos);
}

TEST(Config, TakesFlags) {
  const auto parsed =
      parse({"--listen", "127.0.0.1:4711", "--redis-url", "redis://chat@127.0.0.1:7000/3",
             "--redis-password-file", "/run/secret", "--drain-timeout", "2s", "--message-bytes-max",
             "1KiB", "--rooms-per-client-max", "3"});
  ASSERT_TRUE(parsed.config) << parsed.output;
  EXPECT_EQ(parsed.config->listen.port(), 4711);
  EXPECT_EQ(parsed.config->log.redis.port, 7000);
  EXPECT_EQ(parsed.config->log.redis.database, 3);
  EXPECT_EQ(parsed.config->log.redis.auth.user, "chat");
  EXPECT_EQ(parsed.config->log.redis.auth.password_file, "/run/secret");
  EXPECT_EQ(parsed.config->drain_timeout, std::chrono::seconds(2));
  EXPECT_EQ(parsed.config->limits.message_bytes_max, 1'024U);
  EXPECT_EQ(parsed.config->limits.rooms_per_client_max, 3U);
}

TEST(Config, ChoosesWhatIsPromised) {
  const auto plain = parse({});
  ASSERT_TRUE(plain.config) << plain.output;
  EXPECT_EQ(plain.config->log.ack, ack_level::appended);
  EXPECT_EQ(plain.config->log.delivery, delivery_mode::fast);
  const std::pair<const char*, ack_level> levels[] = {{"accepted", ack_level::accepted},
                                                      {"appended", ack_level::appended},
                                                      {"stable", ack_level::stable}};
  for (const auto& [word, level] : levels) {
    const auto parsed = parse({"--ack", word, "--delivery", "stable"});
    ASSERT_TRUE(parsed.config) << parsed.output;
    EXPECT_EQ(parsed.config->log.ack, level);
    EXPECT_EQ(parsed.config->log.delivery, delivery_mode::stable);
  }
}

TEST(Config, TakesHowLongARecoveryWaitsAndHowMuchANodeKeeps) {
  const auto parsed = parse({"--recovery-grace", "4s", "--boot-grace", "250ms", "--replay-entries",
                             "77", "--replay-bytes-max", "2MiB"});
  ASSERT_TRUE(parsed.config) << parsed.output;
  EXPECT_EQ(parsed.config->log.recovery_grace, std::chrono::seconds(4));
  EXPECT_EQ(parsed.config->log.boot_grace, std::chrono::milliseconds(250));
  EXPECT_EQ(parsed.config->log.replay_entries, 77U);
  EXPECT_EQ(parsed.config->log.replay_bytes_max, 2U << 20);
}

TEST(Config, TakesTheEnvironmentAndFlagsWin) {
  const scoped_variable node("ORDEAL_CHAT_NODE", "from-environment");
  const scoped_variable app("ORDEAL_CHAT_APP", "from-environment");
  const scoped_variable password("ORDEAL_CHAT_REDIS_PASSWORD", "secret");
  const auto parsed = parse({"--node", "from-flag", "--redis-url", "redis://127.0.0.1:7000"});
  ASSERT_TRUE(parsed.config) << parsed.output;
  EXPECT_EQ(parsed.config->log.node_name, "from-flag");
  EXPECT_EQ(parsed.config->log.app, "from-environment");
  EXPECT_EQ(parsed.config->log.redis.auth.password, "secret");
}

TEST(Config, RefusesBadValuesWithOneSentence) {
  const auto error_of = [](const char* flag, const char* value) {
    const auto parsed = parse({flag, value});
    EXPECT_FALSE(parsed.config);
    EXPECT_EQ(parsed.exit_code, 2);
    EXPECT_EQ(std::count(parsed.output.begin(), parsed.output.end(), '\n'), 1) << parsed.output;
    return parsed.output;
  };
  EXPECT_EQ(
      error_of("--drain-timeout", "5x"),
      "ordeal-chat: --drain-timeout: '5x' is not a duration above zero, as in 500ms, 5s or 2m\n");
  EXPECT_EQ(
      error_of("--drain-timeout", "0s"),
      "ordeal-chat: --drain-timeout: '0s' is not a duration above zero, as in 500ms, 5s or 2m\n");
  EXPECT_EQ(error_of("--message-bytes-max", "1KB"),
            "ordeal-chat: --message-bytes-max: '1KB' is not a size above zero, as in 512B, 64KiB "
            "or 4MiB\n");
  EXPECT_EQ(error_of("--connections-max", "-1"),
            "ordeal-chat: --connections-max: '-1' is not a number above zero\n");
  EXPECT_EQ(error_of("--log-level", "loud"),
            "ordeal-chat: --log-level: 'loud' is not one of debug, info, warn, error, off\n");
  EXPECT_EQ(error_of("--ack", "never"),
            "ordeal-chat: --ack: 'never' is not one of accepted, appended, stable\n");
  EXPECT_EQ(error_of("--delivery", "slow"),
            "ordeal-chat: --delivery: 'slow' is not one of fast, stable\n");
  EXPECT_EQ(
      error_of("--boot-grace", "soon"),
      "ordeal-chat: --boot-grace: 'soon' is not a duration above zero, as in 500ms, 5s or 2m\n");
  EXPECT_NE(error_of("--listen", "localhost").find("as in 127.0.0.1:8080"), std::string::npos);
  EXPECT_NE(error_of("--listen", "127.0.0.1:70000").find("as in 127.0.0.1:8080"),
            std::string::npos);
  EXPECT_NE(error_of("--out-queue-bytes-max", "1KiB").find("must be at least"), std::string::npos);
  EXPECT_NE(error_of("--out-total-bytes-max", "1MiB").find("must not be less than"),
            std::string::npos);
  EXPECT_NE(error_of("--client-timeout", "1s").find("longer than --ping-interval"),
            std::string::npos);
  EXPECT_NE(error_of("--colour", "red").find("--colour"), std::string::npos);
}

TEST(Config, TakesOriginsRepeatedOrInOneList) {
  const std::vector<std::string> both{"https://a.example.org", "http://b.example.org:8080"};
  const auto repeated = parse(
      {"--allow-origin", "https://A.example.org/", "--allow-origin", "http://b.example.org:8080"});
  ASSERT_TRUE(repeated.config) << repeated.output;
  EXPECT_EQ(repeated.config->limits.allowed_origins, both);
  const scoped_variable list("ORDEAL_CHAT_ALLOW_ORIGIN",
                             "https://a.example.org,http://b.example.org:8080");
  EXPECT_EQ(parse({}).config.value().limits.allowed_origins, both);
  EXPECT_EQ(parse({"--allow-origin", "*"}).config.value().limits.allowed_origins,
            std::vector<std::string>{"*"});
}

TEST(Config, RefusesWhatIsNoOrigin) {
  for (const char* wrong : {"a.example.org", "ftp://a.example.org", "https://a.example.org/path",
                            "https://", "https://*.example.org", "https://user@a.example.org"}) {
    const auto parsed = parse({"--allow-origin", wrong});
    EXPECT_EQ(parsed.exit_code, 2) << wrong;
    EXPECT_EQ(parsed.output, "ordeal-chat: --allow-origin: '" + std::string(wrong) +
                                 "' is not an origin, as in https://chat.example.org, or * for "
                                 "all\n");
  }
}

TEST(Config, TakesTheLimitsOfStatefulReconnect) {
  const auto parsed = parse({"--reconnect-buffer-bytes-max", "1MiB", "--reconnect-sessions-max",
                             "7", "--reconnect-bytes-max", "2MiB", "--reconnect-timeout", "1m"});
  ASSERT_TRUE(parsed.config) << parsed.output;
  EXPECT_EQ(parsed.config->limits.reconnect_buffer_bytes_max, 1U << 20);
  EXPECT_EQ(parsed.config->limits.reconnect_sessions_max, 7U);
  EXPECT_EQ(parsed.config->limits.reconnect_bytes_max, 2U << 20);
  EXPECT_EQ(parsed.config->limits.reconnect_timeout, std::chrono::minutes(1));
}

TEST(Config, NeverRepeatsAPassword) {
  const auto parsed = parse({"--redis-url", "redis://chat:hunter2@127.0.0.1:7000"});
  EXPECT_EQ(parsed.exit_code, 2);
  EXPECT_EQ(parsed.output.find("hunter2"), std::string::npos) << parsed.output;
  EXPECT_NE(parsed.output.find("--redis-url"), std::string::npos) << parsed.output;
}

TEST(Config, RefusesTwoPasswords) {
  const scoped_variable password("ORDEAL_CHAT_REDIS_PASSWORD", "hunter2");
  const auto parsed = parse({"--redis-password-file", "/run/secret"});
  EXPECT_EQ(parsed.exit_code, 2);
  EXPECT_EQ(parsed.output.find("hunter2"), std::string::npos) << parsed.output;
}

TEST(Config, TakesTlsInAnyOrder) {
  for (const auto& flags : {std::initializer_list<const char*>{
                                "--redis-url", "rediss://chat@h:6380/3", "--redis-tls-ca-file",
                                "/ca", "--redis-tls-cert-file", "/cert", "--redis-tls-key-file",
                                "/key", "--redis-tls-server-name", "redis.test"},
                            std::initializer_list<const char*>{
                                "--redis-tls-server-name", "redis.test", "--redis-tls-key-file",
                                "/key", "--redis-tls-cert-file", "/cert", "--redis-tls-ca-file",
                                "/ca", "--redis-url", "rediss://chat@h:6380/3"}}) {
    const auto parsed = parse(flags);
    ASSERT_TRUE(parsed.config) << parsed.output;
    const auto& redis = parsed.config->log.redis;
    EXPECT_EQ(redis.host, "h");
    EXPECT_EQ(redis.auth.user, "chat");
    EXPECT_TRUE(redis.tls.is_on);
    EXPECT_EQ(redis.tls.ca_file, "/ca");
    EXPECT_EQ(redis.tls.certificate_file, "/cert");
    EXPECT_EQ(redis.tls.key_file, "/key");
    EXPECT_EQ(redis.tls.server_name, "redis.test");
  }
}

TEST(Config, TakesSentinels) {
  const scoped_variable of_redis("ORDEAL_CHAT_REDIS_PASSWORD", "secret");
  const scoped_variable of_sentinel("ORDEAL_CHAT_REDIS_SENTINEL_PASSWORD", "other");
  const auto parsed = parse({"--redis-sentinel-user", "watcher", "--redis-url",
                             "redis+sentinel://chat@a:1,b/mymaster/2", "--redis-sentinel-tls",
                             "true", "--redis-tls-ca-file", "/ca"});
  ASSERT_TRUE(parsed.config) << parsed.output;
  const auto& redis = parsed.config->log.redis;
  EXPECT_EQ(redis.auth.user, "chat");
  EXPECT_EQ(redis.auth.password, "secret");
  EXPECT_FALSE(redis.tls.is_on);
  EXPECT_EQ(redis.sentinel.places.size(), 2U);
  EXPECT_EQ(redis.sentinel.master_name, "mymaster");
  EXPECT_TRUE(redis.sentinel.memory);
  EXPECT_TRUE(redis.sentinel.has_tls);
  EXPECT_EQ(redis.sentinel.auth.user, "watcher");
  EXPECT_EQ(redis.sentinel.auth.password, "other");
  EXPECT_EQ(redis.tls.ca_file, "/ca");
}

TEST(Config, RefusesWhatNothingWouldUse) {
  const auto error_of = [](std::initializer_list<const char*> flags) {
    const auto parsed = parse(flags);
    EXPECT_EQ(parsed.exit_code, 2);
    EXPECT_EQ(std::count(parsed.output.begin(), parsed.output.end(), '\n'), 1) << parsed.output;
    return parsed.output;
  };
  const auto has = [](const std::string& text, const char* part) {
    EXPECT_NE(text.find(part), std::string::npos) << "no '" << part << "' in: " << text;
  };
  for (const char* flag : {"--redis-tls-ca-file", "--redis-tls-server-name",
                           "--redis-tls-cert-file", "--redis-tls-key-file"})
    has(error_of({"--redis-url", "redis://h", flag, "x"}), "write rediss:// instead of redis://");
  for (const char* flag : {"--redis-sentinel-user", "--redis-sentinel-password-file"})
    has(error_of({"--redis-url", "rediss://h", flag, "x"}), "redis+sentinel://");
  has(error_of({"--redis-sentinel-tls", "true"}), "redis+sentinel://");
  has(error_of({"--redis-sentinel-tls", "yes"}), "neither true nor false");
  has(error_of({"--redis-url", "rediss://h", "--redis-tls-cert-file", "x"}), "need each other");
  has(error_of({"--redis-url", "rediss://h", "--redis-tls-key-file", "x"}), "need each other");
  has(error_of({"--redis-url", "redis+sentinel://a/m", "--redis-sentinel-user", "x"}),
      "needs a password");
  has(error_of({"--redis-url", "redis+sentinel://a"}), "does not name the master");
  const scoped_variable password("ORDEAL_CHAT_REDIS_SENTINEL_PASSWORD", "hunter2");
  const auto unused = error_of({"--redis-url", "redis://h"});
  has(unused, "ORDEAL_CHAT_REDIS_SENTINEL_");
  EXPECT_EQ(unused.find("hunter2"), std::string::npos);
  has(error_of({"--redis-url", "redis+sentinel://a/m", "--redis-sentinel-password-file", "x"}),
      "keep one of them");
  has(error_of({"--redis-sentinel-password", "hunter3"}), "--redis-sentinel-password-file");
}

TEST(Config, AnswersHelpAndVersion) {
  const auto help = parse({"--help"});
  EXPECT_FALSE(help.config);
  EXPECT_EQ(help.exit_code, 0);
  EXPECT_NE(help.output.find("ORDEAL_CHAT_LISTEN"), std::string::npos);
  const auto version_text = parse({"--version"});
  EXPECT_EQ(version_text.exit_code, 0);
  EXPECT_EQ(version_text.output.rfind("ordeal-chat ", 0), 0U);
}

}  // namespace
}  // namespace ordeal::chat
