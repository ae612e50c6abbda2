// Loopback ports: kept for a server of ours, and looked at as a stranger does.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/system/error_code.hpp>
#include <chrono>
#include <cstdint>

namespace ordeal::fault {

// A free port that nobody else is given while this lives, not even while the server that listens there is down: it is
// bound, for a server that sets SO_REUSEADDR. Throws std::runtime_error when there is none. Any thread.
class reserved_port {
 public:
  reserved_port();
  ~reserved_port();
  reserved_port(const reserved_port&) = delete;
  reserved_port& operator=(const reserved_port&) = delete;

  std::uint16_t number() const { return number_; }

 private:
  int socket_ = -1;
  std::uint16_t number_ = 0;
};

// Opens a TCP connection and closes it again: no error, what the system said (connection_refused),
// or timed_out.
boost::asio::awaitable<boost::system::error_code> try_connect(std::uint16_t port,
                                                              std::chrono::milliseconds limit);

}  // namespace ordeal::fault
