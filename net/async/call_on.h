// Crossing threads: run a coroutine on another executor's thread and await its result here. With task_group, the
// only caller of co_spawn. The callee is not cancelled with the caller: give it its own deadline.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

namespace ordeal::net {

template <class T>
boost::asio::awaitable<T> call_on(boost::asio::any_io_executor there,
                                  boost::asio::awaitable<T> work) {
  return boost::asio::co_spawn(there, std::move(work), boost::asio::use_awaitable);
}

}  // namespace ordeal::net
