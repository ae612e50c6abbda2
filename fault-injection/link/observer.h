// How a link tells the observers of the faults from its node: they come from an address of their own on the loopback
// network. They pass through the same toxics, but no tap hears them and they count for nobody.
#pragma once

#include <boost/asio/ip/address_v4.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/system/error_code.hpp>

namespace ordeal::fault {

// 127.79.82.68, "ORD" in its last three bytes.
inline boost::asio::ip::address_v4 observer_address() {
  return boost::asio::ip::address_v4({127, 'O', 'R', 'D'});
}

inline bool is_observer(const boost::asio::ip::tcp::endpoint& from) {
  return from.address() == observer_address();
}

// Opens the socket of an observer; then it may connect.
inline boost::system::error_code open_as_observer(boost::asio::ip::tcp::socket& socket) {
  boost::system::error_code ec;
  socket.open(boost::asio::ip::tcp::v4(), ec);
  if (!ec) socket.bind({observer_address(), 0}, ec);
  return ec;
}

}  // namespace ordeal::fault
