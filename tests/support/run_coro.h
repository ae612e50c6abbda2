// Runs a coroutine in a test on an io_context of its own: fails the test when it throws, when the context runs dry,
// when the deadline passes, or when work remains afterwards. In coroutine tests await into a name first, then EXPECT:
// ASSERT returns, and g++ 12.2 destroys temporaries twice in an expression with co_await.
#pragma once

#include <gtest/gtest.h>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/assert/source_location.hpp>
#include <chrono>
#include <exception>
#include <string>
#include <utility>

namespace ordeal::test {

inline void run_coro(boost::asio::io_context& io, boost::asio::awaitable<void> work,
                     std::chrono::steady_clock::duration limit = std::chrono::seconds(20),
                     boost::source_location where = BOOST_CURRENT_LOCATION) {
  testing::ScopedTrace trace(where.file_name(), static_cast<int>(where.line()),
                             "run_coro called here");
  bool is_done = false;
  std::exception_ptr failure;
  auto on_end = [&is_done, &failure](std::exception_ptr thrown) {
    is_done = true;
    failure = thrown;
  };
  boost::asio::co_spawn(io, std::move(work), std::move(on_end));
  io.restart();
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (!is_done && std::chrono::steady_clock::now() < deadline &&
         io.run_one_until(deadline) > 0) {
  }
  if (!is_done) {
    ADD_FAILURE() << "the coroutine did not end within "
                  << std::chrono::duration<double>(limit).count() << " s";
    return;
  }
  // What the coroutine left behind must end by itself, soon.
  io.run_until(std::chrono::steady_clock::now() + std::chrono::seconds(5));
  EXPECT_TRUE(io.stopped()) << "work remains on the io_context";
  if (!failure) return;
  try {
    std::rethrow_exception(failure);
  } catch (const std::exception& thrown) {
    ADD_FAILURE() << "the coroutine threw: " << thrown.what();
  }
}

}  // namespace ordeal::test
