#include "reference-server/hub/server.h"

#include <utility>

#include "net/async/log.h"
#include "net/async/task_group.h"

namespace ordeal::chat {
namespace {

net::http_server_options http_options(const hub_limits& limits) {
  net::http_server_options options;
  // Records are bounded, whatever frames they come in; who sends longer ones is told so.
  options.websocket.message_bytes_max = 0;
  // The hub's own pings notice a silent client first.
  options.websocket.idle_timeout = {};  // sessions watch over their clients (keepalive.h)
  options.websocket.handshake_timeout = limits.closing_timeout;
  options.connection_count_max = limits.connections_max + limits.probes_max;
  options.http_connection_count_max = limits.probes_max;
  options.header_bytes_max = limits.header_bytes_max;
  options.connections_per_address_max = limits.connections_per_address_max;
  return options;
}

}  // namespace

server::server(asio::any_io_executor ex, const server_config& config)
    : ex_(ex),
      drain_timeout_(config.drain_timeout),
      log_(make_chat_log(ex, config.log)),
      hub_(ex, config.limits, *log_),
      endpoints_(hub_, *log_, pages_, node_names{config.log.node_name, config.log.app}),
      stopping_(ex) {
  net::http_handlers handlers;
  handlers.on_request = [this](const net::http_request& request) {
    return endpoints_.answer(request);
  };
  handlers.on_upgrade = [this](const net::http_request& request) { return hub_.admit(request); };
  handlers.on_refused = [this](unsigned status) { hub_.count_refusal(status); };
  handlers.on_accept_trouble = [this](bool is_out) { hub_.out_of_descriptors(is_out); };
  handlers.on_websocket = [this](net::http_request request,
                                 std::unique_ptr<net::websocket> socket) {
    const bool is_page = !query_parameter(request.query, "page").empty();
    if (is_page) return serve_page(std::move(request), std::move(socket));
    return hub_.serve(std::move(request), std::move(socket));
  };
  http_ =
      net::make_http_server(ex, config.listen, http_options(config.limits), std::move(handlers));
}

asio::awaitable<void> server::run() {
  net::task_group tasks(ex_);
  tasks.spawn("log", log_->run(hub_));
  tasks.spawn("hub", hub_.run());
  tasks.spawn("http", http_->run());
  tasks.spawn("drain", drain_when_stopped());
  co_await tasks.join();
}

// The chat page gives its WebSocket an id, to find out which node has it (page_sockets.h).
asio::awaitable<void> server::serve_page(net::http_request request,
                                         std::unique_ptr<net::websocket> socket) {
  const page_sockets::entry present(pages_, query_parameter(request.query, "page"));
  co_await hub_.serve(std::move(request), std::move(socket));
}

asio::awaitable<void> server::drain_when_stopped() {
  co_await stopping_.wait();
  net::log(net::log_level::info, "server", "draining",
           {{"connections", std::to_string(hub_.session_count())}});
  const auto started = net::now();
  http_->stop();
  // Sends that the log cannot take now must not eat the time in which it could flush.
  co_await hub_.drain(started + drain_timeout_ / 2);
  const auto left = started + drain_timeout_ - net::now();
  log_->stop(std::max(std::chrono::duration_cast<std::chrono::milliseconds>(left),
                      std::chrono::milliseconds(0)));
  hub_.stop();
  http_->abort_all();
}

}  // namespace ordeal::chat
