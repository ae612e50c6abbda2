// Opens connections and runs requests from plain test bodies.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "net/redis/connection.h"
#include "tests/support/redis_server.h"
#include "tests/support/run_coro.h"

namespace ordeal::net::redis {

class RedisFixture : public testing::Test {
 protected:
  open_result open(connection_options options) {
    open_result result;
    test::run_coro(io_, open_into(std::move(options), result));
    return result;
  }
  exec_result exec(connection& over, const request& what,
                   std::chrono::milliseconds limit = std::chrono::seconds(5)) {
    exec_result result;
    test::run_coro(io_, exec_into(over, what, limit, result));
    return result;
  }
  // The answer to one command as text.
  std::string ask(connection& over, std::initializer_list<std::string_view> words) {
    request what;
    what.add(words);
    const exec_result result = exec(over, what);
    return result.ec ? result.ec.message() : std::string(result.replies.at(0)->text());
  }
  static asio::awaitable<void> open_into(connection_options options, open_result& result) {
    result = co_await connect(std::move(options));
  }
  static asio::awaitable<void> exec_into(connection& over, const request& what,
                                         std::chrono::milliseconds limit, exec_result& result) {
    result = co_await over.exec(what, limit);
  }
  asio::io_context io_{1};
};

inline bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace ordeal::net::redis
