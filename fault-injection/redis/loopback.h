// Looking at a loopback port as a stranger does. Control thread.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/system/error_code.hpp>
#include <chrono>
#include <cstdint>

namespace ordeal::fault {

// Opens a TCP connection and closes it again: no error, what the system said (connection_refused),
// or timed_out.
boost::asio::awaitable<boost::system::error_code> try_connect(std::uint16_t port,
                                                              std::chrono::milliseconds limit);

}  // namespace ordeal::fault
