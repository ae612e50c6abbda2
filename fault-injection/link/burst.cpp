#include "fault-injection/link/burst.h"

#include <algorithm>
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/address_v4.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/socket_base.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include "fault-injection/link/observer.h"
#include "net/async/condition.h"
#include "net/async/task_group.h"

namespace ordeal::fault {
namespace {

using asio::ip::tcp;

std::string argument(const std::string& text) {
  return "$" + std::to_string(text.size()) + "\r\n" + text + "\r\n";
}

std::string login_command(const login& as) {
  if (as.user.empty()) return "*2\r\n" + argument("AUTH") + argument(as.password);
  return "*3\r\n" + argument("AUTH") + argument(as.user) + argument(as.password);
}

class running_burst {
 public:
  running_burst(asio::any_io_executor ex, std::uint16_t port, burst what)
      : what_(what),
        where_(asio::ip::address_v4::loopback(), port),
        socket_(ex),
        changed_(ex),
        tasks_(ex) {
    if (!what_.as.password.empty()) offered_ = login_command(what_.as);
    std::string line(what_.line_bytes, 'A');
    line.replace(line.size() - 2, 2, "\r\n");
    for (std::size_t i = 0; i < what_.line_count; ++i) offered_ += line;
  }

  asio::awaitable<burst_report> run() {
    const auto begun = net::now();
    tasks_.spawn("burst", send());
    while (!is_over(net::now() - begun)) {
      const bool has_answer = report_.answered_lines > 0;
      co_await changed_.wait_until(begun + (has_answer ? what_.window : what_.limit));
    }
    report_.took = net::now() - begun;
    const burst_report result = report_;
    net::error_code ignored;  // closing cannot be refused
    socket_.set_option(asio::socket_base::linger(true, 0), ignored);
    socket_.close(ignored);
    co_await tasks_.join();
    co_return result;
  }

 private:
  bool is_over(net::nanoseconds passed) const {
    if (has_ended_ || report_.answered_lines >= what_.line_count || passed >= what_.limit)
      return true;
    return passed >= what_.window && report_.answered_lines > 0;
  }

  asio::awaitable<void> send() {
    net::error_code ec = open_as_observer(socket_);
    if (!ec) {
      const auto [connected] =
          co_await socket_.async_connect(where_, asio::as_tuple(asio::use_awaitable));
      ec = connected;
    }
    if (ec) {
      end();
      co_return;
    }
    tasks_.spawn("answers", count_answers());
    const auto bytes = asio::buffer(offered_);
    co_await asio::async_write(socket_, bytes, asio::as_tuple(asio::use_awaitable));
  }

  asio::awaitable<void> count_answers() {
    std::array<char, 4096> answer{};
    while (true) {
      const auto into = asio::buffer(answer);
      const auto [ec, count] =
          co_await socket_.async_read_some(into, asio::as_tuple(asio::use_awaitable));
      if (ec) break;
      const auto end_of_read = answer.begin() + static_cast<std::ptrdiff_t>(count);
      report_.bytes_down += count;
      report_.answered_lines +=
          static_cast<std::uint64_t>(std::count(answer.begin(), end_of_read, '\n'));
      report_.bytes_up = report_.answered_lines * what_.line_bytes;
      changed_.notify_all();
    }
    end();
  }

  void end() {
    has_ended_ = true;
    changed_.notify_all();
  }

  burst what_;
  tcp::endpoint where_;
  tcp::socket socket_;
  net::condition changed_;
  net::task_group tasks_;
  std::string offered_;
  burst_report report_;
  bool has_ended_ = false;
};

}  // namespace

asio::awaitable<burst_report> send_burst(std::uint16_t port, burst what) {
  const auto ex = co_await asio::this_coro::executor;
  running_burst running(ex, port, what);
  const burst_report result = co_await running.run();
  co_return result;
}

}  // namespace ordeal::fault
