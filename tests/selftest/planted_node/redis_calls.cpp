#include "tests/selftest/planted_node/redis_calls.h"

#include <chrono>
#include <string_view>
#include <utility>

namespace ordeal::planted {
namespace {

constexpr std::chrono::milliseconds command_limit(1'000);

}  // namespace

redis_calls::redis_calls(asio::any_io_executor ex, net::redis::connection_options options,
                         bug& planted)
    : ex_(ex), options_(std::move(options)), planted_(planted), changed_(ex), stopped_(ex) {}

void redis_calls::stop() {
  stopped_.set();
  if (connection_) connection_->close();
  changed_.notify_all();
}

asio::awaitable<void> redis_calls::run() {
  while (!stopped_.is_set()) {
    auto opened = co_await net::redis::connect(options_);
    if (opened.opened && !stopped_.is_set()) {
      if (has_served_) {
        if (!planted_.on_reconnected(redis_role::writer)) co_return;
        co_await planted_.after_reconnect(options_);
      }
      has_served_ = true;
      connection_ = std::move(opened.opened);
      co_await serve();
      connection_.reset();
      for (const auto& each : waiting_) end(*each);
      waiting_.clear();
      if (!stopped_.is_set()) planted_.on_lost(redis_role::writer);
    }
    co_await planted_.wait_to_retry(stopped_);
  }
}

asio::awaitable<void> redis_calls::serve() {
  while (connection_->is_open()) {
    if (waiting_.empty()) {
      co_await changed_.wait();
      continue;
    }
    const jobs batch = std::exchange(waiting_, jobs());
    co_await send(batch);
  }
}

asio::awaitable<void> redis_calls::send(const jobs& batch) {
  net::redis::request commands;
  for (const auto& each : batch) {
    const std::vector<std::string_view> arguments(each->arguments.begin(), each->arguments.end());
    commands.add(arguments);
  }
  auto result = co_await connection_->exec(commands, command_limit);
  if (result.ec) connection_->close();
  for (std::size_t i = 0; i < batch.size(); ++i) {
    job& each = *batch[i];
    if (result.ec) {
      each.outcome.status = call_status::unknown;
      each.outcome.reason = result.ec.message();
    } else {
      each.outcome.status = call_status::answered;
      each.outcome.answer = std::move(result.replies[i]);
    }
    end(each);
  }
}

void redis_calls::end(job& which) {
  which.is_ended = true;
  which.ended.notify_all();
}

asio::awaitable<call_outcome> redis_calls::call(std::vector<std::string> arguments) {
  const auto mine = std::make_shared<job>(ex_);
  mine->outcome.reason = "no connection to Redis";
  if (is_connected()) {
    mine->arguments = std::move(arguments);
    waiting_.push_back(mine);
    changed_.notify_all();
    while (!mine->is_ended) co_await mine->ended.wait();
  }
  co_return std::move(mine->outcome);
}

}  // namespace ordeal::planted
