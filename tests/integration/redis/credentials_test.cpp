// Goal: secrets as people choose and rotate them, through connect() to a real redis-server.
#include <filesystem>
#include <fstream>

#include "tests/integration/redis/redis_fixture.h"

namespace ordeal::net::redis {
namespace {

class RedisCredentials : public RedisFixture {
 protected:
  void set_user(test::redis_server& server, std::string_view password) {
    const std::string rule = ">" + std::string(password);
    const auto done =
        server.command({"ACL", "SETUSER", "chat", "resetpass", rule, "on", "~*", "&*", "+@all"});
    ASSERT_FALSE(done->is_error()) << done->text();
  }
  static void write(const std::filesystem::path& file, std::string_view secret) {
    std::ofstream(file, std::ios::binary) << secret << "\n";
  }
};

TEST_F(RedisCredentials, ARotatedUserComesBackWithTheNewFile) {
  test::redis_server server;
  const auto file = server.directory() / "secret";
  set_user(server, "first");
  write(file, "first");
  auto options = server.connection();
  options.auth.user = "chat";
  options.auth.password_file = file;
  const auto before = open(options);
  ASSERT_FALSE(before.ec) << before.detail;

  set_user(server, "second");
  EXPECT_EQ(ask(*before.opened, {"ACL", "WHOAMI"}), "chat");  // rotation alone kicks nobody
  const auto killed = server.command({"CLIENT", "KILL", "USER", "chat"});
  ASSERT_EQ(killed->integer(), 1);
  EXPECT_NE(ask(*before.opened, {"PING"}), "PONG");
  EXPECT_FALSE(before.opened->is_open());

  const auto refused = open(options);
  EXPECT_EQ(refused.ec, make_error_code(errc::auth_failed));
  EXPECT_FALSE(contains(refused.detail, "first")) << refused.detail;
  write(file, "second");
  const auto after = open(options);
  ASSERT_FALSE(after.ec) << after.detail;
  EXPECT_EQ(ask(*after.opened, {"ACL", "WHOAMI"}), "chat");
}

TEST_F(RedisCredentials, OddSecretsWork) {
  test::redis_server server;
  const auto file = server.directory() / "secret";
  const std::vector<std::string> secrets{"a,b;c",
                                         "p@ss@word",
                                         "100%25%",
                                         "\"quoted\" 'twice'",
                                         " blanks around ",
                                         "p\xc3\xa4\xc3\x9f"
                                         "w\xc3\xb6rd \xf0\x9f\x94\x91",
                                         "tab\tand\\backslash",
                                         "$6\r$x",
                                         std::string(512, 'x')};
  for (const std::string& secret : secrets) {
    set_user(server, secret);
    write(file, secret);
    auto options = server.connection();
    options.auth.user = "chat";
    options.auth.password = secret;
    const auto by_value = open(options);
    EXPECT_FALSE(by_value.ec) << secret << ": " << by_value.detail;
    options.auth.password.clear();
    options.auth.password_file = file;
    const auto by_file = open(options);
    EXPECT_FALSE(by_file.ec) << secret << ": " << by_file.detail;
  }
}

TEST_F(RedisCredentials, AnOpenServerTakesAnyPasswordOfTheDefaultUser) {
  test::redis_server server;
  auto options = server.connection();
  options.auth.password = "needless";
  EXPECT_FALSE(open(options).ec);
  // A user's name is another matter: there is no such user.
  options.auth.user = "nobody";
  EXPECT_EQ(open(options).ec, make_error_code(errc::auth_failed));
}

TEST_F(RedisCredentials, AUserWithoutTheRightToGreetIsLetIn) {
  test::redis_server server;
  const auto done =
      server.command({"ACL", "SETUSER", "chat", "on", ">pw", "~*", "+get", "+auth", "+set"});
  ASSERT_FALSE(done->is_error()) << done->text();
  auto options = server.connection();
  options.auth.user = "chat";
  options.auth.password = "pw";
  options.client_name = "somebody";
  const auto opened = open(options);
  ASSERT_FALSE(opened.ec) << opened.detail;
  EXPECT_TRUE(contains(ask(*opened.opened, {"PING"}), "NOPERM"));
  EXPECT_EQ(ask(*opened.opened, {"SET", "k", "v"}), "OK");
}

}  // namespace
}  // namespace ordeal::net::redis
