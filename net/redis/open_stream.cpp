#include "net/redis/open_stream.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/this_coro.hpp>

#include "net/redis/tls.h"

namespace ordeal::net::redis {
namespace {

using tcp = asio::ip::tcp;

void set_option(tcp::socket& socket, int level, int name, int value) {
  // A socket without one of these still works, only dead peers are noticed later.
  (void)::setsockopt(socket.native_handle(), level, name, &value, sizeof value);
}

void tune(tcp::socket& socket, std::chrono::milliseconds user_timeout) {
  const int idle_seconds = std::max(1, static_cast<int>(user_timeout.count() / 2'000));
  set_option(socket, IPPROTO_TCP, TCP_NODELAY, 1);
  set_option(socket, SOL_SOCKET, SO_KEEPALIVE, 1);
  set_option(socket, IPPROTO_TCP, TCP_KEEPIDLE, idle_seconds);
  set_option(socket, IPPROTO_TCP, TCP_KEEPINTVL, 1);
  set_option(socket, IPPROTO_TCP, TCP_KEEPCNT, 3);
  set_option(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, static_cast<int>(user_timeout.count()));
}

struct resolved {
  error_code ec;
  std::vector<tcp::endpoint> endpoints;
};

asio::awaitable<resolved> resolve(const server_address& at) {
  resolved result;
  error_code not_numeric;
  const auto address = asio::ip::make_address(at.host, not_numeric);
  if (!not_numeric) {
    result.endpoints.emplace_back(address, at.port);
    co_return result;
  }
  tcp::resolver resolver(co_await asio::this_coro::executor);
  const std::string service = std::to_string(at.port);
  const auto token = asio::as_tuple(asio::use_awaitable);
  const auto [ec, found] = co_await resolver.async_resolve(at.host, service, token);
  if (ec) result.ec = make_error_code(errc::resolve_failed);
  for (const auto& each : found) result.endpoints.push_back(each.endpoint());
  co_return result;
}

struct dialled {
  error_code ec;
  std::optional<tcp::socket> socket;
};

asio::awaitable<dialled> dial(const server_address& at, std::chrono::milliseconds user_timeout) {
  dialled result;
  const auto ex = co_await asio::this_coro::executor;
  const auto token = asio::as_tuple(asio::use_awaitable);
  const auto places = co_await resolve(at);
  result.ec = places.ec;
  for (const tcp::endpoint& place : places.endpoints) {
    tcp::socket socket(ex);
    socket.open(place.protocol(), result.ec);
    if (result.ec) continue;
    tune(socket, user_timeout);
    const auto [ec] = co_await socket.async_connect(place, token);
    result.ec = ec;
    if (ec) continue;
    result.socket.emplace(std::move(socket));
    break;
  }
  co_return result;
}

error_code translate_tcp(error_code ec) {
  return ec == asio::error::eof ? make_error_code(errc::closed) : ec;
}

}  // namespace

std::string timeout_words(connect_stage reached) {
  switch (reached) {
    case connect_stage::dialling:
    case connect_stage::greeting:
      break;
    case connect_stage::tls_handshake:
      return "no TLS handshake in time: the server is stuck, or does not speak TLS at this port "
             "(then redis:// instead of rediss://, for sentinels --redis-sentinel-tls false)";
  }
  return make_error_code(errc::connect_timeout).message();
}

asio::awaitable<open_stream_result> open_stream(const server_address& at, const tls_options& tls,
                                                std::chrono::milliseconds tcp_user_timeout,
                                                connect_stage& reached) {
  open_stream_result result;
  reached = connect_stage::dialling;
  auto call = co_await dial(at, tcp_user_timeout);
  result.ec = call.ec;
  if (!call.socket) co_return result;
  if (tls.is_on) {
    reached = connect_stage::tls_handshake;
    result = co_await start_tls(std::move(*call.socket), tls, at.host);
    if (!result.opened) co_return result;  // perhaps because time is up: keep the stage
  } else {
    using plain_connection = stream_connection<tcp::socket>;
    result.opened = std::make_unique<plain_connection>(translate_tcp, std::move(*call.socket));
  }
  reached = connect_stage::greeting;
  co_return result;
}

}  // namespace ordeal::net::redis
