// Goal: TLS against a real redis-server, and a sentence with the remedy for every way in which it can fail.
#include <boost/asio/write.hpp>
#include <fstream>

#include "net/async/clock.h"
#include "net/async/condition.h"
#include "net/async/task_group.h"
#include "tests/integration/redis/redis_fixture.h"
#include "tests/support/command.h"

namespace ordeal::net::redis {
namespace {

using namespace std::chrono_literals;

class RedisTls : public RedisFixture {
 protected:
  test::redis_server_options serving(const test::certificate_request& what = {},
                                     bool wants_client_certificate = false) {
    test::redis_server_options options;
    options.tls.emplace();
    options.tls->own = authority_.issue("server", what);
    options.tls->ca_file = authority_.ca_file();
    options.tls->wants_client_certificate = wants_client_certificate;
    return options;
  }
  // Fails the test unless `ec` and all `parts` of the words are there.
  void expect_refused(connection_options options, errc ec, std::vector<std::string_view> parts) {
    const auto opened = open(std::move(options));
    EXPECT_EQ(opened.ec, make_error_code(ec)) << opened.ec.message() << ": " << opened.detail;
    for (const std::string_view part : parts)
      EXPECT_TRUE(contains(opened.detail, part)) << "no '" << part << "' in: " << opened.detail;
  }

