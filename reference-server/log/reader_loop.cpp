// The reader connection: attach, then XREAD from the last entry read, and the subscriber gets what
// comes, in log order.
#include "net/async/log.h"
#include "reference-server/log/entry_codec.h"
#include "reference-server/log/read_sequence.h"
#include "reference-server/log/redis_log.h"

namespace ordeal::chat {

asio::awaitable<void> redis_log::keep_reader() {
  backoff pause = make_backoff("reader");
  for (;;) {
    while (health_.state != log_state::open) co_await attached_.wait();
    auto options = connection_options("reader");
    auto opened = co_await net::redis::connect(std::move(options));
    if (opened.opened) {
      reader_ = std::move(opened.opened);
      const bool is_attached = co_await attach_reader();
      if (is_attached) {
        pause.reset();
        co_await read();
      }
      reader_.reset();
      ++health_.reconnects;
    }
    const auto duration = pause.next();
    co_await net::sleep_for(duration);
  }
}

// The same check as on the command connection: this one may have ended up at another Redis.
// Whatever there is to decide or to change is left to the command connection.
asio::awaitable<bool> redis_log::attach_reader() {
  const entry_ptr compared = last_;
  const auto what = wire_.attach(compared.get());
  const auto result = co_await reader_->exec(what, options_.command_timeout);
  if (result.ec) co_return false;
  const attach_answer found = log_wire::parse_attach(result.replies);
  if (found.error.is_set()) co_return false;
  log_history mine;
  mine.log_id = identity_.log_id;
  mine.last = compared;
  const attach_decision decision = decide_attach(found.server, found.log, mine, false);
  co_return decision.step == attach_step::open;
}

// Until the connection is closed, or what comes is not the log that was read.
asio::awaitable<void> redis_log::read() {
  heartbeat_.on_reconnect(net::now());
  work_.notify_all();
  read_sequence sequence(last_->at);
  const auto limit = options_.block_time + options_.command_timeout;
  while (reader_->is_open() && health_.state != log_state::refusing) {
    const auto what = wire_.read(sequence.last(), options_.block_time);
    const auto result = co_await reader_->exec(what, limit);
    if (ended_.is_set()) co_return;
    if (result.ec) {
      net::log(net::log_level::warn, "log", "reader lost its connection",
               {{"app", options_.app}, {"reason", result.ec.message()}});
      co_return;
    }
    const bool is_fine = take_read_answer(log_wire::parse_read(result.replies), sequence);
    if (!is_fine) co_return;
  }
}

bool redis_log::take_read_answer(read_answer answer, read_sequence& sequence) {
  if (answer.error.is_set()) {
    net::log(net::log_level::warn, "log", "cannot read",
             {{"app", options_.app}, {"reason", answer.error.text}});
    return false;
  }
  if (answer.log_id != identity_.log_id) {
    // The next attach says what it is; nothing of it is delivered.
    is_attached_ = false;
    work_.notify_all();
    return false;
  }
  std::vector<entry_ptr> messages;
  std::vector<settlement> settled;
  std::size_t bytes = 0;
  bool is_fine = !answer.has_foreign_entry;
  for (const entry_ptr& each : answer.entries) {
    const std::uint64_t expected = sequence.last().index + 1;
    const read_step step = sequence.on_entry(each->at);
    if (step == read_step::fork) {
      is_fine = false;
      break;
    }
    if (step == read_step::gap) {
      if (!messages.empty()) subscriber_->on_entries(messages);
      messages.clear();
      replay_.reset(each->at.index - 1);
      subscriber_->on_gap("entries " + std::to_string(expected) + " to " +
                          std::to_string(each->at.index - 1) +
                          " were trimmed before this node could read them");
    }
    take_entry(each, settled);
    bytes += entry_bytes(*each);
    if (each->kind == entry_kind::message) messages.push_back(each);
  }
  outbox_.on_stable(heartbeat_.stable_index());
  if (heartbeat_.on_read(bytes, net::now())) work_.notify_all();
  if (!messages.empty()) subscriber_->on_entries(messages);
  settle(settled);
  announce();
  if (!is_fine) {
    is_attached_ = false;  // no append into a log that is not the one that was read
    set_state(log_state::refusing, "Redis gives entries after " + format_position(sequence.last()) +
                                       " that do not continue what this node has read");
  }
  return is_fine;
}

void redis_log::take_entry(const entry_ptr& each, std::vector<settlement>& settled) {
  last_ = each;
  if (each->kind == entry_kind::heartbeat) heartbeat_.on_entry(*each, net::now());
  if (each->kind != entry_kind::message) return;
  replay_.add(each);
  if (each->origin != wire_.origin()) return;
  ++health_.appended;
  outbox_.on_read(each->origin_seq, each->at, settled);
}

}  // namespace ordeal::chat
