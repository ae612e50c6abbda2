#include "reference-server/log/redis_log.h"

#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <stdexcept>

#include "net/async/log.h"
#include "net/async/random.h"
#include "net/async/task_group.h"

namespace ordeal::chat {
namespace {

constexpr std::size_t origin_length = 15;             // 75 bits, and no allocation in a std::string
constexpr std::size_t batch_entries_ceiling = 1'024;  // arguments on Lua's stack
constexpr int watch_rounds_per_interval = 4;
constexpr int looks_per_interval = 4;
constexpr int wanted_part_of_timeout = 3;  // within which an append is to be answered
constexpr std::chrono::minutes trimmed_told_interval{1};
constexpr const char* too_slow_reason =
    "more waits in this node than its link to Redis carries: send it again with the same id";

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
    case log_state::recovering:
      return "recovering";
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
  using map = std::unordered_multimap<std::uint64_t, Frame*>;
  registered_as(map& frames, std::uint64_t key, Frame& frame)
      : frames_(frames), place_(frames.emplace(key, &frame)) {}
  registered_as(const registered_as&) = delete;
  registered_as& operator=(const registered_as&) = delete;
  ~registered_as() { frames_.erase(place_); }

 private:
  map& frames_;
  typename map::iterator place_;
};

std::string_view word_of(machine_event::what kind) {
  using what = machine_event::what;
  switch (kind) {
    case what::attached:
      return "attached";
    case what::convened:
      return "recovery convened";
    case what::repairing:
      return "recovery: this node puts the log in order";
    case what::created:
      return "a new log begins";
    case what::committed:
      return "recovery committed";
    case what::recovered:
      return "the log goes on in a new epoch";
    case what::forked:
      return "fork: this node had read what the log no longer holds";
    case what::gap:
      return "gap: this node missed entries";
    case what::renamed:
      return "a false repetition: this node begins anew under another name";
    case what::warned:
      return "the configuration of Redis";
  }
  return "";
}

unsigned looks_in(std::chrono::milliseconds whole, std::chrono::milliseconds pause) {
  return static_cast<unsigned>(std::max<std::int64_t>(1, whole / pause));
}

machine_options machine_options_of(const log_options& options) {
  machine_options result;
  // Random per start: a restarted node must not continue, nor repeat, the sequence of its
  // predecessor (H19).
  result.origin = net::random_id(origin_length);
  result.delivery = options.delivery;
  result.ack = options.ack;
  result.batch_entries_max = options.batch_entries_max;
  result.outbox_entries_max = options.outbox_entries_max;
  result.outbox_bytes_max = options.outbox_bytes_max;
  result.replay_entries = options.replay_entries;
  result.replay_bytes_max = options.replay_bytes_max;
  result.retained_bytes = options.retained_bytes;
  const auto pause = redis_log::look_pause(options);
  result.grace_looks = looks_in(options.recovery_grace, pause);
  result.boot_looks = looks_in(options.boot_grace, pause);
  // Long enough for a slow script, and for an owner that lost its connection for a moment.
  result.stall_looks =
      std::max(result.grace_looks, result.boot_looks) + looks_in(options.command_timeout, pause);
  return result;
}

append_outcome later(std::string reason) {
  append_outcome outcome;
  outcome.reason = std::move(reason);
  return outcome;
}

}  // namespace

std::unique_ptr<chat_log> make_chat_log(asio::any_io_executor ex, log_options options) {
  return std::make_unique<redis_log>(ex, std::move(options));
}

redis_log::redis_log(asio::any_io_executor ex, log_options options)
    : ex_(ex),
      options_(checked(std::move(options))),
      machine_(machine_options_of(options_)),
      wire_(options_.app, machine_.origin(), options_.retained_entries),
      heartbeat_(options_.heartbeat_interval, net::now()),
      trouble_since_(net::now()),
      master_watch_(ex, options_.redis,
                    [this](const net::redis::server_address& master) { on_other_master(master); }),
      uplink_(options_.command_timeout / wanted_part_of_timeout),
      rooms_(options_.retained_entries),
      history_turns_(ex),
      work_(ex),
      attached_(ex),
      room_(ex),
      settled_(ex),
      stop_(ex),
      ended_(ex) {
  health_.reason = machine_.reason();
}

