// The command connection: attach before anything else, then batches, heartbeats and queries, one
// request at a time.
#include "net/async/log.h"
#include "net/async/random.h"
#include "reference-server/log/entry_codec.h"
#include "reference-server/log/redis_log.h"

namespace ordeal::chat {
namespace {

constexpr std::size_t log_id_length = 16;
// How long nodes that have read the log have to confirm a restarted Redis, before one that has not
// may do it (H10).
constexpr int confirm_intervals = 3;

std::string in_words(const net::error_code& ec, const std::string& detail) {
  return detail.empty() ? ec.message() : detail;
}

}  // namespace

asio::awaitable<void> redis_log::keep_commands() {
  backoff pause = make_backoff("commands");
  for (;;) {
    auto options = connection_options("commands");
    auto opened = co_await net::redis::connect(std::move(options));
    if (opened.opened) {
      commands_ = std::move(opened.opened);
      co_await serve(pause);
      commands_.reset();
      ++health_.reconnects;
    } else {
      on_commands_lost("cannot connect to Redis: " + in_words(opened.ec, opened.detail));
    }
    const auto duration = pause.next();
    co_await net::sleep_for(duration);
  }
}

// Until the connection is closed.
asio::awaitable<void> redis_log::serve(backoff& pause) {
  is_attached_ = false;
  heartbeat_.on_reconnect(net::now());
  while (commands_->is_open()) {
    const bool is_fine = co_await serve_once();
    if (!commands_->is_open()) break;
    if (!is_fine) {
      const auto duration = pause.next();
      co_await net::sleep_for(duration);
      continue;
    }
    pause.reset();
    const bool is_idle = queries_.empty() && is_attached_ && !outbox_.has_unsent();
    if (is_idle && net::now() < heartbeat_.next_due())
      co_await work_.wait_until(heartbeat_.next_due());
  }
  on_commands_lost(trouble_.empty() ? "the connection to Redis was lost" : trouble_);
}

// One round: what is due, each at most once. False when Redis is in trouble: pause before the next.
asio::awaitable<bool> redis_log::serve_once() {
  const bool is_beat_due = net::now() >= heartbeat_.next_due();
  if (!is_attached_ || is_beat_due) {
    attach_outcome outcome = co_await attach();
    if (outcome == attach_outcome::again) outcome = co_await attach();
    is_attached_ = outcome == attach_outcome::open;
    if (!is_attached_) {
      fail_queries();  // nobody knows for how long
      co_return false;
    }
  }
  if (!queries_.empty()) co_await answer_query();
  if (!commands_->is_open()) co_return false;
  if (!is_beat_due && !outbox_.has_unsent()) co_return true;
  const bool is_appended = co_await append_batch(is_beat_due);
  co_return is_appended;
}

asio::awaitable<redis_log::attach_outcome> redis_log::attach() {
  const entry_ptr compared = last_;  // the reader goes on meanwhile
  const auto what = wire_.attach(compared.get());
  const auto result = co_await commands_->exec(what, options_.command_timeout);
  if (result.ec) {
    on_commands_lost("Redis does not answer: " + result.ec.message());
    co_return attach_outcome::failed;
  }
  attach_answer found = log_wire::parse_attach(result.replies);
  if (found.error.is_set()) {
    if (found.error.kind == net::redis::reply_class::auth) commands_->close();
    on_commands_lost("Redis answers: " + found.error.text);
    co_return attach_outcome::failed;
  }
  log_history mine;
  mine.log_id = identity_.log_id;
  mine.last = compared;
  const bool has_waited = has_waited_for_history(found);
  attach_decision decision = decide_attach(found.server, found.log, mine, has_waited);
  switch (decision.step) {
    case attach_step::open:
      co_return enter_open(std::move(found));
    case attach_step::create: {
      const std::string log_id = net::random_id(log_id_length);
      auto change = wire_.create(log_id, found.server.incarnation);
      co_return co_await change_log(std::move(change), "log created");
    }
    case attach_step::adopt: {
      auto change = wire_.adopt(found.log, found.server.incarnation);
      co_return co_await change_log(std::move(change),
                                    "restarted Redis holds what was read: going on");
    }
    case attach_step::wait:
      set_state(log_state::connecting, std::move(decision.reason));
      break;
    case attach_step::refuse:
      set_state(log_state::refusing, std::move(decision.reason));
      break;
  }
  co_return attach_outcome::failed;
}

bool redis_log::has_waited_for_history(const attach_answer& found) {
  const bool is_unconfirmed =
      found.log.has_meta && found.log.incarnation != found.server.incarnation;
  if (!is_unconfirmed) {
    unconfirmed_since_.reset();
    return false;
  }
  if (!unconfirmed_since_) unconfirmed_since_ = net::now();
  return net::now() - *unconfirmed_since_ > options_.heartbeat_interval * confirm_intervals;
}

redis_log::attach_outcome redis_log::enter_open(attach_answer found) {
  if (!outbox_.on_watermark(found.log.own_seq)) {
    set_state(log_state::refusing, "Redis no longer knows messages that this node has appended");
    return attach_outcome::failed;
  }
  if (last_ == nullptr) {
    // A joiner starts at the top.
    last_ = found.log.tail;
    replay_.reset(last_->at.index);
  }
  identity_.log_id = found.log.log_id;
  identity_.epoch = found.log.epoch;
  identity_.incarnation = found.server.incarnation;
  floor_ = found.log.floor;
  health_.top_index = found.log.top.index;
  append_sha_ = std::move(found.append_sha);
  is_attached_ = true;
  set_state(log_state::open, "");
  return attach_outcome::open;
}

// A script that changes the log's meta, if it still is as it was found; then the attach is done
// again.
asio::awaitable<redis_log::attach_outcome> redis_log::change_log(net::redis::request change,
                                                                 std::string_view what) {
  const auto result = co_await commands_->exec(change, options_.command_timeout);
  if (result.ec) {
    on_commands_lost("Redis does not answer: " + result.ec.message());
    co_return attach_outcome::failed;
  }
  const auto answer = result.replies.front().view();
  if (answer.is_error()) {
    on_commands_lost("Redis answers: " + std::string(answer.text()));
    co_return attach_outcome::failed;
  }
  // 0: another node was quicker.
  if (answer.integer() == 1) net::log(net::log_level::info, "log", what, {{"app", options_.app}});
  co_return attach_outcome::again;
}

asio::awaitable<bool> redis_log::append_batch(bool has_beat) {
  const std::string beat = has_beat ? heartbeat_.make_beat(last_->at, net::now()) : std::string();
  const auto messages = outbox_.take_batch(options_.batch_entries_max);
  const auto what = wire_.append(append_sha_, identity_, beat, messages);
  const auto result = co_await commands_->exec(what, options_.command_timeout);
  if (result.ec) {
    outbox_.on_batch_lost();
    on_commands_lost("Redis does not answer: " + result.ec.message());
    co_return false;
  }
  auto answer = log_wire::parse_append(result.replies.front().view(), identity_.epoch, has_beat);
  co_return take_append_answer(std::move(answer), has_beat);
}

bool redis_log::take_append_answer(append_answer answer, bool has_beat) {
  if (answer.error.is_set() || answer.is_stale) {
    outbox_.on_batch_lost();
    is_attached_ = false;
    if (answer.is_stale) return true;
    on_append_error(answer.error);
    return false;
  }
  if (has_beat) heartbeat_.on_appended(net::now());
  trouble_since_.reset();
  trouble_.clear();
  floor_ = answer.floor;
  health_.top_index = answer.top.index;
  for (const entry_reply& each : answer.entries) {
    if (each.result == entry_result::known_client_id) ++health_.duplicates;
  }
  if (!answer.entries.empty()) ++health_.batches;
  position trimmed;
  trimmed.epoch = answer.top.epoch;
  trimmed.index = answer.floor;
  std::vector<settlement> settled;
  const bool is_ours = outbox_.on_replies(answer.entries, trimmed, settled);
  outbox_.on_stable(heartbeat_.stable_index());
  settle(settled);
  if (!is_ours) {
    is_attached_ = false;
    set_state(log_state::refusing, "Redis no longer knows messages that this node has appended");
  }
  return is_ours;
}

void redis_log::on_append_error(const wire_error& error) {
  using net::redis::reply_class;
  if (!trouble_since_) trouble_since_ = net::now();
  const std::string reason = "Redis answers: " + error.text;
  switch (error.kind) {
    case reply_class::ok:
    case reply_class::script_missing:
      return;  // the next attach loads the script
    case reply_class::retryable:
      if (trouble_ != reason) {
        net::log(net::log_level::warn, "log", "cannot append",
                 {{"app", options_.app}, {"reason", reason}});
      }
      trouble_ = reason;
      return;
    case reply_class::read_only:
    case reply_class::auth:
      // A new connection may find the new master, and reads the password file again.
      trouble_ = reason;
      commands_->close();
      return;
    case reply_class::fatal:
      set_state(log_state::refusing, reason);
      return;
  }
}

asio::awaitable<void> redis_log::answer_query() {
  const auto asked = queries_.front();
  queries_.pop_front();
  asked->result = co_await commands_->exec(asked->what, options_.command_timeout);
  asked->answered.set();
}

void redis_log::on_commands_lost(std::string reason) {
  if (!trouble_since_) trouble_since_ = net::now();
  trouble_ = reason;
  is_attached_ = false;
  outbox_.on_batch_lost();
  fail_queries();
  // Refusing is kept: that Redis is away as well changes nothing for the better.
  if (health_.state != log_state::refusing) set_state(log_state::connecting, std::move(reason));
}

void redis_log::fail_queries() {
  for (const auto& asked : queries_) {
    asked->result.ec = net::redis::make_error_code(net::redis::errc::closed);
    asked->answered.set();
  }
  queries_.clear();
}

}  // namespace ordeal::chat
