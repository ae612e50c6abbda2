// A hub with a fake log and fake clients, driven by polling: no socket, no Redis, no waiting.
#pragma once

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/json.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "net/async/task_group.h"
#include "reference-server/hub/chat_hub.h"
#include "tests/unit/chat/hub/fakes.h"

namespace ordeal::chat::test {

namespace json = boost::json;

// What a client of the hub sees, one line a record: "Message(room,cursor,id,text)", "1=<result>"
// ("-" for null), "1!<error>", "ping", "close(<error>,reconnect)", "ack(7)", "sequence(7)", "{}".
inline std::string describe_record(std::string_view record) {
  const json::object fields =
      json::parse(json::string_view(record.data(), record.size())).as_object();
  const auto text = [&fields](const char* name) {
    return std::string(fields.at(name).as_string());
  };
  if (!fields.contains("type")) return json::serialize(fields);
  const auto type = fields.at("type").as_int64();
  if (type == 6) return "ping";
  if (type == 8 || type == 9) {
    return (type == 8 ? "ack(" : "sequence(") + json::serialize(fields.at("sequenceId")) + ")";
  }
  if (type == 7) {
    const bool may_reconnect =
        fields.contains("allowReconnect") && fields.at("allowReconnect").as_bool();
    return "close(" + (fields.contains("error") ? text("error") : "") +
           (may_reconnect ? ",reconnect)" : ")");
  }
  if (type == 3) {
    if (fields.contains("error")) return text("invocationId") + "!" + text("error");
    const auto* const result = fields.if_contains("result");
    if (result == nullptr) return text("invocationId") + "=";
    return text("invocationId") + "=" + (result->is_null() ? "-" : text("result"));
  }
  std::string line = text("target") + "(";
  for (const auto& argument : fields.at("arguments").as_array()) {
    if (line.back() != '(') line += ",";
    line += argument.is_null() ? "-" : std::string(argument.as_string());
  }
  return line + ")";
}

class hub_fixture : public testing::Test {
 protected:
  struct client {
    std::shared_ptr<fake_wire> wire;
    std::size_t seen = 0;  // frames that were returned by news()
  };

  hub_fixture() : tasks_(io_.get_executor()), log(io_.get_executor()) {}

  void start(hub_limits limits = {}) {
    limits.pacing.pause_per_cost = 0;  // every flush at once
    hub = std::make_unique<chat_hub>(io_.get_executor(), limits, log);
    tasks_.spawn("log", log.run(*hub));
    tasks_.spawn("hub", hub->run());
    poll();
  }

  void TearDown() override {
    for (const auto& wire : wires_) {
      wire->let_write();
      wire->hang_up();
    }
    log.let_go();
    poll();
    if (hub->waiting_count() > 0) tasks_.spawn("drain", hub->drain(net::now()));
    poll();
    EXPECT_EQ(hub->session_count(), 0U);
    EXPECT_EQ(hub->waiting_count(), 0U);
    EXPECT_EQ(hub->room_count(), 0U);
    hub->stop();
    poll();
    EXPECT_EQ(tasks_.size(), 0U);
  }

  void poll() {
    io_.restart();
    io_.poll();
  }

  // `first` is a record the client sends with its upgrade: no limit of time can pass before it.
  client connect(std::string query = {}, std::string first = {}) {
    client opened{std::make_shared<fake_wire>(io_.get_executor())};
    if (!first.empty()) opened.wire->receive(std::move(first) + "\x1e");
    opened.wire->is_write_held = hold_writes;
    wires_.push_back(opened.wire);
    net::http_request request;
    request.path = "/chat";
    request.query = std::move(query);
    tasks_.spawn("client",
                 hub->serve(std::move(request), std::make_unique<fake_socket>(opened.wire)));
    poll();
    return opened;
  }

  client connect_and_greet() {
    client opened = connect();
    tell(opened, R"({"protocol":"json","version":1})");
    EXPECT_EQ(news(opened), std::vector<std::string>{"{}"});
    return opened;
  }

  std::string negotiated_token(std::string query) {
    net::http_request request;
    request.method = "POST";
    request.path = "/chat/negotiate";
    request.query = std::move(query);
    const auto answer = json::parse(hub->negotiate(request).body).as_object();
    return std::string(answer.at("connectionToken").as_string());
  }

  unsigned admitted(std::string query) {
    net::http_request request;
    request.path = "/chat";
    request.query = std::move(query);
    return hub->admit(request).status;
  }

  void tell(client& from, std::string record) {
    from.wire->receive(std::move(record) + "\x1e");
    poll();
  }

  void invoke(client& from, std::string id, std::string target, std::string arguments) {
    tell(from, R"({"type":1,"invocationId":")" + id + R"(","target":")" + target +
                   R"(","arguments":)" + arguments + "}");
  }

  // What the client got since the last call, one line a record.
  std::vector<std::string> news(client& to) {
    std::vector<std::string> lines;
    for (; to.seen < to.wire->frames.size(); ++to.seen) {
      std::string_view rest = to.wire->frames[to.seen];
      while (!rest.empty()) {
        const auto end = rest.find('\x1e');
        lines.push_back(describe_record(rest.substr(0, end)));
        rest.remove_prefix(end + 1);
      }
    }
    return lines;
  }

 private:
  asio::io_context io_{1};
  net::task_group tasks_;
  std::vector<std::shared_ptr<fake_wire>> wires_;

 protected:
  fake_log log;
  std::unique_ptr<chat_hub> hub;
  bool hold_writes = false;  // of connections to come
  asio::io_context& io() { return io_; }
  net::task_group& tasks() { return tasks_; }
};

using lines = std::vector<std::string>;

}  // namespace ordeal::chat::test
