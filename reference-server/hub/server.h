// One node: the log, the hub and the HTTP server, from start to drain. The composition that main
// and the integration tests share. One thread.
#pragma once

#include <memory>

#include "net/async/condition.h"
#include "net/http.h"
#include "reference-server/hub/chat_hub.h"
#include "reference-server/hub/config.h"
#include "reference-server/hub/endpoints.h"

namespace ordeal::chat {

class server {
 public:
  // Binds and listens; throws std::runtime_error when it cannot.
  server(asio::any_io_executor ex, const server_config& config);

  asio::ip::tcp::endpoint local_endpoint() const { return http_->local_endpoint(); }

  // Serves until stop() and drains: not ready, no new connections, what is on its way is answered,
  // clients are told to come back elsewhere, the log's outbox is flushed.
  asio::awaitable<void> run();
  void stop() { stopping_.set(); }

  const chat_hub& hub() const { return hub_; }
  const chat_log& log() const { return *log_; }

 private:
  asio::awaitable<void> drain_when_stopped();
  asio::awaitable<void> serve_page(net::http_request request,
                                   std::unique_ptr<net::websocket> socket);

  asio::any_io_executor ex_;
  std::chrono::milliseconds drain_timeout_;
  std::unique_ptr<chat_log> log_;
  chat_hub hub_;
  page_sockets pages_;
  endpoints endpoints_;
  std::unique_ptr<net::http_server> http_;
  net::stop_event stopping_;
};

}  // namespace ordeal::chat
