// The program ordeal-chat itself: start, exit codes, signals. Method: run the binary, look from
// outside.
#include <gtest/gtest.h>
#include <signal.h>

#include <boost/asio/io_context.hpp>
#include <fstream>
#include <map>
#include <string>

#include "net/http.h"
#include "tests/integration/chat/hub/hub_client.h"
#include "tests/support/command.h"
#include "tests/support/redis_server.h"
#include "tests/support/run_coro.h"

namespace ordeal::test {
namespace {

using std::chrono::seconds;

class Program : public testing::Test {
 protected:
  std::map<std::string, std::string> environment() const {
    return {{"ORDEAL_CHAT_REDIS_URL", "redis://127.0.0.1:" + std::to_string(redis.port())}};
  }

  // The port that it says it listens on; 0 when it never does.
  static std::uint16_t port_of(const command& program) {
    const std::string sentence = "listening on 127.0.0.1:";
    const auto is_listening = [&] { return program.err().find(sentence) != std::string::npos; };
    if (!eventually(is_listening, seconds(15))) return 0;
    const std::string log = program.err();
    return static_cast<std::uint16_t>(std::stoi(log.substr(log.find(sentence) + sentence.size())));
  }

  asio::awaitable<void> become_ready(std::uint16_t port) {
    node = asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), port);
    unsigned status = 0;
    for (int tries = 0; tries < 200 && status != 200; ++tries) {
      const std::chrono::milliseconds limit(1'000);
      const auto answer = co_await net::http_request_once(node, "GET", "/readyz", "", limit);
      status = answer.ec ? 0 : answer.response.status;
      if (status != 200) co_await net::sleep_for(std::chrono::milliseconds(50));
    }
    EXPECT_EQ(status, 200U);
  }

  asio::awaitable<void> connect(hub_client& client, std::uint16_t port) {
    co_await become_ready(port);
    const bool is_open = co_await client.open(node);
    EXPECT_TRUE(is_open);
    const auto joined = co_await client.join("a", std::nullopt);
    EXPECT_EQ(joined.front(), '=') << joined;
  }

  asio::awaitable<void> drain(command& program, std::uint16_t port);
  asio::awaitable<void> hurry(command& program, std::uint16_t port);
  asio::awaitable<void> send_without_answer(hub_client& client);

  asio::io_context io{1};
  asio::any_io_executor ex = io.get_executor();
  asio::ip::tcp::endpoint node;
  redis_server redis;
  scratch_directory scratch;
  const std::string program_path = ORDEAL_CHAT_PROGRAM;
};

TEST_F(Program, EndsWithTwoForABadOption) {
  command program({program_path, "--drain-timeout", "soon"}, scratch.path(), environment());
  EXPECT_EQ(program.wait(seconds(10)), 2);
  EXPECT_EQ(
      program.err(),
      "ordeal-chat: --drain-timeout: 'soon' is not a duration above zero, as in 500ms, 5s or 2m\n");
  EXPECT_EQ(program.out(), "");
}

TEST_F(Program, EndsWithOneWhenThePortIsTaken) {
  const std::string taken = "127.0.0.1:" + std::to_string(redis.port());
  command program({program_path, "--listen", taken}, scratch.path(), environment());
  EXPECT_EQ(program.wait(seconds(10)), 1);
  EXPECT_NE(program.err().find(std::to_string(redis.port())), std::string::npos) << program.err();
}

asio::awaitable<void> Program::drain(command& program, std::uint16_t port) {
  hub_client client(ex);
  co_await connect(client, port);
  const auto answer = co_await client.send("a", "m1", "hello");
  EXPECT_EQ(answer.front(), '=') << answer;
  program.signal(SIGTERM);
  std::function<bool()> is_over = [&client] { return !client.is_open(); };
  const bool was_closed = co_await becomes_true(is_over);
  EXPECT_TRUE(was_closed);
  EXPECT_EQ(client.goodbye.value_or("none"), "the server is shutting down");
  EXPECT_TRUE(client.may_reconnect);
  co_await client.close();
}

TEST_F(Program, DrainsOnSigterm) {
  command program({program_path}, scratch.path(), environment());
  const auto port = port_of(program);
  ASSERT_NE(port, 0) << program.err();
  run_coro(io, drain(program, port), seconds(40));
  EXPECT_EQ(program.wait(seconds(10)), 0) << program.err();
}

asio::awaitable<void> Program::send_without_answer(hub_client& client) {
  const auto answer = co_await client.send("a", "m1", "hello");
  EXPECT_EQ(answer, "closed");
}

// Method: Redis is stopped, so a Send stays unanswered and the drain has to wait for it.
asio::awaitable<void> Program::hurry(command& program, std::uint16_t port) {
  hub_client client(ex);
  co_await connect(client, port);
  redis.pause();
  net::task_group senders(ex);
  senders.spawn("sender", send_without_answer(client));
  program.signal(SIGTERM);
  std::function<bool()> is_draining = [&program] {
    return program.err().find("draining") != std::string::npos;
  };
  const bool was_draining = co_await becomes_true(is_draining);
  EXPECT_TRUE(was_draining);
  EXPECT_TRUE(client.is_open());
  program.signal(SIGINT);
  co_await senders.join();
  co_await client.close();
}

TEST_F(Program, EndsAtOnceOnTheSecondSignal) {
  command program({program_path, "--drain-timeout", "10m"}, scratch.path(), environment());
  const auto port = port_of(program);
  ASSERT_NE(port, 0) << program.err();
  run_coro(io, hurry(program, port), seconds(40));
  EXPECT_EQ(program.wait(seconds(10)), 128 + SIGINT) << program.err();
  redis.resume();
}

TEST_F(Program, ReadsAConfigurationFile) {
  const auto file = scratch.path() / "chat.toml";
  std::ofstream(file) << "listen = \"127.0.0.1:" << redis.port() << "\"\n";
  command taken({program_path, "--config", file.string()}, scratch.path(), environment());
  EXPECT_EQ(taken.wait(seconds(10)), 1)
      << "the port of the file is taken by Redis: " << taken.err();
  std::ofstream(file) << "colour = \"red\"\n";
  command unknown({program_path, "--config", file.string()}, scratch.path(), environment());
  EXPECT_EQ(unknown.wait(seconds(10)), 2);
  EXPECT_NE(unknown.err().find("colour"), std::string::npos) << unknown.err();
}

}  // namespace
}  // namespace ordeal::test
