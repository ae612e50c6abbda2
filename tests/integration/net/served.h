// Runs a test body against an http_server on a free loopback port, and ends the server when the
// body is done. Header only, one thread, for the tests of this folder.
#pragma once

#include <gtest/gtest.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "net/async/deadline.h"
#include "net/async/task_group.h"
#include "net/http.h"
#include "tests/support/run_coro.h"

namespace ordeal::test {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;
using namespace std::chrono_literals;

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

inline tcp::endpoint free_loopback_port() {
  return tcp::endpoint(asio::ip::address_v4::loopback(), 0);
}

inline net::websocket_url chat_url(tcp::endpoint server) {
  net::websocket_url url;
  url.host = "127.0.0.1";
  url.port = server.port();
  url.path = "/chat?room=1";
  return url;
}

inline net::http_response status_only(unsigned status) {
  net::http_response response;
  response.status = status;
  return response;
}

inline net::http_response accept_upgrade(const net::http_request&) {
  return status_only(101);
}

using test_body = std::function<asio::awaitable<void>(net::http_server&)>;

inline asio::awaitable<void> drive(net::http_server& server, test_body body) {
  const auto ex = co_await asio::this_coro::executor;
  net::task_group group(ex);
  group.spawn("server", server.run());
  std::exception_ptr failure;
  try {
    co_await body(server);
  } catch (...) {
    failure = std::current_exception();
  }
  server.stop();
  server.abort_all();
  co_await group.join();
  if (failure) std::rethrow_exception(failure);
}

inline void run_served(net::http_handlers handlers, test_body body,
                       net::http_server_options options = {},
                       boost::source_location where = BOOST_CURRENT_LOCATION) {
  asio::io_context io{1};
  auto server =
      net::make_http_server(io.get_executor(), free_loopback_port(), options, std::move(handlers));
  run_coro(io, drive(*server, std::move(body)), 20s, where);
}

// A client without manners: bytes out, bytes in.
inline asio::awaitable<tcp::socket> connect_raw(tcp::endpoint server) {
  const auto ex = co_await asio::this_coro::executor;
  tcp::socket socket(ex);
  co_await socket.async_connect(server, asio::use_awaitable);
  co_return socket;
}

inline asio::awaitable<void> send_raw(tcp::socket& socket, std::string bytes) {
  co_await asio::async_write(socket, asio::buffer(bytes), asio::use_awaitable);
}

// Everything up to the end of the connection.
inline asio::awaitable<std::string> receive_to_end(tcp::socket& socket) {
  std::string all;
  co_await asio::async_read(socket, asio::dynamic_buffer(all), as_result);
  co_return all;
}

// Reads until `mark` was seen.
inline asio::awaitable<std::string> receive_until(tcp::socket& socket, std::string mark) {
  std::string all;
  while (all.find(mark) == std::string::npos) {
    std::string piece(4096, '\0');
    const auto [ec, size] = co_await socket.async_read_some(asio::buffer(piece), as_result);
    all.append(piece, 0, size);
    if (ec) break;
  }
  co_return all;
}

inline std::size_t count_of(std::string_view needle, std::string_view haystack) {
  std::size_t count = 0;
  for (auto at = haystack.find(needle); at != std::string_view::npos;
       at = haystack.find(needle, at + 1))
    ++count;
  return count;
}

}  // namespace ordeal::test
