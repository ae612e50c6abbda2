#include "net/redis/master_watch.h"

#include "net/async/clock.h"
#include "net/async/deadline.h"
#include "net/async/log.h"
#include "net/async/task_group.h"
#include "net/redis/open_redis.h"
#include "net/redis/sentinel.h"

namespace ordeal::net::redis {
namespace {

// However the watcher ends, run() must hear of it.
class setting_at_end {
 public:
  explicit setting_at_end(stop_event& event) : event_(event) {}
  setting_at_end(const setting_at_end&) = delete;
  setting_at_end& operator=(const setting_at_end&) = delete;
  ~setting_at_end() { event_.set(); }

 private:
  stop_event& event_;
};

}  // namespace

master_watch::master_watch(asio::any_io_executor ex, connection_options options,
                           other_master on_other, std::chrono::milliseconds poll_interval)
    : ex_(ex),
      options_(std::move(options)),
      on_other_(std::move(on_other)),
      poll_interval_(poll_interval),
      jitter_(random_seed(), "master watch"),
      changed_(ex),
      stop_(ex) {
  auto& sentinel = options_.sentinel;
  if (!sentinel.memory) sentinel.memory = std::make_shared<sentinel_memory>(sentinel.places);
}

master_watch::~master_watch() = default;

void master_watch::stop() {
  stop_.set();
  changed_.notify_all();
  close();
}

void master_watch::set_current(server_address master) {
  current_ = std::move(master);
  has_news_ = true;  // it may have changed while nobody compared
  changed_.notify_all();
}

void master_watch::close() noexcept {
  if (asking_) asking_->close();
  if (listening_) listening_->close();
}

// The watcher is a child, so that a cancellation is never lost in its clean-up: stop_ stays set.
asio::awaitable<void> master_watch::run() {
  if (!options_.sentinel.is_set()) co_return;
  net::task_group watcher(ex_);
  watcher.spawn("watcher", keep_watching());
  std::exception_ptr failure;
  try {
    co_await stop_.wait();
  } catch (...) {
    failure = std::current_exception();  // this run was cancelled
  }
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  stop();
  watcher.cancel();
  co_await watcher.join();
  if (failure) std::rethrow_exception(failure);
}

// Moves on to the next sentinel whenever one fails; a pause after each keeps a dead set of them from being hammered.
asio::awaitable<void> master_watch::keep_watching() {
  const setting_at_end ended(stop_);
  std::size_t turn = 0;
  while (!stop_.is_set()) {
    const auto places = options_.sentinel.memory->order();
    const server_address sentinel = places[turn++ % places.size()];
    const bool is_open = co_await open(sentinel);
    if (is_open && !stop_.is_set()) co_await watch_through_one();
    close();
    asking_.reset();
    listening_.reset();
    if (!stop_.is_set()) co_await pause();
  }
}

asio::awaitable<void> master_watch::pause() {
  const auto part = std::chrono::duration<double, std::milli>(poll_interval_) / 4;
  const auto duration =
      std::chrono::duration_cast<std::chrono::milliseconds>(part * (0.5 + jitter_.unit()));
  co_await stop_.wait_for(duration);
}

asio::awaitable<bool> master_watch::open(const server_address& sentinel) {
  connect_stage reached = connect_stage::dialling;
  const auto limit = options_.connect_timeout;
  auto answer = co_await net::with_deadline(ask_sentinel(sentinel, options_, reached), limit);
  std::string why = timeout_words(reached);
  if (answer && answer->opened) {
    asking_ = std::move(answer->opened);
    options_.sentinel.memory->on_learned(std::move(answer->others));
    auto listener = co_await net::with_deadline(subscribe_to_switches(sentinel, options_), limit);
    if (listener) why = listener->detail;
    if (listener) listening_ = std::move(listener->opened);
  } else if (answer) {
    why = answer->detail;
  }
  if (asking_ && listening_) co_return true;
  net::log(net::log_level::debug, "redis", "cannot watch through this sentinel",
           {{"sentinel", to_text(sentinel)}, {"reason", why}});
  co_return false;
}

asio::awaitable<void> master_watch::watch_through_one() {
  is_lost_ = false;
  net::task_group children(ex_);
  children.spawn("listener", listen());
  std::exception_ptr failure;
  try {
    co_await poll();
  } catch (...) {
    failure = std::current_exception();  // cancelled
  }
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  close();
  co_await children.join();
  if (failure) std::rethrow_exception(failure);
  co_await asio::this_coro::reset_cancellation_state(asio::enable_terminal_cancellation());
}

// What is announced is only a reason to ask: a poll tells the same for every way to miss it.
asio::awaitable<void> master_watch::listen() {
  while (!is_lost_) {
    const auto messages = co_await listening_->receive();
    is_lost_ = messages.ec.failed();
    has_news_ = true;
    changed_.notify_all();
  }
}

// Until the sentinel fails, or is wrong.
asio::awaitable<void> master_watch::poll() {
  while (!is_lost_ && !stop_.is_set()) {
    has_news_ = false;
    request what;
    add_master_question(what, options_.sentinel.master_name);
    const auto result = co_await asking_->exec(what, options_.connect_timeout);
    if (result.ec) co_return;
    const auto master = parse_master_address(result.replies[0].view());
    if (!master) co_return;
    const bool is_believed = co_await take_master(*master);
    if (!is_believed) co_return;
    const auto due = net::now() + poll_interval_;
    while (!has_news_ && !is_lost_ && !stop_.is_set() && net::now() < due)
      co_await changed_.wait_until(due);
  }
}

// A sentinel that was cut off may name a demoted master for as long as it likes: the server is asked, too.
asio::awaitable<bool> master_watch::take_master(server_address master) {
  if (!current_ || master == *current_) co_return true;
  const open_result opened = co_await open_redis(master, options_, options_.connect_timeout);
  if (opened.ec) {
    net::log(net::log_level::debug, "redis", "another master is named, and is none",
             {{"master", to_text(master)}, {"reason", opened.detail}});
    co_return false;
  }
  if (!current_ || master == *current_ || stop_.is_set()) co_return true;  // it was found meanwhile
  net::log(net::log_level::info, "redis", "the master has changed",
           {{"from", to_text(*current_)}, {"to", to_text(master)}});
  current_ = master;
  on_other_(master);
  co_return true;
}

}  // namespace ordeal::net::redis
