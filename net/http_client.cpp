#include <boost/asio/as_tuple.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <sstream>
#include <utility>

#include "net/async/deadline.h"
#include "net/http.h"

namespace ordeal::net {
namespace {

namespace beast = boost::beast;
namespace http = beast::http;
using tcp = asio::ip::tcp;

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

http_response to_plain(http::response<http::string_body>& from) {
  http_response plain;
  plain.status = from.result_int();
  plain.content_type = std::string(from[http::field::content_type]);
  plain.body = std::move(from.body());
  for (const auto& field : from) {
    http_header header;
    header.name = std::string(field.name_string());
    header.value = std::string(field.value());
    plain.headers.push_back(std::move(header));
  }
  return plain;
}

asio::awaitable<http_result> exchange(tcp::endpoint server,
                                      http::request<http::string_body> request) {
  const auto ex = co_await asio::this_coro::executor;
  http_result result;
  tcp::socket socket(ex);
  const auto [connect_ec] = co_await socket.async_connect(server, as_result);
  result.ec = connect_ec;
  if (result.ec) co_return result;
  const auto [write_ec, written] = co_await http::async_write(socket, request, as_result);
  result.ec = write_ec;
  if (result.ec) co_return result;
  beast::flat_buffer buffer;
  http::response<http::string_body> response;
  const auto [read_ec, got] = co_await http::async_read(socket, buffer, response, as_result);
  result.ec = read_ec;
  if (!result.ec) result.response = to_plain(response);
  co_return result;
}

}  // namespace

asio::awaitable<http_result> http_request_once(tcp::endpoint server, std::string method,
                                               std::string target, std::string body,
                                               std::chrono::milliseconds limit) {
  std::ostringstream host;
  host << server;
  http::request<http::string_body> request;
  request.version(11);
  request.method_string(method);
  request.target(target);
  request.set(http::field::host, host.str());
  request.keep_alive(false);
  request.body() = std::move(body);
  request.prepare_payload();
  auto finished = co_await with_deadline(exchange(server, std::move(request)), limit);
  if (finished) co_return std::move(*finished);
  http_result result;
  result.ec = asio::error::timed_out;
  co_return result;
}

}  // namespace ordeal::net
