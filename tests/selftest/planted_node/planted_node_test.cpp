// The correct node, two of it in this process over a real Redis: nothing is lost, repeated or out
// of order, not even when Redis crashes or a client comes back with its cursor. What the self-test
// finds is then the bug's.
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address_v4.hpp>
#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "net/async/clock.h"
#include "net/async/task_group.h"
#include "net/http.h"
#include "net/hub/codec.h"
#include "tests/selftest/planted_node/hub.h"
#include "tests/support/redis_server.h"
#include "tests/support/run_coro.h"

namespace ordeal::planted {
namespace {

namespace json = boost::json;
using asio::ip::tcp;

constexpr std::chrono::seconds patience(15);

// As main.cpp puts it together.
class node {
 public:
  node(asio::any_io_executor ex, std::string name, const net::redis::connection_options& redis)
      : log_(ex, redis, "test:messages", planted_),
        hub_(ex, std::move(name), log_, planted_),
        tasks_(ex) {
    net::http_handlers handlers;
    handlers.on_upgrade = [](const net::http_request&) {
      net::http_response accepted;
      accepted.status = 101;
      return accepted;
    };
    handlers.on_websocket = [this](net::http_request, std::unique_ptr<net::websocket> ws) {
      return hub_.serve(std::move(ws));
    };
    const tcp::endpoint anywhere(asio::ip::address_v4::loopback(), 0);
    server_ = net::make_http_server(ex, anywhere, net::http_server_options(), std::move(handlers));
  }

  void start() {
    tasks_.spawn("stream", log_.run(hub_));
    tasks_.spawn("server", server_->run());
  }
  asio::awaitable<void> stop() {
    log_.stop();
    server_->stop();
    server_->abort_all();
    co_await tasks_.join();
  }
  std::uint16_t port() const { return server_->local_endpoint().port(); }
  stream& log() { return log_; }

 private:
  bug planted_;  // the base: none
  stream log_;
  hub hub_;
  net::task_group tasks_;
  std::unique_ptr<net::http_server> server_;
};

// One connection of a client; one call at a time. Messages are collected while it waits for
// anything.
class client {
 public:
  std::vector<std::string> texts;
  std::string cursor;

  asio::awaitable<void> open(std::uint16_t port) {
    net::websocket_url url;
    url.host = "127.0.0.1";
    url.port = port;
    url.path = "/chat";
    auto connected = co_await net::connect_websocket(url, net::websocket_limits());
    EXPECT_FALSE(connected.ec) << connected.ec.message();
    ws_ = std::move(connected.connection);
    co_await write(net::hub::encode_handshake_request());
    const auto answer = co_await ws_->read();
    EXPECT_EQ(answer.message, net::hub::encode_handshake_response());
  }
  void drop() { ws_.reset(); }

  // The error's text; empty when it worked.
  asio::awaitable<std::string> join(std::string room) {
    json::array arguments;
    arguments.emplace_back(room);
    arguments.emplace_back(nullptr);
    if (!cursor.empty()) arguments.back() = cursor;
    result_.clear();
    auto error = co_await call("Join", std::move(arguments));
    if (error.empty() && cursor.empty()) cursor = result_;
    co_return error;
  }
  asio::awaitable<std::string> send(std::string room, std::string text) {
    json::array arguments;
    arguments.emplace_back(room);
    arguments.emplace_back("id of " + text);
    arguments.emplace_back(text);
    auto error = co_await call("Send", std::move(arguments));
    co_return error;
  }
  asio::awaitable<void> receive_until(std::size_t count) {
    while (texts.size() < count) {
      const bool is_fine = co_await read_frame();
      if (!is_fine) co_return;
    }
  }

 private:
  asio::awaitable<void> write(std::string bytes) {
    const std::vector<asio::const_buffer> parts(1, asio::buffer(bytes));
    const auto ec = co_await ws_->write(parts);
    EXPECT_FALSE(ec) << ec.message();
  }

  asio::awaitable<std::string> call(std::string target, json::array arguments) {
    const std::string id = std::to_string(++call_count_);
    co_await write(net::hub::encode_invocation(target, arguments, id));
    while (answered_ != id) {
      const bool is_fine = co_await read_frame();
      if (!is_fine) co_return "the connection ended";
    }
    co_return error_;
  }

  asio::awaitable<bool> read_frame() {
    const auto frame = co_await ws_->read();
    if (frame.ec) {
      ADD_FAILURE() << "the connection ended: " << frame.ec.message();
      co_return false;
    }
    records_.feed(frame.message);
    for (auto record = records_.take(); record; record = records_.take()) {
      const auto message = net::hub::decode(*record);
      if (message.has_value()) take(*message);
    }
    co_return true;
  }

  void take(const net::hub::message& message) {
    if (message.type == net::hub::message_type::completion) {
      answered_ = message.invocation_id;
      error_ = message.error.value_or("");
      if (message.result != nullptr) result_ = message.result->as_string();
    }
    if (message.type == net::hub::message_type::invocation) {
      cursor = (*message.arguments)[1].as_string();
      texts.emplace_back((*message.arguments)[3].as_string());
    }
  }