std::chrono::milliseconds redis_log::look_pause(const log_options& options) {
  return std::max(options.heartbeat_interval / looks_per_interval, std::chrono::milliseconds(1));
}

asio::awaitable<void> redis_log::run(log_subscriber& subscriber) {
  subscriber_ = &subscriber;
  net::task_group loops(ex_);
  loops.spawn("commands", ending(keep_commands(), ended_));
  loops.spawn("reader", ending(keep_reader(), ended_));
  loops.spawn("watch", ending(watch(), ended_));
  loops.spawn("master watch", master_watch_.run());
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
  health_.state = log_state::stopped;
  health_.reason = "the log was stopped";
  stop_accepting();
  subscriber_->on_state_change();
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
  while (machine_.own_messages().has_undecided() && net::now() < deadline)
    co_await settled_.wait_until(deadline);
  tell_undelivered();
}

// Senders were told to try again or got no answer, unless an answer is given before a message is in the log.
void redis_log::tell_undelivered() const {
  const std::size_t count = machine_.own_messages().undecided();
  if (count == 0) return;
  net::log(
      net::log_level::warn, "log", "stopping with messages that are not known to be in the log",
      {{"app", options_.app}, {"messages", std::to_string(count)}, {"reason", health_.reason}});
}

// Empty while an append may yet succeed.
std::string redis_log::hopeless_reason(net::time_point at) const {
  if (stop_.is_set()) return "this node is stopping";
  if (health_.state == log_state::refusing || health_.state == log_state::stopped)
    return health_.reason;
  if (!trouble_since_) return "";
  const bool is_long_outage = at - *trouble_since_ > options_.outage_accept_max;
  return is_long_outage || !machine_.has_room() ? health_.reason : "";
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
  const auto needs_room = [&] { return !machine_.has_room() && !machine_.has(client_message_id); };
  while (reason.empty() && needs_room()) {
    const counted waiting(waiting_for_room_);
    co_await room_.wait();
    reason = hopeless_reason(net::now());
    if (reason.empty() && net::now() > deadline) reason = too_slow_reason;
  }
  if (!reason.empty()) co_return later(std::move(reason));

  waiting_sender sender(ex_);
  const std::uint64_t newest = machine_.own_messages().last_seq();
  const auto seq =
      machine_.add(std::move(room), std::move(client_message_id), std::move(text), net::now());
  if (!seq || *seq <= newest) ++health_.duplicates;
  if (!seq) {
    refused.reason = other_message_reason;
    co_return refused;
  }
  const registered_as<waiting_sender> registration(senders_, *seq, sender);
  settle();
  work_.notify_all();
  while (!sender.outcome) co_await sender.changed.wait();
  co_return std::move(*sender.outcome);
}

// Whatever the machine was told: what came out goes to whom it concerns.
void redis_log::pump() {
  rooms_.truncate(machine_.last_read().index);  // it may have left a branch
  tell_events();
  pass_on_reads();
  settle();
  watch_progress();
  heartbeat_.on_progress(machine_.beats_appended(), machine_.beats_echoed(), net::now());
  tell_state();
  announce();
}

void redis_log::settle() {
  for (settlement& each : machine_.take_settled()) {
    // None: its sender was cancelled.
    const auto [first, last] = senders_.equal_range(each.seq);
    for (auto sender = first; sender != last; ++sender) {
      sender->second->outcome = each.outcome;
      sender->second->changed.notify_all();
    }
  }
  if (!machine_.own_messages().has_undecided()) settled_.notify_all();
  if (machine_.has_room()) room_.notify_all();
}

