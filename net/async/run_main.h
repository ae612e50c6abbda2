// Runs one coroutine to its end on an io_context, as a program's main does; rethrows what it throws.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>
#include <utility>

namespace ordeal::net {

inline void run_main(boost::asio::io_context& io, boost::asio::awaitable<void> work) {
  std::exception_ptr failure;
  auto on_end = [&failure](std::exception_ptr thrown) { failure = thrown; };
  boost::asio::co_spawn(io, std::move(work), std::move(on_end));
  io.run();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace ordeal::net
