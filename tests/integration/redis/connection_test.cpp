// Goal: the connection against a real redis-server: pipelining, binary and large values,
// credentials in all their states, and every way to lose the server.
#include "net/redis/connection.h"

#include <gtest/gtest.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "net/async/clock.h"
#include "net/async/condition.h"
#include "net/async/task_group.h"
#include "tests/integration/redis/redis_fixture.h"

namespace ordeal::net::redis {
namespace {

using namespace std::chrono_literals;

class RedisConnection : public RedisFixture {};

test::redis_server_options with_password(std::string password) {
  test::redis_server_options options;
  options.password = std::move(password);
  return options;
}

TEST_F(RedisConnection, PipelinesRequestsInOrder) {
  test::redis_server server;
  const auto opened = open(server.connection());
  ASSERT_FALSE(opened.ec) << opened.detail;
  request what;
  for (int i = 0; i < 1'000; ++i) what.add({"RPUSH", "list", std::to_string(i)});
  what.add({"NONSENSE"});
  const auto result = exec(*opened.opened, what);
  ASSERT_FALSE(result.ec) << result.ec.message();
  ASSERT_EQ(result.replies.size(), 1'001U);
  for (int i = 0; i < 1'000; ++i)
    EXPECT_EQ(result.replies[static_cast<std::size_t>(i)]->integer(), i + 1);
  EXPECT_TRUE(result.replies.back()->is_error());
  EXPECT_TRUE(opened.opened->is_open());
}

asio::awaitable<void> send_in_a_row(connection& over, std::vector<exec_result>& results) {
  request first, second, last;
  first.add({"RPUSH", "list", "1"}).add({"RPUSH", "list", "2"});
  second.add({"BLPOP", "empty", "0.05"});  // answered later than the others are sent
  last.add({"LRANGE", "list", "0", "-1"});
  for (const request* each : {&first, &second, &last}) {
    const error_code ec = co_await over.send(*each, 5s);
    EXPECT_FALSE(ec) << ec.message();
  }
  for (int i = 0; i < 3; ++i) {
    auto result = co_await over.hear(5s);
    results.push_back(std::move(result));
  }
}

TEST_F(RedisConnection, RequestsInARowAreAnsweredInOrder) {
  test::redis_server server;
  const auto opened = open(server.connection());
  ASSERT_FALSE(opened.ec) << opened.detail;
  std::vector<exec_result> results;
  test::run_coro(io_, send_in_a_row(*opened.opened, results));
  ASSERT_EQ(results.size(), 3U);
  for (const exec_result& each : results) EXPECT_FALSE(each.ec) << each.ec.message();
  ASSERT_EQ(results[0].replies.size(), 2U);
  EXPECT_EQ(results[0].replies[1]->integer(), 2);
  ASSERT_EQ(results[1].replies.size(), 1U);
  ASSERT_EQ(results[2].replies.size(), 1U);
  EXPECT_EQ(results[2].replies[0]->size(), 2U);
  request what;
  what.add({"PING"});
  EXPECT_EQ(exec(*opened.opened, what).replies.at(0)->text(), "PONG");
}

asio::awaitable<void> send_to_nobody(connection& over, exec_result& result) {
  request what;
  what.add({"PING"});
  for (int i = 0; i < 2; ++i) {
    const error_code ec = co_await over.send(what, 5s);
    EXPECT_FALSE(ec) << ec.message();
  }
  result = co_await over.hear(50ms);
}

TEST_F(RedisConnection, OneThatIsNotAnsweredInTimeEndsAllInTheRow) {
  test::redis_server server;
  const auto opened = open(server.connection());
  ASSERT_FALSE(opened.ec) << opened.detail;
  server.pause();
  exec_result result;
  test::run_coro(io_, send_to_nobody(*opened.opened, result));
  EXPECT_EQ(result.ec, make_error_code(errc::command_timeout));
  EXPECT_FALSE(opened.opened->is_open());
  server.resume();
  request what;
  what.add({"PING"});
  EXPECT_EQ(exec(*opened.opened, what).ec, make_error_code(errc::closed));
}

TEST_F(RedisConnection, CarriesLargeAndBinaryValues) {
  test::redis_server server;
  const auto opened = open(server.connection());
  ASSERT_FALSE(opened.ec) << opened.detail;
  std::string value(3U << 20, 'x');
  value[5] = '\0';
  value[6] = '\r';
  value[7] = '\n';
  request what;
  what.add({"SET", "k", value}).add({"GET", "k"});
  const auto result = exec(*opened.opened, what);
  ASSERT_FALSE(result.ec);
  EXPECT_TRUE(result.replies[1]->text() == value);
}

TEST_F(RedisConnection, SelectsTheDatabaseAndNamesItself) {
  test::redis_server server;
  auto options = server.connection();
  options.database = 5;
  options.client_name = "somebody";
  const auto opened = open(options);
  ASSERT_FALSE(opened.ec) << opened.detail;
  request what;
  what.add({"CLIENT", "INFO"});
  const auto result = exec(*opened.opened, what);
  const std::string text(result.replies.at(0)->text());
  EXPECT_NE(text.find("name=somebody"), std::string::npos) << text;
  EXPECT_NE(text.find("db=5"), std::string::npos) << text;
}

TEST_F(RedisConnection, SaysWhichDatabaseIsRefused) {
  test::redis_server server;
  auto options = server.connection();
  options.database = 999;
  const auto opened = open(options);
  EXPECT_EQ(opened.ec, make_error_code(errc::refused_by_server));
  EXPECT_NE(opened.detail.find("DB index"), std::string::npos) << opened.detail;
}

TEST_F(RedisConnection, LogsInWithAPasswordFileThatIsReadEachTime) {
  test::redis_server server(with_password("first"));
  const auto file = server.directory() / "password";
  auto options = server.connection();
  options.auth.password.clear();
  options.auth.password_file = file;
  std::ofstream(file) << "first\n";
  EXPECT_FALSE(open(options).ec);
  server.set_password("second");
  const auto refused = open(options);
  EXPECT_EQ(refused.ec, make_error_code(errc::auth_failed));
  EXPECT_NE(refused.detail.find("WRONGPASS"), std::string::npos) << refused.detail;
  EXPECT_EQ(refused.detail.find("first"), std::string::npos);
  std::ofstream(file) << "second\n";
  EXPECT_FALSE(open(options).ec);
  std::filesystem::remove(file);
  EXPECT_EQ(open(options).ec, make_error_code(errc::password_file));
}

TEST_F(RedisConnection, LogsInAsAUser) {
  test::redis_server server;
  ASSERT_FALSE(
      server.command({"ACL", "SETUSER", "chat", "on", ">pw", "~*", "+@all"}).view().is_error());
  auto options = server.connection();
  options.auth.user = "chat";
  options.auth.password = "pw";
  const auto opened = open(options);
  ASSERT_FALSE(opened.ec) << opened.detail;
  request what;
  what.add({"ACL", "WHOAMI"});
  EXPECT_EQ(exec(*opened.opened, what).replies.at(0)->text(), "chat");
  ASSERT_FALSE(server.command({"ACL", "SETUSER", "chat", "off"}).view().is_error());
  EXPECT_EQ(open(options).ec, make_error_code(errc::auth_failed));
}

TEST_F(RedisConnection, AcceptsAServerThatWantsNoPassword) {
  test::redis_server server;
  auto options = server.connection();
  options.auth.password = "needless";
  const auto opened = open(options);
  ASSERT_FALSE(opened.ec) << opened.detail;
  request what;
  what.add({"PING"});
  EXPECT_EQ(exec(*opened.opened, what).replies.at(0)->text(), "PONG");
}

TEST_F(RedisConnection, MissingPasswordIsAnAuthFailure) {
  test::redis_server server(with_password("pw"));
  auto options = server.connection();
  options.auth.password.clear();
  const auto opened = open(options);
  EXPECT_EQ(opened.ec, make_error_code(errc::auth_failed));
  EXPECT_NE(opened.detail.find("NOAUTH"), std::string::npos) << opened.detail;
}

TEST_F(RedisConnection, AFullServerIsRecognisedByItsWords) {
  test::redis_server server;
  const auto first = open(server.connection());
  ASSERT_FALSE(first.ec) << first.detail;
  ASSERT_FALSE(server.command({"CONFIG", "SET", "maxclients", "1"}).view().is_error());
  const auto second = open(server.connection());
  EXPECT_EQ(second.ec, make_error_code(errc::refused_by_server));
  EXPECT_NE(second.detail.find("max number of clients"), std::string::npos) << second.detail;
}

TEST_F(RedisConnection, TimeoutClosesTheConnection) {
  test::redis_server server;
  const auto opened = open(server.connection());
  ASSERT_FALSE(opened.ec) << opened.detail;
  server.pause();
  request what;
  what.add({"PING"});
  const auto late = exec(*opened.opened, what, 50ms);
  EXPECT_EQ(late.ec, make_error_code(errc::command_timeout));
  EXPECT_FALSE(opened.opened->is_open());
  server.resume();
  EXPECT_EQ(exec(*opened.opened, what).ec, make_error_code(errc::closed));
}

TEST_F(RedisConnection, APausedServerIsNoConnection) {
  test::redis_server server;
  server.pause();
  auto options = server.connection();
  options.connect_timeout = 50ms;
  EXPECT_EQ(open(options).ec, make_error_code(errc::connect_timeout));
  server.resume();
}

TEST_F(RedisConnection, AKilledServerEndsTheConnection) {
  test::redis_server server;
  const auto opened = open(server.connection());
  ASSERT_FALSE(opened.ec) << opened.detail;
  server.kill();
  request what;
  what.add({"PING"});
  const auto result = exec(*opened.opened, what);
  EXPECT_TRUE(result.ec.failed());
  EXPECT_NE(result.ec, make_error_code(errc::command_timeout));
  EXPECT_FALSE(opened.opened->is_open());
  EXPECT_EQ(open(server.connection()).ec, asio::error::connection_refused);
}

asio::awaitable<void> close_soon(connection& over) {
  co_await sleep_for(20ms);
  over.close();
}

asio::awaitable<void> block_until_closed(connection& over, exec_result& result) {
  task_group group(co_await asio::this_coro::executor);
  group.spawn("closer", close_soon(over));
  request what;
  what.add({"BLPOP", "nothing", "0"});
  result = co_await over.exec(what, 10s);
  co_await group.join();
}

TEST_F(RedisConnection, CloseEndsAnOutstandingRequest) {
  test::redis_server server;
  const auto opened = open(server.connection());
  ASSERT_FALSE(opened.ec) << opened.detail;
  exec_result result;
  const auto before = now();
  test::run_coro(io_, block_until_closed(*opened.opened, result));
  EXPECT_TRUE(result.ec.failed());
  EXPECT_LT(now() - before, 5s);
}

TEST_F(RedisConnection, AClusterIsRefusedWithARemedy) {
  test::redis_server_options cluster;
  cluster.is_cluster = true;
  test::redis_server server(cluster);
  for (const int database : {0, 5}) {
    auto options = server.connection();
    options.database = database;
    const auto opened = open(options);
    EXPECT_EQ(opened.ec, make_error_code(errc::wrong_kind));
    EXPECT_NE(opened.detail.find("Redis Cluster, which is not supported"), std::string::npos);
    EXPECT_NE(opened.detail.find("--redis-url"), std::string::npos) << opened.detail;
  }
}

asio::awaitable<void> speak_nonsense(asio::ip::tcp::acceptor& acceptor) {
  auto peer = co_await acceptor.async_accept(asio::use_awaitable);
  const std::string words = "HTTP/1.1 400 Bad Request\r\n\r\n";
  co_await asio::async_write(peer, asio::buffer(words), asio::use_awaitable);
}

asio::awaitable<void> connect_to_nonsense(open_result& result) {
  const auto ex = co_await asio::this_coro::executor;
  const asio::ip::tcp::endpoint anywhere(asio::ip::address_v4::loopback(), 0);
  asio::ip::tcp::acceptor acceptor(ex, anywhere);
  task_group group(ex);
  group.spawn("stranger", speak_nonsense(acceptor));
  connection_options options;
  options.port = acceptor.local_endpoint().port();
  result = co_await connect(options);
  co_await group.join();
}

TEST_F(RedisConnection, AStrangerIsAProtocolError) {
  open_result result;
  test::run_coro(io_, connect_to_nonsense(result));
  EXPECT_EQ(result.ec, make_error_code(errc::protocol_error));
}

}  // namespace
}  // namespace ordeal::net::redis
