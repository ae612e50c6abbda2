// Goal: what is given to ordeal-chat on its command line reaches the connection. Method: the
// program against a Redis that only TLS, a user, a client certificate, or sentinels lead to; ready
// means that it reads its own heartbeat there.
#include <fstream>
#include <map>

#include "net/async/clock.h"
#include "net/async/condition.h"
#include "net/http.h"
#include "tests/integration/redis/redis_fixture.h"
#include "tests/support/command.h"

namespace ordeal::net::redis {
namespace {

using namespace std::chrono_literals;

class RedisProgram : public RedisFixture {
 protected:
  std::unique_ptr<test::command> start(std::vector<std::string> flags,
                                       std::map<std::string, std::string> env = {}) {
    flags.insert(flags.begin(), ORDEAL_CHAT_PROGRAM);
    return std::make_unique<test::command>(flags, directory_.path(), std::move(env));
  }

  static asio::awaitable<void> ask_until_ready(std::uint16_t port, bool& is_ready) {
    const asio::ip::tcp::endpoint node(asio::ip::address_v4::loopback(), port);
    const auto deadline = now() + 30s;
    while (!is_ready && now() < deadline) {
      const auto answer = co_await http_request_once(node, "GET", "/readyz", "", 1s);
      is_ready = !answer.ec && answer.response.status == 200;
      if (!is_ready) co_await sleep_for(20ms);
    }
  }
  bool becomes_ready(const test::command& program) {
    const std::string sentence = "listening on 127.0.0.1:";
    const auto is_listening = [&] { return contains(program.err(), sentence); };
    if (!test::eventually(is_listening, 15s)) return false;
    const std::string log = program.err();
    const int port = std::stoi(log.substr(log.find(sentence) + sentence.size()));
    bool is_ready = false;
    test::run_coro(io_, ask_until_ready(static_cast<std::uint16_t>(port), is_ready), 40s);
    return is_ready;
  }
  static bool says(const test::command& program, const std::string& words) {
    return test::eventually([&] { return contains(program.err(), words); }, 15s);
  }

  test::scratch_directory directory_;
};

TEST_F(RedisProgram, SpeaksTlsWithACertificateAsAUser) {
  test::certificate_authority authority(directory_.path(), "ours");
  test::redis_server_options serving;
  serving.tls.emplace();
  serving.tls->own = authority.issue("server", {.names = "DNS:redis.test"});
  serving.tls->ca_file = authority.ca_file();
  serving.tls->wants_client_certificate = true;
  test::redis_server server(serving);
  const auto done = server.command({"ACL", "SETUSER", "chat", "on", ">a,b@c%20", "~*", "+@all"});
  ASSERT_FALSE(done->is_error());
  const auto secret = directory_.path() / "secret";
  std::ofstream(secret) << "a,b@c%20\n";
  const auto mine = authority.issue("client");
  const std::string url = "rediss://chat@127.0.0.1:" + std::to_string(server.tls_port()) + "/1";
  const auto program =
      start({"--redis-url", url, "--redis-password-file", secret.string(), "--redis-tls-ca-file",
             authority.ca_file().string(), "--redis-tls-cert-file", mine.certificate.string(),
             "--redis-tls-key-file", mine.key.string(), "--redis-tls-server-name", "redis.test"});
  EXPECT_TRUE(becomes_ready(*program)) << program->err();
  const auto clients = server.command({"CLIENT", "LIST"});
  EXPECT_TRUE(contains(std::string(clients->text()), "user=chat"));
}

TEST_F(RedisProgram, SaysWhatIsWrongWithTls) {
  test::certificate_authority authority(directory_.path(), "ours");
  const test::certificate_authority other(directory_.path(), "other");
  test::redis_server_options serving;
  serving.tls.emplace();
  serving.tls->own = authority.issue("server");
  serving.tls->ca_file = authority.ca_file();
  test::redis_server server(serving);
  const std::string url = "rediss://127.0.0.1:" + std::to_string(server.tls_port());
  const auto program = start({"--redis-url", url, "--redis-tls-ca-file", other.ca_file().string()});
  EXPECT_TRUE(says(*program, "give the server's CA file (--redis-tls-ca-file)")) << program->err();
}

TEST_F(RedisProgram, AClusterIsNamed) {
  test::redis_server_options cluster;
  cluster.is_cluster = true;
  test::redis_server server(cluster);
  const auto program = start({"--redis-url", "redis://127.0.0.1:" + std::to_string(server.port())});
  EXPECT_TRUE(says(*program, "Redis Cluster, which is not supported")) << program->err();
}

TEST_F(RedisProgram, FollowsTheSentinelsToTheNextMaster) {
  test::redis_server_options quick;
  quick.extra_config = "repl-diskless-sync-delay 0\n";
  test::redis_server master(quick), replica;
  const std::string port = std::to_string(master.port());
  ASSERT_FALSE(replica.command({"REPLICAOF", "127.0.0.1", port})->is_error());
  test::redis_sentinel_options watching;
  watching.master_port = master.port();
  watching.password = "of-sentinel";
  test::redis_sentinel sentinel(watching);
  const std::string url =
      "redis+sentinel://127.0.0.1:" + std::to_string(sentinel.port()) + "/chat-master";
  const auto program = start({"--redis-url", url, "--node", "mover"},
                             {{"ORDEAL_CHAT_REDIS_SENTINEL_PASSWORD", "of-sentinel"}});
  ASSERT_TRUE(becomes_ready(*program)) << program->err();
  const auto takes_order = [&] {
    return !sentinel.command({"SENTINEL", "failover", "chat-master"})->is_error();
  };
  ASSERT_TRUE(test::eventually(takes_order, 20s)) << "the sentinel refused to fail over";
  const auto has_moved = [&] {
    const std::string clients(replica.command({"CLIENT", "LIST", "TYPE", "normal"})->text());
    return contains(clients, "name=mover");
  };
  // Whether the log goes on there depends on what the replica had received: that is the log's affair.
  EXPECT_TRUE(test::eventually(has_moved, 30s)) << program->err();
  EXPECT_FALSE(contains(program->err(), "of-sentinel"));
}

}  // namespace
}  // namespace ordeal::net::redis
