// ordeal-chat: reads its configuration, serves, drains on SIGTERM, SIGINT or SIGHUP; a second signal ends
// it at once.
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <sstream>
#include <stdexcept>
#include <string>

#include "net/async/descriptors.h"
#include "net/async/log.h"
#include "net/async/run_main.h"
#include "net/async/task_group.h"
#include "reference-server/hub/connection_budget.h"
#include "reference-server/hub/server.h"
#include "reference-server/hub/version.h"

namespace {

namespace asio = boost::asio;
using namespace ordeal;

asio::awaitable<void> watch_signals(chat::server& node) {
  const auto ex = co_await asio::this_coro::executor;
  asio::signal_set signals(ex, SIGTERM, SIGINT, SIGHUP);
  const auto token = asio::as_tuple(asio::use_awaitable);
  const auto [ec, first] = co_await signals.async_wait(token);
  if (ec) co_return;
  node.stop();
  const auto [second_ec, second] = co_await signals.async_wait(token);
  if (!second_ec) std::_Exit(128 + second);
}

asio::awaitable<void> serve(chat::server& node) {
  const auto ex = co_await asio::this_coro::executor;
  net::task_group tasks(ex);
  tasks.spawn("signals", watch_signals(node));
  std::exception_ptr failure;
  try {
    co_await node.run();
  } catch (...) {
    failure = std::current_exception();
  }
  tasks.cancel();
  co_await tasks.join();
  if (failure) std::rethrow_exception(failure);
}

// Clients must not take the descriptors that connections to Redis need.
void fit_into_descriptors(chat::server_config& config) {
  const std::size_t limit = net::raise_descriptor_limit();
  const std::size_t wanted = config.limits.connections_max;
  if (!chat::fit_into_descriptors(config.limits, limit, net::open_descriptor_count())) {
    throw std::runtime_error("the limit of open files is " + std::to_string(limit) +
                             ", too low to serve anybody: raise it (ulimit -n, LimitNOFILE=), to " +
                             std::to_string(wanted + 200) + " for --connections-max " +
                             std::to_string(wanted));
  }
  if (config.limits.connections_max == wanted) return;
  net::log(net::log_level::warn, "server",
           "the limit of open files leaves room for fewer clients than --connections-max",
           {{"connections_max", std::to_string(config.limits.connections_max)},
            {"wanted", std::to_string(wanted)},
            {"limit", std::to_string(limit)},
            {"remedy", "ulimit -n or LimitNOFILE=, to " + std::to_string(wanted + 200)}});
}

int serve_until_stopped(const chat::server_config& config) {
  asio::io_context io(1);
  chat::server node(io.get_executor(), config);
  std::ostringstream where;
  where << node.local_endpoint();
  net::log(net::log_level::info, "server", "listening on " + where.str(),
           {{"node", config.log.node_name}, {"app", config.log.app}, {"version", chat::version}});
  net::run_main(io, serve(node));
  net::log(net::log_level::info, "server", "stopped");
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  try {
    auto parsed = chat::parse_config(argc, argv);
    if (!parsed.config) {
      (parsed.exit_code == 0 ? std::cout : std::cerr) << parsed.output;
      return parsed.exit_code;
    }
    net::set_log_level(parsed.config->level);
    fit_into_descriptors(*parsed.config);
    return serve_until_stopped(*parsed.config);
  } catch (const std::exception& failure) {
    std::cerr << "ordeal-chat: " << failure.what() << "\n";
    return 1;
  }
}
