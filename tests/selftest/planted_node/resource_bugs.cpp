// Bugs that deliver every message and use up the machine.
#include <fcntl.h>
#include <unistd.h>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <memory>
#include <string>

#include "net/async/clock.h"
#include "tests/selftest/planted_node/bugs.h"

namespace ordeal::planted {
namespace {

constexpr int pool_size = 10;
constexpr std::chrono::milliseconds polling_time(100);
constexpr std::uint64_t publishes_per_descriptor = 50;
constexpr std::size_t kept_bytes = 8'192;

class connections_pile_up final : public bug {
 public:
  asio::awaitable<void> after_reconnect(net::redis::connection_options options) override {
    for (int i = 0; i < pool_size; ++i) {
      auto opened = co_await net::redis::connect(options);
      if (opened.opened) pool_.push_back(std::move(opened.opened));
    }
  }

 private:
  std::vector<std::unique_ptr<net::redis::connection>> pool_;
};

class busy_loop_in_outage final : public bug {
 public:
  asio::awaitable<void> wait_to_retry(net::stop_event& stopped) override {
    const asio::any_io_executor ex = co_await asio::this_coro::executor;
    const auto next_at = net::now() + polling_time;
    while (!stopped.is_set() && net::now() < next_at) {
      co_await asio::post(ex, asio::use_awaitable);
    }
  }
};

class descriptors_pile_up final : public bug {
 public:
  ~descriptors_pile_up() override {
    for (const int each : open_) ::close(each);
  }
  publish_fate on_publish(entry&) override {
    if (++publish_count_ % publishes_per_descriptor == 0) {
      open_.push_back(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    }
    return publish_fate::append;
  }

 private:
  std::uint64_t publish_count_ = 0;
  std::vector<int> open_;
};

class memory_piles_up final : public bug {
 public:
  publish_fate on_publish(entry&) override {
    kept_.emplace_back(kept_bytes, 'x');
    return publish_fate::append;
  }

 private:
  std::vector<std::string> kept_;
};

}  // namespace

std::vector<bug_kind> resource_bugs() {
  return {
      {.name = "connections_pile_up",
       .modelled_on = "SignalR/SignalR#4673: each retry makes a new multiplexer",
       .sentence = "Each reconnect opens a pool of ten connections to Redis and keeps the old one.",
       .scenario = "reset",
       .finding = "leak",
       .check = "connections",
       .make = make<connections_pile_up>},
      {.name = "busy_loop_in_outage",
       .modelled_on = "centrifugal/centrifugo#85: 75 % of a processor while Redis is down",
       .sentence = "One node asks the clock in a loop until it is time to connect again.",
       .scenario = "long-outage",
       .finding = "leak",
       .check = "resources",
       .is_alone = true,
       .make = make_on_one_node<busy_loop_in_outage>},
      {.name = "descriptors_pile_up",
       .modelled_on = "socketio/socket.io-redis-adapter#529, dotnet/aspnetcore#8369: handles leak",
       .sentence = "Every fiftieth publish leaves a file descriptor open.",
       .scenario = "minutes",
       .finding = "leak",
       .check = "resources",
       .is_long = true,
       .make = make<descriptors_pile_up>},
      {.name = "memory_piles_up",
       .modelled_on = "SignalR/SignalR#3031, #1567, #4693: topics are never released",
       .sentence = "Every publish keeps eight kilobytes for ever.",
       .scenario = "minutes",
       .finding = "leak",
       .check = "resources",
       .is_long = true,
       .make = make<memory_piles_up>},
  };
}

}  // namespace ordeal::planted
