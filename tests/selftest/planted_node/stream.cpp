#include "tests/selftest/planted_node/stream.h"

#include <chrono>
#include <string_view>
#include <utility>

#include "net/async/log.h"
#include "net/async/task_group.h"

namespace ordeal::planted {
namespace {

constexpr std::chrono::milliseconds command_limit(1'000);
constexpr std::chrono::milliseconds block_time(1'000);

// As Redis writes it: every index is an entry's first number, its second is 0.
std::optional<log_index> index_of(std::string_view id) {
  return parse_index(id.substr(0, id.find('-')));
}

std::optional<entry> parse_entry(net::redis::reply_view row) {
  const auto index = index_of(row[0].text());
  if (!index) return std::nullopt;
  entry parsed;
  parsed.index = *index;
  const auto fields = row[1];
  for (std::size_t i = 0; i + 1 < fields.size(); i += 2) {
    const std::string_view name = fields[i].text();
    const std::string value(fields[i + 1].text());
    if (name == "room") parsed.room = value;
    if (name == "sender") parsed.sender = value;
    if (name == "id") parsed.message_id = value;
    if (name == "text") parsed.text = value;
  }
  return parsed;
}

std::vector<entry> parse_entries(net::redis::reply_view rows) {
  std::vector<entry> entries;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    auto parsed = parse_entry(rows[i]);
    if (parsed) entries.push_back(std::move(*parsed));
  }
  return entries;
}

}  // namespace

stream::stream(asio::any_io_executor ex, net::redis::connection_options options, std::string key,
               bug& planted)
    : ex_(ex),
      options_(options),
      key_(std::move(key)),
      planted_(planted),
      append_script_(planted.append_script()),
      calls_(ex, std::move(options), planted),
      stopped_(ex) {}

asio::awaitable<void> stream::run(stream_subscriber& subscriber) {
  net::task_group loops(ex_);
  loops.spawn("reader", read_loop(subscriber));
  loops.spawn("calls", calls_.run());
  co_await loops.join();
}

void stream::stop() {
  stopped_.set();
  calls_.stop();
  if (reader_) reader_->close();
}

asio::awaitable<void> stream::read_loop(stream_subscriber& subscriber) {
  while (!stopped_.is_set()) {
    auto opened = co_await net::redis::connect(options_);
    if (opened.opened && !stopped_.is_set()) {
      if (position_) {
        if (!planted_.on_reconnected(redis_role::reader)) break;
        co_await planted_.after_reconnect(options_);
      }
      reader_ = std::move(opened.opened);
      is_reader_lost_ = false;
      co_await read_until_error(subscriber);
      is_reader_lost_ = true;
      reader_.reset();
      if (!stopped_.is_set()) planted_.on_lost(redis_role::reader);
    } else {
      net::log(net::log_level::warn, "planted", "cannot connect to Redis",
               {{"reason", opened.ec.message()}, {"detail", opened.detail}});
    }
    co_await planted_.wait_to_retry(stopped_);
  }
  is_reader_lost_ = false;  // a node that stopped reading on purpose does not tell
}

asio::awaitable<bool> stream::find_end() {
  net::redis::request last;
  last.add({"XREVRANGE", key_, "+", "-", "COUNT", "1"});
  auto result = co_await reader_->exec(last, command_limit);
  if (result.ec || result.replies[0]->is_error()) co_return false;
  const auto entries = parse_entries(result.replies[0].view());
  position_ = entries.empty() ? 0 : entries.front().index;
  planted_.on_started(*position_);
  co_return true;
}

asio::awaitable<void> stream::read_until_error(stream_subscriber& subscriber) {
  if (!position_) {
    const bool is_found = co_await find_end();
    if (!is_found) co_return;
  }
  const std::string block = std::to_string(block_time.count());
  for (;;) {
    const std::string after = std::to_string(*position_) + "-0";
    net::redis::request next;
    next.add({"XREAD", "COUNT", "256", "BLOCK", block, "STREAMS", key_, after});
    auto result = co_await reader_->exec(next, block_time + command_limit);
    if (result.ec || result.replies[0]->is_error() || stopped_.is_set()) co_return;
    auto batch = parse_entries(result.replies[0].view()[0][1]);
    if (!batch.empty()) position_ = batch.back().index;
    subscriber.on_entries(std::move(batch));
  }
}

asio::awaitable<append_result> stream::append(entry what) {
  std::vector<std::string> arguments = {"EVAL", append_script_,    "3",
                                        key_,   key_ + ":counter", key_ + ":known"};
  arguments.insert(arguments.end(), {what.message_id, what.room, what.sender, what.text});
  const auto outcome = co_await calls_.call(std::move(arguments));
  append_result result;
  result.status = outcome.status;
  result.reason = outcome.reason;
  if (outcome.status != call_status::answered) co_return result;
  const auto answer = outcome.answer.view();
  result.index = parse_index(answer.text());
  if (!result.index) result.reason = std::string(answer.text());
  result.is_retryable = net::redis::classify(answer) == net::redis::reply_class::retryable;
  co_return result;
}

asio::awaitable<range_result> stream::range(log_index from, log_index to) {
  std::vector<std::string> arguments = {"XRANGE", key_, std::to_string(from), std::to_string(to)};
  const auto outcome = co_await calls_.call(std::move(arguments));
  range_result result;
  result.reason = outcome.reason;
  if (outcome.status != call_status::answered) co_return result;
  const auto answer = outcome.answer.view();
  result.is_ok = answer.is_array();
  if (result.is_ok) result.entries = parse_entries(answer);
  if (answer.is_error()) result.reason = std::string(answer.text());
  co_return result;
}

}  // namespace ordeal::planted
