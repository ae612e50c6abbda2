#include <algorithm>

#include "net/async/clock.h"
#include "net/async/deadline.h"
#include "net/redis/open_redis.h"
#include "net/redis/sentinel.h"

namespace ordeal::net::redis {
namespace {

using std::chrono::milliseconds;

milliseconds time_left(net::time_point deadline) {
  const auto left = std::chrono::duration_cast<milliseconds>(deadline - net::now());
  return std::max(left, milliseconds(1));
}

// One search through the sentinels. Every wait has its share of the time, so that one that is silent does not use up
// that of the next.
class master_search {
 public:
  explicit master_search(const connection_options& options)
      : options_(options), deadline_(net::now() + options.connect_timeout) {}

  asio::awaitable<open_result> run(std::shared_ptr<sentinel_memory> memory);

 private:
  asio::awaitable<std::optional<server_address>> ask(const server_address& at,
                                                     std::size_t others_left);
  bool was_tried(const server_address& master) const;
  void note(const server_address& at, const std::string& words);
  open_result failure() const;

  const connection_options& options_;
  net::time_point deadline_;
  std::vector<server_address> tried_;
  std::vector<server_address> learned_;
  error_code last_ec_ = make_error_code(errc::no_master);  // of a server that was named
  std::string found_;
};

void master_search::note(const server_address& at, const std::string& words) {
  if (!found_.empty()) found_ += "; ";
  found_ += "sentinel " + to_text(at) + " " + words;
}

bool master_search::was_tried(const server_address& master) const {
  return std::find(tried_.begin(), tried_.end(), master) != tried_.end();
}

asio::awaitable<std::optional<server_address>> master_search::ask(const server_address& at,
                                                                  std::size_t others_left) {
  connect_stage reached = connect_stage::dialling;
  const milliseconds limit = time_left(deadline_) / static_cast<int>(others_left + 2);
  auto answer = co_await net::with_deadline(ask_sentinel(at, options_, reached), limit);
  if (!answer) {
    note(at, "does not answer: " + timeout_words(reached));
    co_return std::nullopt;
  }
  if (!answer->master) note(at, answer->detail);
  learned_ = std::move(answer->others);
  co_return answer->master;
}

open_result master_search::failure() const {
  open_result result;
  result.ec = last_ec_;
  result.detail = "no master '" + options_.sentinel.master_name + "': " + found_;
  return result;
}

asio::awaitable<open_result> master_search::run(std::shared_ptr<sentinel_memory> memory) {
  const std::vector<server_address> places = memory->order();
  for (std::size_t i = 0; i < places.size() && net::now() < deadline_; ++i) {
    const server_address& at = places[i];
    const std::size_t others_left = places.size() - i - 1;
    const auto master = co_await ask(at, others_left);
    if (!master) continue;
    if (was_tried(*master)) {
      note(at, "names " + to_text(*master) + " too");
      continue;
    }
    tried_.push_back(*master);
    const milliseconds left = time_left(deadline_);
    const milliseconds limit = others_left > 0 ? left / 2 : left;
    open_result opened = co_await open_redis(*master, options_, limit);
    if (opened.opened) {
      memory->on_right(at);
      memory->on_learned(std::move(learned_));
      co_return opened;
    }
    const bool is_other = opened.ec == make_error_code(errc::no_master);
    if (!is_other) last_ec_ = opened.ec;
    note(at, "names " + to_text(*master) + (is_other ? ", which " : ", which cannot be used: ") +
                 opened.detail);
  }
  co_return failure();
}

}  // namespace

asio::awaitable<open_result> open_master(const connection_options& options) {
  std::shared_ptr<sentinel_memory> memory = options.sentinel.memory;
  if (!memory) memory = std::make_shared<sentinel_memory>(options.sentinel.places);
  master_search search(options);
  open_result result = co_await search.run(std::move(memory));
  co_return result;
}

}  // namespace ordeal::net::redis
