// Minimal HTTP/1.1: a server that answers small requests and hands WebSocket upgrades over, and a client for health
// probes. Not for large bodies.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "net/websocket.h"

namespace ordeal::net {

struct http_header {
  std::string name;
  std::string value;
};

struct http_request {
  std::string method;
  std::string path;   // without query
  std::string query;  // without '?', not decoded
  std::vector<http_header> headers;
  std::string body;

  // The first header of that name (case-insensitive), or an empty view.
  std::string_view header(std::string_view name) const;
};

struct http_response {
  unsigned status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
  std::vector<http_header> headers;
};

struct http_server_options {
  websocket_limits websocket;
  std::size_t body_bytes_max = 64U << 10;
  std::size_t header_bytes_max = 32U << 10;                // of a request, its first line included
  std::chrono::milliseconds first_request_timeout{5'000};  // from accept to a whole request
  std::chrono::milliseconds request_timeout{10'000};  // from the last response to the next request
  std::size_t connection_count_max = 20'000;          // of both kinds
  std::size_t http_connection_count_max = 20'000;     // of them, those that are no WebSockets (yet)
  std::size_t connections_per_address_max = 0;        // 0: any number
};

struct http_handlers {
  // Answers a plain request; must not throw.
  std::function<http_response(const http_request&)> on_request;
  // Decides about an upgrade: a 101 in `status` accepts, anything else is sent as the refusal.
  std::function<http_response(const http_request&)> on_upgrade;
  // Accepting began to fail because the process is out of descriptors, or works again. Optional.
  std::function<void(bool is_out_of_descriptors)> on_accept_trouble;
  // A request or a connection was refused before anybody saw it: 400, 413, 431 or 503. Optional.
  std::function<void(unsigned status)> on_refused;
  // Serves an accepted WebSocket until it returns. Runs as a child of the server.
  std::function<asio::awaitable<void>(http_request, std::unique_ptr<websocket>)> on_websocket;
};

// Beyond its limits a server first closes the connection that has been silent for longest, so that
// who says nothing keeps nobody out; with none it answers 503, and closes without a word what comes
// faster than that.
class http_server {
 public:
  virtual ~http_server() = default;

  // Where it listens; the port is the real one, also after port 0.
  virtual asio::ip::tcp::endpoint local_endpoint() const = 0;

  // Accepts and serves until stop(). Returns when the last connection is gone.
  virtual asio::awaitable<void> run() = 0;

  // Stops accepting. Idle HTTP connections are closed; WebSockets are their handlers' business.
  virtual void stop() = 0;

  // Aborts every connection, WebSockets included.
  virtual void abort_all() noexcept = 0;
};

// Binds and listens; throws std::runtime_error with address, port and reason when that fails.
std::unique_ptr<http_server> make_http_server(asio::any_io_executor ex,
                                              asio::ip::tcp::endpoint listen,
                                              http_server_options options, http_handlers handlers);

struct http_result {
  error_code ec;
  http_response response;
};

// One request on a connection of its own; body may be empty. Errors: any transport error, or timed_out.
asio::awaitable<http_result> http_request_once(asio::ip::tcp::endpoint server, std::string method,
                                               std::string target, std::string body,
                                               std::chrono::milliseconds limit);

}  // namespace ordeal::net
