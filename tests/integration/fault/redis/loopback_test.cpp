// Ports: free, never the same twice, and looked at from outside.
#include "fault-injection/redis/loopback.h"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <fstream>
#include <set>

#include "fault-injection/redis/managed_redis.h"
#include "tests/support/run_coro.h"

namespace ordeal::fault {
namespace {

using asio::ip::tcp;

tcp::endpoint at(std::uint16_t port) {
  return tcp::endpoint(asio::ip::address_v4::loopback(), port);
}

TEST(FreePort, IsFreeAndNeverTheSame) {
  int first_ephemeral = 0;
  std::ifstream("/proc/sys/net/ipv4/ip_local_port_range") >> first_ephemeral;
  asio::io_context io;
  std::set<std::uint16_t> seen;
  for (int i = 0; i < 200; ++i) {
    const std::uint16_t port = free_loopback_port();
    EXPECT_TRUE(seen.insert(port).second) << port;
    if (first_ephemeral > 10'000) {
      EXPECT_LT(port, first_ephemeral);
    }
    EXPECT_NO_THROW(tcp::acceptor(io, at(port), false)) << port;
  }
}

TEST(ReservedPort, IsForAServerOfOursAlone) {
  asio::io_context io;
  std::uint16_t number = 0;
  {
    const reserved_port port;
    number = port.number();
    for (int start = 0; start < 2; ++start) {
      EXPECT_THROW(tcp::acceptor(io, at(number), false), boost::system::system_error);
      const tcp::acceptor server(io, at(number), true);
    }
    EXPECT_THROW(tcp::acceptor(io, at(number), false), boost::system::system_error);
  }
  EXPECT_NO_THROW(tcp::acceptor(io, at(number), false));
}

asio::awaitable<void> refuse_while_nobody_listens(std::uint16_t port) {
  const auto refused = co_await try_connect(port, std::chrono::seconds(5));
  EXPECT_EQ(refused, asio::error::connection_refused) << refused.message();
}

TEST(ReservedPort, RefusesWhileNobodyListens) {
  asio::io_context io;
  const reserved_port port;
  test::run_coro(io, refuse_while_nobody_listens(port.number()));
}

asio::awaitable<void> look_at_both(std::uint16_t open_port) {
  const auto limit = std::chrono::seconds(5);
  const auto accepted = co_await try_connect(open_port, limit);
  EXPECT_FALSE(accepted) << accepted.message();
  const auto refused = co_await try_connect(free_loopback_port(), limit);
  EXPECT_EQ(refused, asio::error::connection_refused) << refused.message();
}

TEST(TryConnect, TellsListeningFromRefusing) {
  asio::io_context io;
  const tcp::acceptor acceptor(io, at(0));
  test::run_coro(io, look_at_both(acceptor.local_endpoint().port()));
}

}  // namespace
}  // namespace ordeal::fault
