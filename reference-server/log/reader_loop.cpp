// The reader connection: XREAD behind the last entry read; what comes goes to the machine, in log
// order.
#include "net/async/log.h"
#include "reference-server/log/entry_codec.h"
#include "reference-server/log/read_parts.h"
#include "reference-server/log/redis_log.h"

namespace ordeal::chat {
namespace {

constexpr unsigned failures_that_tell = 3;
constexpr std::size_t read_bytes_wanted = 1U << 20;

}  // namespace

asio::awaitable<void> redis_log::keep_reader() {
  backoff pause = make_backoff("reader");
  for (;;) {
    while (!machine_.is_reading()) co_await attached_.wait();
    auto options = connection_options("reader");
    auto opened = co_await net::redis::connect(std::move(options));
    if (opened.opened) {
      reader_ = std::move(opened.opened);
      const bool is_same = co_await is_same_server();
      if (is_same) {
        has_read_ = false;
        co_await read();
        if (has_read_) pause.reset();  // or who may not read would ask without end
      }
      reader_.reset();
      reading_since_.reset();
      ++health_.reconnects;
    } else {
      on_reader_trouble("cannot connect: " +
                        (opened.detail.empty() ? opened.ec.message() : opened.detail));
    }
    const auto duration = pause.next();
    co_await net::sleep_for(duration);
  }
}

// This connection may have ended up at another Redis than the one that was attached to.
asio::awaitable<bool> redis_log::is_same_server() {
  const auto what = log_wire::identity();
  const auto result = co_await reader_->exec(what, options_.command_timeout);
  if (result.ec) co_return false;
  const std::string incarnation = log_wire::parse_incarnation(result.replies);
  co_return !incarnation.empty() && incarnation == machine_.identity().incarnation;
}

// Until the connection is closed, the log has moved to another server, or what comes is not the log
// that was read.
asio::awaitable<void> redis_log::read() {
  reading_since_ = net::now();
  heartbeat_.on_reconnect(net::now());
  work_.notify_all();
  const std::string incarnation = machine_.identity().incarnation;
  const auto limit = options_.block_time + options_.command_timeout;
  while (reader_->is_open() && machine_.is_reading() &&
         machine_.identity().incarnation == incarnation) {
    const std::size_t asked = read_count();
    const auto what = wire_.read(machine_.next_read(), options_.block_time, asked);
    const auto result = co_await reader_->exec(what, limit);
    if (ended_.is_set()) co_return;
    auto heard = take_read(result);
    if (!heard) co_return;
    const bool has_more = heard->entries.size() >= asked;
    const bool is_fine = co_await hand_over(std::move(*heard), has_more);
    if (!is_fine) co_return;
  }
}

// A backlog is read no faster than clients take it; what is up to date goes on at once.
asio::awaitable<bool> redis_log::hand_over(read_answer heard, bool has_more) {
  read_parts parts(std::move(heard), subscriber_->part_bytes_max());
  for (;;) {
    const read_answer part = parts.take();
    if (!hand_over_part(part)) co_return false;
    if (parts.is_empty() && !has_more) co_return true;
    health_.is_paced = true;
    co_await subscriber_->wait_for_clients();
    health_.is_paced = false;
    if (parts.is_empty()) co_return true;
  }
}

// Between two parts the machine may have left the log that they are of: it says so.
bool redis_log::hand_over_part(const read_answer& part) {
  const bool is_fine = machine_.on_read(part);
  if (is_fine) {
    for (const entry_ptr& each : part.entries) rooms_.note(*each);
  }
  const bool is_beat_due = heartbeat_.on_read(bytes_of(part.entries), net::now());
  if (is_beat_due || machine_.has_command()) work_.notify_all();
  pump();
  return is_fine;
}

std::size_t redis_log::read_count() const {
  return std::min(read_window_.size(), next_read_count_);
}

// XREAD bounds entries and not bytes, and what comes next may be of another size: it begins small, and
// more is asked for as long as that much came, up to what fits well into the queues of clients.
void redis_log::learn_sizes(std::size_t entries, std::size_t bytes) {
  const std::size_t asked = read_count();
  if (entries < asked) {
    next_read_count_ = read_count_first;
    return;
  }
  if (asked == read_window_.size()) read_window_.on_passed();
  const std::size_t fitting = read_bytes_wanted / std::max<std::size_t>(bytes / entries, 1);
  next_read_count_ = std::clamp<std::size_t>(std::min(2 * asked, fitting), 1, read_count_max);
}

// A reply that Redis cannot hold ends the connection, again and again.
std::string redis_log::why_not_read(const net::error_code& ec) {
  const bool is_closed = ec == net::redis::make_error_code(net::redis::errc::closed);
  if (!is_closed || read_window_.failures_at_least() < failures_that_tell) return ec.message();
  return "Redis closes the connection before a single entry has come: raise its "
         "client-output-buffer-limit of the class normal";
}

// One line for each new reason.
void redis_log::on_reader_trouble(std::string why) {
  if (why == health_.reader_reason) return;
  health_.reader_reason = std::move(why);
  net::log(net::log_level::warn, "log", "cannot read",
           {{"app", options_.app}, {"reason", health_.reader_reason}});
}

// Nothing when the connection is of no more use.
std::optional<read_answer> redis_log::take_read(const net::redis::exec_result& result) {
  if (result.ec) {
    // With nothing to read it was not too much that was asked for.
    const bool has_backlog = machine_.top() > machine_.last_read().index;
    if (has_backlog) read_window_.on_failed(read_count());
    on_reader_trouble(why_not_read(result.ec));
    return std::nullopt;
  }
  auto heard = wire_.parse_read(result.replies);
  if (heard.error.is_set()) {
    on_reader_trouble("Redis answers: " + heard.error.text);
    return std::nullopt;
  }
  health_.reader_reason.clear();
  has_read_ = true;
  learn_sizes(heard.answer.entries.size(), bytes_of(heard.answer.entries));
  return std::move(heard.answer);
}

}  // namespace ordeal::chat