void redis_log::pass_on_reads() {
  for (const read_effect& each : machine_.take_reads()) {
    if (const auto* batch = std::get_if<read_batch>(&each)) {
      for (const entry_ptr& one : batch->messages) {
        if (machine_.is_own(*one)) ++health_.appended;
      }
      subscriber_->on_entries(batch->messages);
    } else if (const auto* gap = std::get_if<read_gap>(&each)) {
      ++health_.gaps;
      subscriber_->on_gap(gap->from, gap->to);
    } else {
      const auto& fork = std::get<read_fork>(each);
      ++health_.forks;
      subscriber_->on_fork(fork.common, fork.from, fork.to);
    }
  }
}

void redis_log::tell_events() {
  using what = machine_event::what;
  for (const machine_event& each : machine_.take_events()) {
    const bool is_bad = each.kind == what::forked || each.kind == what::gap ||
                        each.kind == what::renamed || each.kind == what::warned;
    if (each.kind == what::renamed) ++health_.renamings;
    if (each.kind == what::recovered) ++health_.recoveries;
    if (each.kind == what::committed) ++health_.repairs;
    net::log(is_bad ? net::log_level::warn : net::log_level::info, "log", word_of(each.kind),
             {{"app", options_.app}, {"detail", each.text}});
  }
}

void redis_log::tell_state() {
  const bool is_working = machine_.state() == log_state::open && machine_.reason().empty();
  if (is_working) {
    trouble_since_.reset();
    trouble_.clear();
  } else if (!trouble_since_) {
    trouble_since_ = net::now();
  }
  const std::string& reason = trouble_.empty() ? machine_.reason() : trouble_;
  const bool is_new = health_.state != machine_.state();
  if ((!is_new && health_.reason == reason) || health_.state == log_state::stopped) return;
  health_.state = machine_.state();
  health_.reason = reason;
  if (ended_.is_set()) return;  // connections that end now are no news
  // Before the first attach every new reason is told: it is what somebody has to mend.
  const bool is_news = machine_.identity().log_id.empty();
  if (is_new || is_news) {
    const bool is_bad = health_.state == log_state::refusing;
    net::log(is_bad ? net::log_level::error : net::log_level::info, "log", word_of(health_.state),
             {{"app", options_.app}, {"reason", reason}});
  }
  if (health_.state == log_state::refusing) stop_accepting();
  if (machine_.is_reading()) attached_.notify_all();
  room_.notify_all();
  subscriber_->on_state_change();
  if (is_new) was_ready_ = health().is_ready;  // the line above has said it
}

// Senders are told now: they may try again, here or elsewhere. What is in the outbox stays.
void redis_log::stop_accepting() {
  machine_.give_up_before(net::time_point::max(), health_.reason);
  settle();
  room_.notify_all();
}

// One line a minute: under load each append may trim.
void redis_log::tell_trimmed(const append_answer& appended) {
  health_.trimmed_early += appended.trimmed_early;
  const auto at = net::now();
  const bool is_due = !told_trimmed_at_ || at - *told_trimmed_at_ >= trimmed_told_interval;
  if (health_.trimmed_early == told_trimmed_ || !is_due) return;
  net::log(net::log_level::warn, "log",
           "Redis is out of memory: the oldest entries went before their time; raise its maxmemory "
           "or lower --retained-bytes",
           {{"app", options_.app},
            {"entries", std::to_string(health_.trimmed_early - told_trimmed_)},
            {"log_bytes", std::to_string(appended.bytes)},
            {"retained_bytes", std::to_string(machine_.retained_bytes())}});
  told_trimmed_at_ = at;
  told_trimmed_ = health_.trimmed_early;
}

// A change that the state does not show: appends fail, or the node is deaf or behind.
void redis_log::announce() {
  const bool is_ready = health().is_ready;
  if (is_ready == was_ready_) return;
  was_ready_ = is_ready;
  if (is_ready) {
    net::log(net::log_level::info, "log", "ready", {{"app", options_.app}});
  } else {
    std::string reason = health_.reason.empty() ? health_.reader_reason : health_.reason;
    if (reason.empty()) {
      reason = asked_at_          ? "Redis does not answer"
               : health_.is_paced ? "behind the log, and clients take what it holds slowly"
                                  : "what is in the log does not come to this node";
    }
    net::log(net::log_level::info, "log", "not ready",
             {{"app", options_.app}, {"reason", std::move(reason)}});
  }
  subscriber_->on_state_change();
}

