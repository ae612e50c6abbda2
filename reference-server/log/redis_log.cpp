#include "reference-server/log/redis_log.h"

#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <stdexcept>

#include "net/async/log.h"
#include "net/async/random.h"
#include "net/async/task_group.h"

namespace ordeal::chat {
namespace {

constexpr std::size_t origin_length = 16;
constexpr std::size_t batch_entries_ceiling = 1'024;  // arguments on Lua's stack
constexpr int watch_rounds_per_interval = 4;

log_options checked(log_options options) {
  const auto is_plain = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
           c == '_' || c == '.' || c == ':';
  };
  if (options.app.empty() || !std::ranges::all_of(options.app, is_plain)) {
    throw std::invalid_argument(
        "the app name '" + options.app +
        "' is not a plain word: use letters, digits, '-', '_', '.' and ':'");
  }
  options.batch_entries_max =
      std::clamp<std::size_t>(options.batch_entries_max, 1, batch_entries_ceiling);
  options.retained_entries = std::max<std::size_t>(options.retained_entries, 1);
  return options;
}

// Whatever ends one loop, a bug included, ends the log.
class ends_with {
 public:
  explicit ends_with(net::stop_event& ended) : ended_(ended) {}
  ends_with(const ends_with&) = delete;
  ends_with& operator=(const ends_with&) = delete;
  ~ends_with() { ended_.set(); }

 private:
  net::stop_event& ended_;
};

asio::awaitable<void> ending(asio::awaitable<void> loop, net::stop_event& ended) {
  const ends_with guard(ended);
  co_await std::move(loop);
}

std::string_view word_of(log_state state) {
  switch (state) {
    case log_state::connecting:
      return "connecting";
    case log_state::open:
      return "open";
    case log_state::refusing:
      return "refusing";
    case log_state::stopped:
      return "stopped";
  }
  return "";
}

// Counts a frame while it waits.
class counted {
 public:
  explicit counted(std::size_t& count) : count_(count) { ++count_; }
  counted(const counted&) = delete;
  counted& operator=(const counted&) = delete;
  ~counted() { --count_; }

 private:
  std::size_t& count_;
};

// An entry in a map of frames, as long as the frame lives: it may be cancelled.
template <class Frame>
class registered_as {
 public:
  using map = std::unordered_map<std::uint64_t, Frame*>;
  registered_as(map& frames, std::uint64_t key, Frame& frame) : frames_(frames), key_(key) {
    frames_.emplace(key, &frame);
  }
  registered_as(const registered_as&) = delete;
  registered_as& operator=(const registered_as&) = delete;
  ~registered_as() { frames_.erase(key_); }

 private:
  map& frames_;
  std::uint64_t key_;
};

append_outcome later(std::string reason) {
  append_outcome outcome;
  outcome.reason = std::move(reason);
  return outcome;
}

}  // namespace

std::unique_ptr<chat_log> make_chat_log(asio::any_io_executor ex, log_options options) {
  return std::make_unique<redis_log>(ex, std::move(options));
}

// The origin is random per start: a restarted node must not continue, nor repeat, the sequence of
// its predecessor (H19).
redis_log::redis_log(asio::any_io_executor ex, log_options options)
    : ex_(ex),
      options_(checked(std::move(options))),
      wire_(options_.app, net::random_id(origin_length), options_.retained_entries),
      outbox_(options_.outbox_entries_max, options_.outbox_bytes_max),
      heartbeat_(wire_.origin(), options_.heartbeat_interval, net::now()),
      replay_(options_.replay_entries, options_.replay_bytes_max),
      trouble_since_(net::now()),
      work_(ex),
      attached_(ex),
      room_(ex),
      settled_(ex),
      stop_(ex),
      ended_(ex) {
  health_.reason = "not connected to Redis yet";
}

asio::awaitable<void> redis_log::run(log_subscriber& subscriber) {
  subscriber_ = &subscriber;
  net::task_group loops(ex_);
  loops.spawn("commands", ending(keep_commands(), ended_));
  loops.spawn("reader", ending(keep_reader(), ended_));
  loops.spawn("watch", ending(watch(), ended_));
  loops.spawn("drain", ending(drain(), ended_));
  std::exception_ptr failure;
  try {
    co_await ended_.wait();
  } catch (...) {
    failure = std::current_exception();  // this run was cancelled
  }
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  ended_.set();
  loops.cancel();
  try {
    co_await loops.join();
  } catch (...) {
    failure = std::current_exception();
  }
  commands_.reset();
  reader_.reset();
  fail_queries();
  set_state(log_state::stopped, "the log was stopped");
  if (failure) std::rethrow_exception(failure);
}

void redis_log::stop(std::chrono::milliseconds drain) {
  drain_ = drain;
  stop_.set();
  room_.notify_all();
}

asio::awaitable<void> redis_log::drain() {
  co_await stop_.wait();
  const auto deadline = net::now() + drain_;
  while (outbox_.has_undecided() && net::now() < deadline) co_await settled_.wait_until(deadline);
}

