#include "tests/selftest/planted_node/neighbour.h"

#include <chrono>
#include <utility>

#include "net/async/task_group.h"

namespace ordeal::planted {
namespace {

constexpr std::chrono::milliseconds talk_interval(250);

}  // namespace

neighbour::neighbour(asio::any_io_executor ex, const net::redis::connection_options& redis,
                     std::string key, std::string name, const hub& chat, bug& planted)
    : ex_(ex),
      name_(std::move(name)),
      chat_(chat),
      log_(ex, redis, std::move(key), planted),
      stopped_(ex) {}

asio::awaitable<void> neighbour::run() {
  net::task_group both(ex_);
  both.spawn("log", log_.run(*this));
  both.spawn("talk", talk());
  co_await both.join();
}

void neighbour::stop() {
  stopped_.set();
  log_.stop();
}

asio::awaitable<void> neighbour::talk() {
  for (std::uint64_t count = 1;; ++count) {
    const bool is_over = co_await stopped_.wait_for(talk_interval);
    if (is_over) co_return;
    entry what;
    what.room = chat_.some_room();
    what.sender = name_;
    what.message_id = name_ + " " + std::to_string(count);
    what.text = "good morning from next door";
    co_await log_.append(std::move(what));
  }
}

}  // namespace ordeal::planted