void redis_log::watch_progress() {
  if (machine_.last_read().index < std::min(milestone_, machine_.top())) return;
  milestone_ = machine_.top();
  milestone_at_ = net::now();
}

// Since this reader connected.
bool redis_log::is_hearing(net::time_point at) const {
  const auto age = heartbeat_.echo_age(at);
  if (!age || !reading_since_) return false;
  return heartbeat_.is_echo_recent(at) && at - *age >= *reading_since_;
}

// A backlog over a slow link: own heartbeats come behind it, and nobody is deaf. What a reader gets
// that waits in vain is far less.
void redis_log::watch_arrival(net::time_point at) {
  constexpr std::uint64_t bytes_min = 1'024;  // between two looks
  const std::uint64_t bytes = reader_ ? reader_->bytes_moved() : 0;
  const std::uint64_t index = machine_.last_read().index;
  const bool has_moved = index > arrived_index_ || bytes >= arrived_bytes_ + bytes_min;
  is_arriving_ = reader_ && (has_moved || health_.is_paced);
  arrived_bytes_ = bytes;
  arrived_index_ = index;
  if (is_arriving_) heartbeat_.on_arriving(at);
}

asio::awaitable<void> redis_log::watch() {
  for (;;) {
    co_await net::sleep_for(options_.heartbeat_interval / watch_rounds_per_interval);
    const auto at = net::now();
    watch_arrival(at);
    if (reader_ && commands_ && heartbeat_.is_echo_overdue(at)) {
      // Deaf or mute, and TCP does not know it (H12).
      net::log(net::log_level::warn, "log", "own heartbeat did not come back: reconnecting",
               {{"app", options_.app}});
      machine_.on_echo_overdue();
      commands_->close();
      reader_->close();
    }
    machine_.give_up_before(at - options_.append_wait_max,
                            "not in the log in time: send it again with the same id");
    settle();
    room_.notify_all();
    announce();
  }
}

const log_health& redis_log::health() const {
  const auto at = net::now();
  health_.log_id = machine_.identity().log_id;
  health_.epoch = machine_.identity().epoch;
  health_.last_read = machine_.last_delivered();
  health_.top_index = machine_.top();
  health_.echo_age = heartbeat_.echo_age(at);
  health_.outbox_entries = machine_.own_messages().size();
  health_.outbox_bytes = machine_.own_messages().bytes();
  health_.outbox_undecided = machine_.own_messages().undecided();
  health_.undelivered = machine_.undelivered();
  health_.replay_entries = machine_.replay().size();
  health_.replay_bytes = machine_.replay().bytes();
  health_.replay_low = machine_.replay().low();
  health_.known_nodes = machine_.known_holders().heard_of().size();
  health_.restored = machine_.restored();
  health_.do_appends_fail = machine_.is_refused_by_answer();
  const std::uint64_t top = machine_.top();
  health_.log_entries = top > 0 ? top + 1 - std::min(machine_.floor(), top + 1) : 0;
  health_.log_bytes = machine_.log_bytes();
  health_.retained_bytes = machine_.retained_bytes();
  const auto age_of = [at](const std::optional<net::time_point>& since) {
    std::optional<std::chrono::milliseconds> age;
    if (since) age = std::chrono::duration_cast<std::chrono::milliseconds>(at - *since);
    return age;
  };
  health_.trouble_age = age_of(trouble_since_);
  health_.unanswered = age_of(asked_at_);
  health_.behind_age.reset();
  const bool is_behind = machine_.last_read().index < std::min(milestone_, machine_.top());
  if (is_behind && at - milestone_at_ > options_.heartbeat_interval * heartbeat::intervals_max)
    health_.behind_age = age_of(milestone_at_);
  health_.is_arriving = is_arriving_;
  health_.is_echo_missing = machine_.beats_appended() > machine_.beats_echoed();
  health_.is_ready = health_.state == log_state::open && health_.reason.empty() && is_hearing(at) &&
                     !health_.behind_age;
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