  test::scratch_directory directory_;
  test::certificate_authority authority_{directory_.path(), "ours"};
};

TEST_F(RedisTls, CarriesRequestsLargeAndBinary) {
  test::redis_server server(serving());
  auto options = server.tls_connection();
  options.database = 3;
  options.client_name = "somebody";
  const auto opened = open(options);
  ASSERT_FALSE(opened.ec) << opened.detail;
  std::string value(3U << 20, 'x');
  value[5] = '\0';
  value[7] = '\n';
  request what;
  for (int i = 0; i < 1'000; ++i) what.add({"RPUSH", "list", std::to_string(i)});
  what.add({"SET", "k", value}).add({"GET", "k"});
  const auto result = exec(*opened.opened, what);
  ASSERT_FALSE(result.ec) << result.ec.message();
  EXPECT_EQ(result.replies[999]->integer(), 1'000);
  EXPECT_TRUE(result.replies.back()->text() == value);
  const std::string client = ask(*opened.opened, {"CLIENT", "INFO"});
  EXPECT_TRUE(contains(client, "db=3")) << client;
}

TEST_F(RedisTls, VerifiesAHostName) {
  test::redis_server server(serving({.names = "DNS:redis.test"}));
  auto options = server.tls_connection();
  options.tls.server_name = "redis.test";
  EXPECT_FALSE(open(options).ec);
  options.tls.server_name = "other.test";
  expect_refused(options, errc::tls_failed,
                 {"not for other.test", "redis.test", "--redis-tls-server-name"});
  options.tls.server_name.clear();
  expect_refused(options, errc::tls_failed, {"not for 127.0.0.1", "--redis-tls-server-name"});
}

TEST_F(RedisTls, RefusesAnotherAuthority) {
  test::redis_server server(serving());
  const test::certificate_authority other(directory_.path(), "other");
  auto options = server.tls_connection();
  options.tls.ca_file = other.ca_file();
  expect_refused(options, errc::tls_failed,
                 {"not signed by the CA in " + other.ca_file().string(), "--redis-tls-ca-file"});
  options.tls.ca_file.clear();
  expect_refused(options, errc::tls_failed,
                 {"by no CA that this system trusts", "--redis-tls-ca-file"});
}

TEST_F(RedisTls, RefusesCertificatesOutOfTheirTime) {
  {
    test::redis_server server(serving({.valid_from = -7'200s, .valid_until = -3'600s}));
    expect_refused(server.tls_connection(), errc::tls_failed, {"has expired on", "renew"});
  }
  test::redis_server server(serving({.valid_from = 3'600s, .valid_until = 7'200s}));
  expect_refused(server.tls_connection(), errc::tls_failed, {"valid only from", "clock"});
}

// A plain Redis takes the handshake for the beginning of a command: it waits for more of it, or complains.
TEST_F(RedisTls, SaysWhenTheServerDoesNotSpeakIt) {
  test::redis_server server(serving());
  auto options = server.tls_connection();
  options.port = server.port();
  options.connect_timeout = 500ms;
  const auto opened = open(options);
  EXPECT_TRUE(opened.ec == make_error_code(errc::tls_failed) ||
              opened.ec == make_error_code(errc::connect_timeout))
      << opened.ec.message();
  EXPECT_TRUE(contains(opened.detail, "not speak TLS")) << opened.detail;
  EXPECT_TRUE(contains(opened.detail, "redis:// instead of rediss://")) << opened.detail;
}

asio::awaitable<void> complain(asio::ip::tcp::acceptor& acceptor) {
  auto peer = co_await acceptor.async_accept(asio::use_awaitable);
  const std::string words = "-ERR Protocol error: unbalanced quotes in request\r\n";
  co_await asio::async_write(peer, asio::buffer(words), asio::use_awaitable);
}

asio::awaitable<void> connect_to_complainer(connection_options options, open_result& result) {
  const auto ex = co_await asio::this_coro::executor;
  const asio::ip::tcp::endpoint anywhere(asio::ip::address_v4::loopback(), 0);
  asio::ip::tcp::acceptor acceptor(ex, anywhere);
  task_group group(ex);
  group.spawn("complainer", complain(acceptor));
  options.port = acceptor.local_endpoint().port();
  result = co_await connect(std::move(options));
  co_await group.join();
}

TEST_F(RedisTls, AComplaintInsteadOfAHandshakeIsNoTls) {
  connection_options options;
  options.tls.is_on = true;
  open_result result;
  test::run_coro(io_, connect_to_complainer(options, result));
  EXPECT_EQ(result.ec, make_error_code(errc::tls_failed));
  EXPECT_TRUE(contains(result.detail, "does not speak TLS at this port")) << result.detail;
}

TEST_F(RedisTls, SaysWhenTheServerSpeaksIt) {
  test::redis_server server(serving());
  auto options = server.connection();
  options.port = server.tls_port();
  const auto opened = open(options);
  EXPECT_TRUE(opened.ec.failed());
  EXPECT_TRUE(contains(opened.detail, "rediss://")) << opened.detail;
}

TEST_F(RedisTls, GivesAClientCertificate) {
  test::redis_server server(serving({}, true));
  auto options = server.tls_connection();
  const auto refused = open(options);
  EXPECT_TRUE(refused.ec.failed());
  EXPECT_TRUE(contains(refused.detail, "--redis-tls-cert-file")) << refused.detail;
  const auto mine = authority_.issue("client");
  options.tls.certificate_file = mine.certificate;
  options.tls.key_file = mine.key;
  const auto opened = open(options);
  ASSERT_FALSE(opened.ec) << opened.detail;
  EXPECT_EQ(ask(*opened.opened, {"PING"}), "PONG");

  test::certificate_authority other(directory_.path(), "other");
  const auto foreign = other.issue("client");
  options.tls.certificate_file = foreign.certificate;
  options.tls.key_file = foreign.key;
  const auto untrusted = open(options);
  EXPECT_TRUE(contains(untrusted.detail, "--redis-tls-cert-file")) << untrusted.detail;
}

TEST_F(RedisTls, ReadsTheFilesAtEveryConnect) {
  test::redis_server server(serving({}, true));
  auto options = server.tls_connection();
  const auto mine = authority_.issue("client", {.valid_from = -7'200s, .valid_until = -3'600s});
  options.tls.certificate_file = mine.certificate;
  options.tls.key_file = mine.key;
  const auto expired = open(options);
  EXPECT_TRUE(contains(expired.detail, "our certificate has expired")) << expired.detail;
  (void)authority_.issue("client");
  const auto renewed = open(options);
  EXPECT_FALSE(renewed.ec) << renewed.detail;

  const auto trusted = directory_.path() / "trusted.pem";
  const test::certificate_authority other(directory_.path(), "other");
  std::filesystem::copy_file(other.ca_file(), trusted);
  options.tls.ca_file = trusted;
  const auto distrusted = open(options);
  EXPECT_TRUE(contains(distrusted.detail, "--redis-tls-ca-file")) << distrusted.detail;
  std::filesystem::copy_file(authority_.ca_file(), trusted,
                             std::filesystem::copy_options::overwrite_existing);
  const auto trusting = open(options);
  EXPECT_FALSE(trusting.ec) << trusting.detail;
}

TEST_F(RedisTls, NamesTheFileThatIsWrong) {
  test::redis_server server(serving());
  const auto good = server.tls_connection();
  const auto mine = authority_.issue("client");
  const auto secret = authority_.issue("secret", {.passphrase = "hunter2"});
  const std::string missing = (directory_.path() / "missing").string();
  const auto text = directory_.path() / "text";
  std::ofstream(text) << "no certificate\n";

  auto options = good;
  options.tls.ca_file = missing;
  expect_refused(options, errc::tls_files, {missing, "No such file", "--redis-tls-ca-file"});
  options.tls.ca_file = directory_.path();
  expect_refused(options, errc::tls_files, {"is a directory"});
  options.tls.ca_file = text;
  expect_refused(options, errc::tls_files, {text.string(), "holds no certificate in PEM form"});

  options = good;
  options.tls.certificate_file = mine.certificate;
  expect_refused(options, errc::tls_files, {"--redis-tls-cert-file", "--redis-tls-key-file"});
  options.tls.key_file = mine.certificate;
  expect_refused(options, errc::tls_files, {"holds no private key", "--redis-tls-key-file"});
  options.tls.key_file = secret.key;
  expect_refused(options, errc::tls_files, {"has a passphrase"});
  options.tls.key_file = authority_.issue("another").key;
  expect_refused(options, errc::tls_files, {"does not belong to the certificate"});
  options.tls.certificate_file = text;
  expect_refused(options, errc::tls_files, {text.string(), "holds no certificate"});
}

TEST_F(RedisTls, TheHandshakeObeysTheTimeout) {
  test::redis_server server(serving());
  server.pause();
  auto options = server.tls_connection();
  options.connect_timeout = 100ms;
  expect_refused(options, errc::connect_timeout, {"no TLS handshake in time"});
  server.resume();
}

TEST_F(RedisTls, TheEndOfTheServerIsAClosedConnection) {
  test::redis_server server(serving());
  const auto opened = open(server.tls_connection());
  ASSERT_FALSE(opened.ec) << opened.detail;
  server.stop();
  request what;
  what.add({"PING"});
  const auto result = exec(*opened.opened, what);
  EXPECT_TRUE(result.ec.failed());
  EXPECT_NE(result.ec, make_error_code(errc::command_timeout));
  EXPECT_FALSE(opened.opened->is_open());
}

asio::awaitable<void> kill_when_blocked(test::redis_server& server) {
  const auto deadline = now() + 10s;
  bool is_blocked = false;
  while (!is_blocked && now() < deadline) {
    is_blocked = contains(std::string(server.command({"CLIENT", "LIST"})->text()), "cmd=blpop");
    co_await sleep_for(10ms);
  }
  server.kill();
}

asio::awaitable<void> block_until_killed(connection& over, test::redis_server& server,
                                         exec_result& result) {
  task_group group(co_await asio::this_coro::executor);
  group.spawn("killer", kill_when_blocked(server));
  request what;
  what.add({"BLPOP", "nothing", "0"});
  result = co_await over.exec(what, 15s);
  co_await group.join();
}

// A server that dies sends no farewell of TLS: "stream truncated", which is an ordinary end here.
TEST_F(RedisTls, ATruncatedStreamIsAClosedConnection) {
  test::redis_server server(serving());
  const auto opened = open(server.tls_connection());
  ASSERT_FALSE(opened.ec) << opened.detail;
  exec_result result;
  test::run_coro(io_, block_until_killed(*opened.opened, server, result));
  EXPECT_EQ(result.ec, make_error_code(errc::closed)) << result.ec.message();
  EXPECT_FALSE(opened.opened->is_open());
}

TEST_F(RedisTls, TimeoutClosesTheConnection) {
  test::redis_server server(serving());
  const auto opened = open(server.tls_connection());
  ASSERT_FALSE(opened.ec) << opened.detail;
  request what;
  what.add({"BLPOP", "nothing", "0"});
  const auto late = exec(*opened.opened, what, 50ms);
  EXPECT_EQ(late.ec, make_error_code(errc::command_timeout));
  EXPECT_FALSE(opened.opened->is_open());
}

}  // namespace
}  // namespace ordeal::net::redis
