// planted_node: a small chat node, correct unless PLANTED_BUG says otherwise. Ordeal's self-test
// launches it to see that each bug is found, and that nothing is found without one. `planted_node
// --list-bugs` prints the bugs as JSON.
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

#include "net/async/log.h"
#include "net/async/run_main.h"
#include "net/async/task_group.h"
#include "net/http.h"
#include "net/redis/connection.h"
#include "tests/selftest/planted_node/bug_table.h"
#include "tests/selftest/planted_node/bugs.h"
#include "tests/selftest/planted_node/hub.h"
#include "tests/selftest/planted_node/neighbour.h"
#include "tests/selftest/planted_node/stream.h"

namespace ordeal::planted {
namespace {

using asio::ip::tcp;

struct config {
  tcp::endpoint listen;
  std::string node_name;
  std::string app;
  net::redis::connection_options redis;
  const bug_kind* planted = nullptr;
};

std::string environment_text(const char* name, std::string_view default_text) {
  const char* const value = std::getenv(name);
  return value == nullptr || *value == '\0' ? std::string(default_text) : value;
}

tcp::endpoint parse_listen(const std::string& text) {
  const auto colon = text.rfind(':');
  boost::system::error_code ec = asio::error::invalid_argument;
  asio::ip::address address;
  std::uint16_t port = 0;
  if (colon != std::string::npos) {
    address = asio::ip::make_address(text.substr(0, colon), ec);
    const char* const end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data() + colon + 1, end, port);
    if (parsed.ec != std::errc() || parsed.ptr != end) ec = asio::error::invalid_argument;
  }
  if (ec) throw std::runtime_error("PLANTED_LISTEN is '" + text + "', expected ADDRESS:PORT");
  return {address, port};
}

config read_config() {
  config read;
  read.listen = parse_listen(environment_text("PLANTED_LISTEN", "127.0.0.1:0"));
  read.node_name = environment_text("PLANTED_NODE", "node-1");
  read.app = environment_text("PLANTED_APP", "planted");
  const auto url =
      net::redis::parse_url(environment_text("PLANTED_REDIS_URL", "redis://127.0.0.1:6379"));
  if (!url.options) throw std::runtime_error("PLANTED_REDIS_URL: " + url.error);
  read.redis = *url.options;
  read.redis.auth.password_file = environment_text("PLANTED_REDIS_PASSWORD_FILE", "");
  read.redis.client_name = read.node_name;
  const std::string name = environment_text("PLANTED_BUG", "none");
  read.planted = find_bug(name);
  if (read.planted == nullptr) {
    throw std::runtime_error("PLANTED_BUG is '" + name +
                             "'; planted_node --list-bugs prints what there is");
  }
  return read;
}

net::http_response answer(const stream& log, const net::http_request& request) {
  net::http_response response;
  const bool is_ready = log.is_ready();
  if (request.path == "/healthz" || (request.path == "/readyz" && is_ready)) {
    response.body = "ok\n";
  } else if (request.path == "/readyz") {
    response.status = 503;
    response.body = "not connected to Redis\n";
  } else {
    response.status = 404;
    response.body = "there are /readyz, /healthz and the WebSocket at /chat\n";
  }
  return response;
}

net::http_response decide_upgrade(const net::http_request& request) {
  net::http_response response;
  response.status = request.path == "/chat" ? 101 : 404;
  return response;
}

asio::awaitable<void> stop_on_signal(net::http_server& server, stream& log, neighbour& other) {
  const asio::any_io_executor ex = co_await asio::this_coro::executor;
  asio::signal_set signals(ex, SIGTERM, SIGINT);
  co_await signals.async_wait(asio::as_tuple(asio::use_awaitable));
  other.stop();
  log.stop();
  server.stop();
  server.abort_all();
}

asio::awaitable<void> run(config chosen) {
  const asio::any_io_executor ex = co_await asio::this_coro::executor;
  const auto planted = chosen.planted->make(chosen.node_name);
  stream log(ex, chosen.redis, planted->log_key(chosen.app), *planted);
  hub chat(ex, chosen.node_name, log, *planted);
  bug correct;
  neighbour other(ex, chosen.redis, planted->log_key(chosen.app + ":b"), chosen.node_name + " b",
                  chat, correct);

  net::http_handlers handlers;
  handlers.on_request = [&log](const net::http_request& request) { return answer(log, request); };
  handlers.on_upgrade = decide_upgrade;
  handlers.on_websocket = [&chat](net::http_request, std::unique_ptr<net::websocket> ws) {
    return chat.serve(std::move(ws));
  };
  const net::http_server_options options;
  const auto server = net::make_http_server(ex, chosen.listen, options, std::move(handlers));
  net::log(net::log_level::info, "planted", "listening",
           {{"port", std::to_string(server->local_endpoint().port())},
            {"node", chosen.node_name},
            {"bug", std::string(chosen.planted->name)}});

  net::task_group tasks(ex);
  tasks.spawn("stream", log.run(chat));
  tasks.spawn("server", server->run());
  tasks.spawn("neighbour", other.run());
  tasks.spawn("signals", stop_on_signal(*server, log, other));
  co_await tasks.join();
}

}  // namespace
}  // namespace ordeal::planted

int main(int count, char** arguments) {
  if (count == 2 && std::string_view(arguments[1]) == "--list-bugs") {
    std::cout << ordeal::planted::json_list();
    return 0;
  }
  if (count != 1) {
    std::cerr << "planted_node takes --list-bugs or nothing; its configuration is PLANTED_* in the "
                 "environment\n";
    return 2;
  }
  try {
    boost::asio::io_context io(1);
    ordeal::net::run_main(io, ordeal::planted::run(ordeal::planted::read_config()));
    return 0;
  } catch (const std::exception& failure) {
    std::cerr << "planted_node: " << failure.what() << '\n';
    return 1;
  }
}
