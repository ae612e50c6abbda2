#include "tests/integration/fault/link/echo_server.h"

#include <gtest/gtest.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/address_v4.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <limits>
#include <utility>
#include <vector>

#include "net/async/clock.h"
#include "net/async/deadline.h"

namespace ordeal::test {
namespace {

constexpr std::chrono::seconds patience(10);
constexpr std::chrono::milliseconds poll_interval(2);

asio::awaitable<error_code> read_into(tcp::socket& socket, std::string& bytes, std::size_t limit) {
  auto into = asio::dynamic_buffer(bytes, limit);
  const auto enough = asio::transfer_exactly(limit);
  const auto [ec, count] =
      co_await asio::async_read(socket, into, enough, asio::as_tuple(asio::use_awaitable));
  co_return ec;
}

}  // namespace

echo_server::echo_server(asio::any_io_executor ex)
    : acceptor_(ex, tcp::endpoint(asio::ip::address_v4::loopback(), 0)), tasks_(ex) {}

asio::awaitable<void> echo_server::stop() {
  acceptor_.close();
  tasks_.cancel();
  co_await tasks_.join();
}

asio::awaitable<void> echo_server::accept_loop() {
  for (;;) {
    auto [ec, socket] = co_await acceptor_.async_accept(asio::as_tuple(asio::use_awaitable));
    if (ec) co_return;
    ++accepted_;
    tasks_.spawn("echo", echo(std::move(socket)));
  }
}

asio::awaitable<void> echo_server::echo(tcp::socket socket) {
  std::vector<char> buffer(64U << 10);
  error_code end;
  while (!end) {
    const auto whole = asio::buffer(buffer);
    const auto [read_ec, count] =
        co_await socket.async_read_some(whole, asio::as_tuple(asio::use_awaitable));
    end = read_ec;
    if (end) break;
    const auto filled = asio::buffer(buffer, count);
    const auto [write_ec, written] =
        co_await asio::async_write(socket, filled, asio::as_tuple(asio::use_awaitable));
    end = write_ec;
  }
  last_end_ = end;
  error_code ignored;
  socket.shutdown(tcp::socket::shutdown_send, ignored);
}

std::string pattern(std::size_t bytes) {
  std::string text(bytes, '\0');
  for (std::size_t i = 0; i < bytes; ++i) {
    text[i] = static_cast<char>((i * 2'654'435'761U) >> 13U);
  }
  return text;
}

asio::awaitable<error_code> connect(tcp::socket& socket, std::uint16_t port) {
  const tcp::endpoint where(asio::ip::address_v4::loopback(), port);
  const auto [ec] = co_await socket.async_connect(where, asio::as_tuple(asio::use_awaitable));
  co_return ec;
}

asio::awaitable<error_code> send(tcp::socket& socket, std::string_view bytes) {
  const auto from = asio::buffer(bytes.data(), bytes.size());
  const auto [ec, count] =
      co_await asio::async_write(socket, from, asio::as_tuple(asio::use_awaitable));
  co_return ec;
}

asio::awaitable<received> receive(tcp::socket& socket, std::size_t count) {
  received result;
  const auto ec = co_await net::with_deadline(read_into(socket, result.bytes, count), patience);
  result.ec = ec.value_or(asio::error::timed_out);
  co_return result;
}

asio::awaitable<received> receive_to_end(tcp::socket& socket) {
  auto result = co_await receive(socket, 1U << 30U);
  co_return result;
}

asio::awaitable<fault::link_counters> wait_counters(
    fault::link& link, std::string_view what,
    std::function<bool(const fault::link_counters&)> is_wanted) {
  const auto deadline = net::now() + patience;
  for (;;) {
    const fault::link_counters counters = co_await link.counters();
    if (is_wanted(counters)) co_return counters;
    if (net::now() > deadline) {
      ADD_FAILURE() << "never came true: " << what;
      co_return counters;
    }
    co_await net::sleep_for(poll_interval);
  }
}

}  // namespace ordeal::test
