#include "fault-injection/redis/loopback.h"

#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <fstream>
#include <mutex>
#include <set>
#include <stdexcept>
#include <tuple>

#include "fault-injection/redis/managed_redis.h"
#include "net/async/deadline.h"
#include "net/async/random.h"

namespace ordeal::fault {
namespace {

using asio::ip::tcp;

constexpr std::uint64_t lowest_port = 10'000;  // below are services that people know by number

tcp::endpoint loopback(std::uint16_t port) {
  return tcp::endpoint(asio::ip::address_v4::loopback(), port);
}

// The first port that the system gives to outgoing connections.
std::uint64_t first_ephemeral_port() {
  std::uint64_t low = 0;
  std::ifstream("/proc/sys/net/ipv4/ip_local_port_range") >> low;
  return low;
}

// The port, or 0 when it is taken.
std::uint16_t bind_and_close(std::uint16_t port) {
  asio::io_context io;
  tcp::acceptor acceptor(io);
  boost::system::error_code ec;
  acceptor.open(tcp::v4(), ec);
  if (!ec) acceptor.bind(loopback(port), ec);
  if (ec) return 0;
  const auto bound = acceptor.local_endpoint(ec);
  return ec ? std::uint16_t{0} : bound.port();
}

// A socket that is bound and does not listen: a server that sets SO_REUSEADDR can still listen there, and nobody is
// given the port. -1 when it is taken.
int bind_reusable(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  const tcp::endpoint where = loopback(port);
  if (::bind(fd, where.data(), static_cast<socklen_t>(where.size())) == 0) return fd;
  ::close(fd);
  return -1;
}

asio::awaitable<std::tuple<boost::system::error_code>> connect_once(tcp::socket& socket,
                                                                    tcp::endpoint to) {
  co_return co_await socket.async_connect(to, asio::as_tuple(asio::use_awaitable));
}

}  // namespace

// Not one of the ephemeral ports, if there are others: while a server that we killed is down, an
// outgoing connection could be given its port, or a client that tries to reach it could be
// connected with itself.
std::uint16_t free_loopback_port() {
  static std::mutex mutex;
  static std::set<std::uint16_t> handed_out;
  const std::lock_guard lock(mutex);
  constexpr int attempts_max = 1'000;
  const std::uint64_t end = first_ephemeral_port();
  for (int attempt = 0; attempt < attempts_max; ++attempt) {
    std::uint64_t wanted = 0;
    if (end > lowest_port) wanted = lowest_port + net::random_seed() % (end - lowest_port);
    const std::uint16_t port = bind_and_close(static_cast<std::uint16_t>(wanted));
    if (port != 0 && handed_out.insert(port).second) return port;
  }
  throw std::runtime_error("no free TCP port on 127.0.0.1");
}

reserved_port::reserved_port() {
  constexpr int attempts_max = 100;  // somebody may be quicker
  for (int attempt = 0; attempt < attempts_max; ++attempt) {
    number_ = free_loopback_port();
    socket_ = bind_reusable(number_);
    if (socket_ >= 0) return;
  }
  throw std::runtime_error("no free TCP port on 127.0.0.1");
}

reserved_port::~reserved_port() {
  if (socket_ >= 0) ::close(socket_);
}

asio::awaitable<boost::system::error_code> try_connect(std::uint16_t port,
                                                       std::chrono::milliseconds limit) {
  const auto ex = co_await asio::this_coro::executor;
  tcp::socket socket(ex);
  const auto connected = co_await net::with_deadline(connect_once(socket, loopback(port)), limit);
  if (!connected) co_return make_error_code(boost::system::errc::timed_out);
  co_return std::get<0>(*connected);
}

}  // namespace ordeal::fault
