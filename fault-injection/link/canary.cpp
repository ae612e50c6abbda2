#include "fault-injection/link/canary.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/address_v4.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <iomanip>
#include <sstream>
#include <string_view>
#include <utility>

#include "fault-injection/link/observer.h"
#include "net/async/deadline.h"

namespace ordeal::fault {
namespace {

using asio::ip::tcp;

constexpr std::string_view ping = "PING\r\n";
constexpr std::size_t reply_bytes_max = 1024;

// Fills `report` as far as it gets; both belong to the caller, who awaits this. True: it got to its
// end.
asio::awaitable<bool> ping_once(tcp::socket& socket, tcp::endpoint where, canary_report& report) {
  report.connect_ec = open_as_observer(socket);
  if (report.connect_ec) co_return true;
  const auto [connect_ec] =
      co_await socket.async_connect(where, asio::as_tuple(asio::use_awaitable));
  report.connect_ec = connect_ec;
  report.is_connected = !connect_ec;
  if (connect_ec) co_return true;

  const auto sent = net::now();
  const auto bytes = asio::buffer(ping);
  const auto [write_ec, written] =
      co_await asio::async_write(socket, bytes, asio::as_tuple(asio::use_awaitable));
  report.end_ec = write_ec;
  if (write_ec) co_return true;

  std::string line;
  auto into = asio::dynamic_buffer(line, reply_bytes_max);
  const auto [read_ec, count] =
      co_await asio::async_read_until(socket, into, "\r\n", asio::as_tuple(asio::use_awaitable));
  report.end_ec = read_ec;
  if (read_ec) co_return true;
  report.round_trip = net::now() - sent;
  report.reply = line.substr(0, count - 2);
  co_return true;
}

}  // namespace

asio::awaitable<canary_report> send_canary(std::uint16_t port, std::chrono::milliseconds limit) {
  const auto ex = co_await asio::this_coro::executor;
  tcp::socket socket(ex);
  auto report = co_await send_canary_on(socket, port, limit);
  co_return report;
}

asio::awaitable<canary_report> send_canary_on(tcp::socket& socket, std::uint16_t port,
                                              std::chrono::milliseconds limit) {
  const tcp::endpoint where(asio::ip::address_v4::loopback(), port);
  canary_report report;
  report.limit = limit;
  const auto is_finished = co_await net::with_deadline(ping_once(socket, where, report), limit);
  if (!is_finished) {
    // What the cancelled operations reported is our own doing.
    if (!report.is_connected) report.connect_ec = asio::error::timed_out;
    report.end_ec.clear();
    report.reply.clear();
  }
  co_return report;
}

std::string canary_report::describe() const {
  const std::string subject = "PING on a new connection: ";
  if (!is_connected) return subject + "cannot connect: " + connect_ec.message();
  if (is_answered()) return subject + "\"" + reply + "\" after " + format_milliseconds(round_trip);
  if (end_ec) return subject + "closed: " + end_ec.message();
  return subject + "no reply in " + format_milliseconds(limit);
}

std::string format_milliseconds(net::nanoseconds duration) {
  std::ostringstream text;
  text << std::setprecision(3) << std::chrono::duration<double, std::milli>(duration).count();
  text << " ms";
  return text.str();
}

}  // namespace ordeal::fault
