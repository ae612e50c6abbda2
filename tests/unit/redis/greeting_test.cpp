// Goal: what a server says about itself decides whether its connection is handed out.
#include "net/redis/greeting.h"

#include <gtest/gtest.h>

#include "tests/unit/redis/parse.h"

namespace ordeal::net::redis {
namespace {

std::string bulk(std::string_view text) {
  return "$" + std::to_string(text.size()) + "\r\n" + std::string(text) + "\r\n";
}

std::string hello(std::string_view mode, std::string_view role) {
  return "*6\r\n" + bulk("proto") + ":2\r\n" + bulk("mode") + bulk(mode) + bulk("role") +
         bulk(role);
}

refusal judged(const connection_options& options, const std::vector<std::string>& replies) {
  const greeting sent = make_greeting(options, options.auth.password);
  exec_result answers;
  for (const std::string& each : replies) answers.replies.push_back(test::parse_reply(each));
  EXPECT_EQ(sent.what.size(), replies.size());
  return judge(sent, answers);
}

TEST(Greeting, AStandaloneServerIsTaken) {
  EXPECT_FALSE(judged({}, {hello("standalone", "master"), "+PONG\r\n"}).ec);
}

TEST(Greeting, AServerThatDoesNotKnowHelloIsTaken) {
  EXPECT_FALSE(judged({}, {"-ERR unknown command `HELLO`\r\n", "+PONG\r\n"}).ec);
  EXPECT_FALSE(judged({}, {"-NOPERM no\r\n", "-NOPERM no\r\n"}).ec);
}

TEST(Greeting, ClustersAndSentinelsAreTheWrongKind) {
  connection_options options;
  options.database = 5;
  const auto cluster = judged(options, {"-ERR SELECT is not allowed in cluster mode\r\n",
                                        hello("cluster", "master"), "+PONG\r\n"});
  EXPECT_EQ(cluster.ec, make_error_code(errc::wrong_kind));
  EXPECT_NE(cluster.detail.find("Cluster"), std::string::npos);
  const auto sentinel = judged({}, {hello("sentinel", ""), "+PONG\r\n"});
  EXPECT_EQ(sentinel.ec, make_error_code(errc::wrong_kind));
  EXPECT_NE(sentinel.detail.find("redis+sentinel://"), std::string::npos);
}

TEST(Greeting, RolesInTheirOwnWords) {
  const auto words = [](const std::string& role, const std::string& greeted) {
    const auto role_reply = test::parse_reply(role);
    const auto hello_reply = test::parse_reply(greeted);
    return not_master_words(role_reply.view(), hello_reply.view());
  };
  const std::string denied = "-NOPERM no\r\n";
  EXPECT_EQ(words("*3\r\n" + bulk("master") + ":0\r\n*0\r\n", denied), "");
  EXPECT_EQ(words("*5\r\n" + bulk("slave") + bulk("10.0.0.1") + ":6379\r\n" + bulk("connected") +
                      ":7\r\n",
                  hello("standalone", "replica")),
            "is a replica of 10.0.0.1:6379");
  EXPECT_EQ(words(denied, hello("standalone", "master")), "");
  EXPECT_EQ(words(denied, hello("standalone", "replica")), "is a replica");
  EXPECT_NE(words(denied, denied).find("+role"), std::string::npos);
}

}  // namespace
}  // namespace ordeal::net::redis