// Empty while an append may yet succeed.
std::string redis_log::hopeless_reason(net::time_point at) const {
  if (stop_.is_set()) return "this node is stopping";
  if (health_.state == log_state::refusing || health_.state == log_state::stopped)
    return health_.reason;
  const bool is_long_outage = trouble_since_ && at - *trouble_since_ > options_.outage_accept_max;
  const bool is_full_outage = trouble_since_ && !outbox_.has_room();
  if (is_long_outage || is_full_outage) return trouble_.empty() ? health_.reason : trouble_;
  return "";
}

std::string redis_log::refusal(const std::string& client_message_id, std::size_t bytes) const {
  if (client_message_id.empty()) return "the message has no id";
  if (bytes <= options_.message_bytes_max) return "";
  return "the message has " + std::to_string(bytes) + " bytes, " +
         std::to_string(options_.message_bytes_max) + " are allowed";
}

asio::awaitable<append_outcome> redis_log::append(std::string room, std::string client_message_id,
                                                  std::string text) {
  append_outcome refused;
  refused.status = append_status::refused;
  refused.reason = refusal(client_message_id, room.size() + client_message_id.size() + text.size());
  if (!refused.reason.empty()) co_return refused;

  const auto deadline = net::now() + options_.append_wait_max;
  std::string reason = hopeless_reason(net::now());
  while (reason.empty() && !outbox_.has_room()) {
    const counted waiting(waiting_for_room_);
    co_await room_.wait();
    reason = hopeless_reason(net::now());
    if (reason.empty() && net::now() > deadline) reason = "this node has too much to send";
  }
  if (!reason.empty()) co_return later(std::move(reason));

  waiting_sender sender(ex_);
  const std::uint64_t seq =
      outbox_.add(std::move(room), std::move(client_message_id), std::move(text), net::now());
  const registered_as<waiting_sender> registration(senders_, seq, sender);
  work_.notify_all();
  while (!sender.outcome) co_await sender.changed.wait();
  co_return std::move(*sender.outcome);
}

void redis_log::settle(std::vector<settlement>& settled) {
  for (settlement& each : settled) {
    const auto found = senders_.find(each.seq);
    if (found == senders_.end()) continue;  // its sender was cancelled
    found->second->outcome = std::move(each.outcome);
    found->second->changed.notify_all();
  }
  if (!outbox_.has_undecided()) settled_.notify_all();
  if (outbox_.has_room()) room_.notify_all();
  settled.clear();
}

void redis_log::set_state(log_state state, std::string reason) {
  if (health_.state == state && health_.reason == reason) return;
  if (ended_.is_set() && state != log_state::stopped)
    return;  // connections that end now are no news
  const auto level = state == log_state::refusing ? net::log_level::error : net::log_level::info;
  net::log(level, "log", word_of(state), {{"app", options_.app}, {"reason", reason}});
  health_.state = state;
  health_.reason = std::move(reason);
  if (state == log_state::refusing || state == log_state::stopped) {
    // Senders are told now: they may try again, here or elsewhere. What is in the outbox stays.
    std::vector<settlement> settled;
    outbox_.give_up_before(net::time_point::max(), health_.reason, settled);
    settle(settled);
  }
  room_.notify_all();
  if (state == log_state::open) attached_.notify_all();
  if (subscriber_ != nullptr) subscriber_->on_state_change();
  was_ready_ = health().is_ready;
}

void redis_log::announce() {
  const bool is_ready = health().is_ready;
  if (is_ready == was_ready_) return;
  was_ready_ = is_ready;
  net::log(net::log_level::info, "log", is_ready ? "ready" : "not ready", {{"app", options_.app}});
  subscriber_->on_state_change();
}

asio::awaitable<void> redis_log::watch() {
  for (;;) {
    co_await net::sleep_for(options_.heartbeat_interval / watch_rounds_per_interval);
    const auto at = net::now();
    if (reader_ && commands_ && heartbeat_.is_echo_overdue(at)) {
      // Deaf or mute, and TCP does not know it (H12).
      net::log(net::log_level::warn, "log", "own heartbeat did not come back: reconnecting",
               {{"app", options_.app}});
      commands_->close();
      reader_->close();
    }
    std::vector<settlement> settled;
    outbox_.give_up_before(at - options_.append_wait_max, "not in the log in time", settled);
    settle(settled);
    room_.notify_all();
    announce();
  }
}

const log_health& redis_log::health() const {
  const auto at = net::now();
  health_.log_id = identity_.log_id;
  if (last_) health_.last_read = last_->at;
  health_.echo_age = heartbeat_.echo_age(at);
  health_.outbox_entries = outbox_.size();
  health_.outbox_bytes = outbox_.bytes();
  health_.is_ready = health_.state == log_state::open && heartbeat_.is_echo_recent(at);
  return health_;
}

net::redis::connection_options redis_log::connection_options(std::string_view role) const {
  net::redis::connection_options result = options_.redis;
  if (result.client_name.empty()) {
    result.client_name = options_.node_name + "-";
    result.client_name += role;
  }
  return result;
}

backoff redis_log::make_backoff(std::string_view name) const {
  const net::random_stream draw(net::random_seed(), name);
  return backoff(options_.retry_backoff_min, options_.retry_backoff_max, draw);
}

}  // namespace ordeal::chat
