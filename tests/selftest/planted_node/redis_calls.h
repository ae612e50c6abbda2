// Commands to Redis from many callers over one connection: what waits goes out together, in order.
// Connects again by itself. Nothing is sent twice: a call that was under way when the connection
// broke has an unknown outcome.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "net/async/condition.h"
#include "net/redis/connection.h"
#include "tests/selftest/planted_node/bug.h"

namespace ordeal::planted {

enum class call_status { answered, not_sent, unknown };
struct call_outcome {
  call_status status = call_status::not_sent;
  net::redis::reply answer;  // may be an error reply
  std::string reason;        // when there is no answer
};

class redis_calls {
 public:
  // `planted` outlives it.
  redis_calls(asio::any_io_executor ex, net::redis::connection_options options, bug& planted);

  // Until stop().
  asio::awaitable<void> run();
  void stop();
  bool is_connected() const { return connection_ && connection_->is_open(); }

  asio::awaitable<call_outcome> call(std::vector<std::string> arguments);

 private:
  struct job {
    explicit job(asio::any_io_executor ex) : ended(ex) {}
    std::vector<std::string> arguments;
    call_outcome outcome;
    bool is_ended = false;
    net::condition ended;
  };
  using jobs = std::deque<std::shared_ptr<job>>;

  asio::awaitable<void> serve();
  asio::awaitable<void> send(const jobs& batch);
  static void end(job& which);

  asio::any_io_executor ex_;
  net::redis::connection_options options_;
  bug& planted_;
  std::unique_ptr<net::redis::connection> connection_;
  bool has_served_ = false;
  jobs waiting_;
  net::condition changed_;
  net::stop_event stopped_;
};

}  // namespace ordeal::planted