  std::unique_ptr<net::websocket> ws_;
  net::hub::record_splitter records_{1U << 20U};
  std::string answered_;
  std::string error_;
  std::string result_;
  std::uint64_t call_count_ = 0;
};

class PlantedNode : public testing::Test {
 protected:
  static test::redis_server_options durable() {
    test::redis_server_options options;
    options.keep = test::persistence::aof_always;
    options.password = "secret";
    return options;
  }

  void run(asio::awaitable<void> body) {
    test::run_coro(io_, around(std::move(body)), std::chrono::seconds(40));
  }

  asio::awaitable<void> around(asio::awaitable<void> body) {
    one_.start();
    two_.start();
    co_await wait_ready();
    co_await std::move(body);
    alice_.drop();
    bob_.drop();
    co_await one_.stop();
    co_await two_.stop();
  }

  asio::awaitable<void> wait_ready() {
    const auto deadline = net::now() + patience;
    while (!one_.log().is_ready() || !two_.log().is_ready()) {
      if (net::now() > deadline) {
        ADD_FAILURE() << "the nodes never became ready";
        co_return;
      }
      co_await net::sleep_for(std::chrono::milliseconds(5));
    }
  }

  asio::awaitable<void> open_both() {
    co_await alice_.open(one_.port());
    co_await bob_.open(two_.port());
    const auto first = co_await alice_.join("room");
    const auto second = co_await bob_.join("room");
    EXPECT_EQ(first, "");
    EXPECT_EQ(second, "");
  }

  // Sends count more messages; what was acknowledged goes to sent_.
  asio::awaitable<void> send(client& from, int count) {
    for (int i = 0; i < count; ++i) {
      const std::string text = "message " + std::to_string(++message_count_);
      const auto error = co_await from.send("room", text);
      EXPECT_EQ(error, "") << text;
      sent_.push_back(text);
    }
  }

  asio::awaitable<void> simple();
  asio::awaitable<void> redis_crash();
  asio::awaitable<void> resume();
  asio::awaitable<void> retry();
  asio::awaitable<void> refusals();

  asio::io_context io_{1};
  test::redis_server redis_{durable()};
  node one_{io_.get_executor(), "node-1", redis_.connection()};
  node two_{io_.get_executor(), "node-2", redis_.connection()};
  client alice_;
  client bob_;
  int message_count_ = 0;
  std::vector<std::string> sent_;
};

TEST_F(PlantedNode, DeliversEverythingToBothNodesInOneOrder) {
  run(simple());
}

asio::awaitable<void> PlantedNode::simple() {
  co_await open_both();
  co_await send(alice_, 30);
  co_await send(bob_, 30);
  co_await alice_.receive_until(60);
  co_await bob_.receive_until(60);
  EXPECT_EQ(alice_.texts, sent_);
  EXPECT_EQ(bob_.texts, sent_);
}

TEST_F(PlantedNode, ContinuesWhereItStoppedAfterARedisCrash) {
  run(redis_crash());
}

asio::awaitable<void> PlantedNode::redis_crash() {
  co_await open_both();
  co_await send(alice_, 20);
  redis_.kill();
  const auto error = co_await bob_.send("room", "never appended");
  EXPECT_TRUE(error.starts_with("retry: ")) << error;
  redis_.start();
  co_await wait_ready();
  co_await send(bob_, 20);
  co_await alice_.receive_until(40);
  co_await bob_.receive_until(40);
  EXPECT_EQ(alice_.texts, sent_);
  EXPECT_EQ(bob_.texts, sent_);
}

TEST_F(PlantedNode, ResumesOnTheOtherNodeWithoutGapOrRepeat) {
  run(resume());
}

asio::awaitable<void> PlantedNode::resume() {
  co_await open_both();
  co_await send(alice_, 10);
  co_await bob_.receive_until(10);
  bob_.drop();
  co_await send(alice_, 10);
  co_await bob_.open(one_.port());
  net::task_group both(io_.get_executor());
  both.spawn("live traffic", send(alice_, 50));
  const auto error = co_await bob_.join("room");
  EXPECT_EQ(error, "");
  co_await both.join();
  co_await bob_.receive_until(70);
  EXPECT_EQ(bob_.texts, sent_);
}

TEST_F(PlantedNode, TakesAMessageThatIsSentAgainElsewhereOnce) {
  run(retry());
}

asio::awaitable<void> PlantedNode::retry() {
  co_await open_both();
  co_await send(alice_, 1);
  const auto again = co_await bob_.send("room", sent_.front());
  EXPECT_EQ(again, "");
  co_await send(bob_, 1);
  co_await alice_.receive_until(2);
  co_await bob_.receive_until(2);
  EXPECT_EQ(alice_.texts, sent_);
  EXPECT_EQ(bob_.texts, sent_);
}

TEST_F(PlantedNode, RefusesWhatIsNoCallOfIts) {
  run(refusals());
}

asio::awaitable<void> PlantedNode::refusals() {
  co_await alice_.open(one_.port());
  alice_.cursor = "not a cursor";
  const auto error = co_await alice_.join("room");
  EXPECT_EQ(error, "refused: the cursor is not one of this server");
}

}  // namespace
}  // namespace ordeal::planted
