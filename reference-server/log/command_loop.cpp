// The command connection: what the machine says, heartbeats and queries, one request at a time; appends
// one behind the other when more waits than one of them carries, so that the link is never idle.
#include "net/async/log.h"
#include "net/async/random.h"
#include "reference-server/log/entry_codec.h"
#include "reference-server/log/redis_log.h"

namespace ordeal::chat {
namespace {

constexpr unsigned closed_looks_that_tell = 3;

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
      master_watch_.set_current(opened.at);
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

// A demoted master answers as before, so nothing else would tell.
void redis_log::on_other_master(const net::redis::server_address& master) {
  net::log(net::log_level::info, "log", "the master is another server now: reconnecting",
           {{"app", options_.app}, {"master", net::redis::to_text(master)}});
  if (commands_) commands_->close();
  if (reader_) reader_->close();
}

// Until the connection is closed.
asio::awaitable<void> redis_log::serve(backoff& pause) {
  machine_.on_connected();
  limit_appends();
  trouble_.clear();
  heartbeat_.on_reconnect(net::now());
  while (commands_->is_open()) {
    const auto at = net::now();
    if (at >= heartbeat_.next_due()) {
      machine_.beat_due();
      heartbeat_.on_due(at);
    }
    if (asked_.empty() && !queries_.empty()) co_await answer_query();
    if (!commands_->is_open()) break;
    if (may_send()) {
      if (machine_.must_pause()) {
        const bool is_looking = machine_.state() == log_state::recovering;
        const auto duration = is_looking ? look_pause(options_) : pause.next();
        co_await net::sleep_for(duration);
        if (!commands_->is_open()) break;
      }
      co_await send_command();
    } else if (!asked_.empty()) {
      const bool has_appended = co_await hear_answer();
      // An attach that works says nothing of what is refused after it.
      if (has_appended) pause.reset();
    } else if (queries_.empty()) {
      co_await work_.wait_until(heartbeat_.next_due());
    }
  }
  on_commands_lost(trouble_.empty() ? "the connection to Redis was lost" : trouble_);
}

// Whoever asks something waits only for what is on its way already.
bool redis_log::may_send() const {
  if (!machine_.has_command()) return false;
  return asked_.empty() || (queries_.empty() && uplink_.has_room());
}

asio::awaitable<void> redis_log::send_command() {
  asked_command asked{machine_.next_command()};
  if (wire_.origin() != machine_.origin()) wire_.rename(machine_.origin());
  const auto request = wire_.make(asked.what);
  const auto at = net::now();
  if (asked.is_append()) uplink_.on_sent(request.bytes().size(), at);
  if (asked_.empty()) asked_at_ = at;
  asked_.push_back(std::move(asked));
  const auto ec = co_await commands_->send(request, options_.command_timeout);
  if (ec) on_unanswered(asked_.front().what, ec);
}

// Whether it was an append that worked.
asio::awaitable<bool> redis_log::hear_answer() {
  const auto result = co_await commands_->hear(options_.command_timeout);
  const asked_command asked = std::move(asked_.front());
  asked_.pop_front();
  asked_at_.reset();
  if (!asked_.empty()) asked_at_ = net::now();
  co_return take_answer(asked.what, result);
}

// By what the link carries; while there is none, what may be accepted is another matter.
void redis_log::limit_appends() {
  machine_.limit_batches(uplink_.batch_bytes());
  const bool is_open = machine_.state() == log_state::open;
  machine_.limit_waiting(is_open ? uplink_.bytes_within(options_.append_wait_max / 2) : SIZE_MAX);
}

void redis_log::on_unanswered(const command& asked, const net::error_code& ec) {
  const bool is_append = std::holds_alternative<append_command>(asked);
  uplink_.on_lost(is_append &&
                  ec == net::redis::make_error_code(net::redis::errc::command_timeout));
  trouble_ = "Redis does not answer: " + why_unanswered(asked, ec);
  commands_->close();
}

// What an attach asks for has the newest entry in it, and a reply that Redis cannot hold ends the connection.
std::string redis_log::why_unanswered(const command& asked, const net::error_code& ec) {
  const bool is_closed = ec == net::redis::make_error_code(net::redis::errc::closed);
  const bool is_look = std::holds_alternative<attach_command>(asked) ||
                       std::holds_alternative<report_command>(asked);
  closed_looks_ = is_closed && is_look ? closed_looks_ + 1 : 0;
  if (closed_looks_ < closed_looks_that_tell) return ec.message();
  return "it closes the connection before the newest entry has come: raise its "
         "client-output-buffer-limit of the class normal";
}

bool redis_log::take_answer(const command& asked, const net::redis::exec_result& result) {
  using net::redis::reply_class;
  if (result.ec) {
    on_unanswered(asked, result.ec);
    return false;
  }
  closed_looks_ = 0;
  if (std::holds_alternative<append_command>(asked)) uplink_.on_answered(net::now());
  const answer heard = wire_.parse(asked, result.replies);
  const auto* const appended = std::get_if<append_answer>(&heard);
  if (appended != nullptr) {
    if (!appended->entries.empty()) ++health_.batches;
    tell_trimmed(*appended);
    for (const entry_reply& each : appended->entries) {
      if (each.result == entry_result::known_client_id) ++health_.duplicates;
    }
  }
  machine_.on_answer(heard);
  limit_appends();
  const auto* const error = std::get_if<wire_error>(&heard);
  const auto* const attached = std::get_if<attach_answer>(&heard);
  const bool is_elsewhere = attached != nullptr && attached->server.is_replica;
  if (is_elsewhere || (error != nullptr && (error->kind == reply_class::auth ||
                                            error->kind == reply_class::read_only))) {
    // A new connection may find the new master, and reads the password file again.
    trouble_ = machine_.reason();
    commands_->close();
  }
  pump();
  return appended != nullptr && !appended->is_stale;
}

asio::awaitable<void> redis_log::answer_query() {
  const auto asked = queries_.front();
  queries_.pop_front();
  asked->result = co_await commands_->exec(asked->what, options_.command_timeout);
  asked->answered.set();
}

void redis_log::on_commands_lost(std::string reason) {
  machine_.on_connection_lost();
  asked_.clear();
  asked_at_.reset();
  uplink_.on_lost(false);
  limit_appends();
  trouble_ = std::move(reason);
  fail_queries();
  pump();
}

void redis_log::fail_queries() {
  for (const auto& asked : queries_) {
    asked->result.ec = net::redis::make_error_code(net::redis::errc::closed);
    asked->answered.set();
  }
  queries_.clear();
}

}  // namespace ordeal::chat
