// A TCP server in the test process that sends back what it gets and keeps the half-close; and a
// client's moves. To a canary it is a Redis: any line is a reply.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "fault-injection/link/link.h"
#include "net/async/condition.h"
#include "net/async/task_group.h"

namespace ordeal::test {

namespace asio = boost::asio;
using asio::ip::tcp;
using net::error_code;

class echo_server {
 public:
  explicit echo_server(asio::any_io_executor ex);

  tcp::endpoint endpoint() const { return acceptor_.local_endpoint(); }
  std::uint64_t accepted() const { return accepted_; }
  // How the connection that ended last ended.
  error_code last_end() const { return last_end_; }

  void start() { tasks_.spawn("accept", accept_loop()); }
  // Ends all connections and waits for them.
  asio::awaitable<void> stop();

 private:
  asio::awaitable<void> accept_loop();
  asio::awaitable<void> echo(tcp::socket socket);

  tcp::acceptor acceptor_;
  net::task_group tasks_;
  std::uint64_t accepted_ = 0;
  error_code last_end_;
};

// "...": the byte at each position is a function of the position, so a hole or a swap shows.
std::string pattern(std::size_t bytes);

asio::awaitable<error_code> connect(tcp::socket& socket, std::uint16_t port);
asio::awaitable<error_code> send(tcp::socket& socket, std::string_view bytes);

struct received {
  std::string bytes;
  error_code ec;  // eof: the end; timed_out: nothing more within ten seconds
};
// Exactly `count` bytes, unless an error comes first.
asio::awaitable<received> receive(tcp::socket& socket, std::size_t count);
asio::awaitable<received> receive_to_end(tcp::socket& socket);

// Polls the counters until they are as wanted; a test failure names `what` when that takes over ten
// seconds.
asio::awaitable<fault::link_counters> wait_counters(
    fault::link& link, std::string_view what,
    std::function<bool(const fault::link_counters&)> is_wanted);

}  // namespace ordeal::test
