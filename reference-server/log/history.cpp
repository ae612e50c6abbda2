// Old messages for clients that resume: from memory where possible, else from Redis over the
// command connection.
#include <algorithm>

#include "reference-server/log/entry_codec.h"
#include "reference-server/log/read_parts.h"
#include "reference-server/log/redis_log.h"

namespace ordeal::chat {
namespace {

// Of one read between two appends: live messages come first.
constexpr std::size_t history_bytes_wanted = 256U << 10;
constexpr std::size_t history_count_max = 128;

}  // namespace

asio::awaitable<net::redis::exec_result> redis_log::ask(net::redis::request what) {
  net::redis::exec_result unavailable;
  unavailable.ec = net::redis::make_error_code(net::redis::errc::closed);
  if (!machine_.is_reading() || stop_.is_set()) co_return unavailable;
  const auto asked = std::make_shared<query>(ex_, std::move(what));
  queries_.push_back(asked);
  work_.notify_all();
  co_await asked->answered.wait();
  co_return std::move(asked->result);
}

asio::awaitable<range_result> redis_log::range(cursor after, position upto, std::string room,
                                               std::size_t bytes_max) {
  range_result result;
  if (machine_.identity().log_id.empty()) co_return result;
  result.status = range_status::unknown_log;
  if (after.log_id != machine_.identity().log_id) co_return result;
  result.status = range_status::future;
  if (after.at > upto) co_return result;
  result.status = range_status::ok;
  result.reached = after.at;
  while (result.status == range_status::ok && result.reached.index < upto.index &&
         bytes_of(result.entries) < bytes_max) {
    const replay_buffer& held = machine_.replay();
    if (held.covers(result.reached.index) && upto.index < held.end()) {
      const std::size_t left = bytes_max - bytes_of(result.entries);
      const auto index = held.collect(result.reached.index, upto.index, room, result.entries, left);
      result.reached = index == upto.index ? upto : held.at(index)->at;
      break;
    }
    result.status = co_await collect_from_redis(upto, room, bytes_max, result);
  }
  if (result.status != range_status::ok) result.entries.clear();
  co_return result;
}

// One chunk.
asio::awaitable<range_status> redis_log::collect_from_redis(position upto, const std::string& room,
                                                            std::size_t bytes_max,
                                                            range_result& into) {
  net::turnstile::place mine(history_turns_);
  co_await mine.wait();
  const std::size_t asked = std::min(next_history_count_, read_window_.size());
  auto what = wire_.range(into.reached, upto, asked);
  const auto reply = co_await ask(std::move(what));
  if (reply.ec) co_return range_status::unavailable;
  const auto heard = log_wire::parse_range(reply.replies);
  if (heard.error.is_set()) co_return range_status::unavailable;
  learn_history_sizes(asked, heard.answer.entries);
  co_return take_history(heard.answer, room, bytes_max, into);
}

range_status redis_log::take_history(const read_answer& found, const std::string& room,
                                     std::size_t bytes_max, range_result& into) {
  if (found.has_foreign_entry || found.entries.empty()) return range_status::unavailable;
  if (found.log_id != machine_.identity().log_id) return range_status::unavailable;
  if (into.reached.index + 1 < found.floor) return range_status::trimmed;
  std::size_t bytes = bytes_of(into.entries);
  for (const entry_ptr& each : found.entries) {
    if (each->at.index != into.reached.index + 1) return range_status::unavailable;
    into.reached = each->at;
    if (each->kind != entry_kind::message || each->room != room) continue;
    into.entries.push_back(machine_.with_earlier(each));
    bytes += entry_bytes(*each);
    if (bytes >= bytes_max) break;
  }
  return range_status::ok;
}

// As the reader does: it begins with few, and more as long as they are small.
void redis_log::learn_history_sizes(std::size_t asked, const std::vector<entry_ptr>& entries) {
  if (entries.empty()) return;
  const std::size_t average = std::max<std::size_t>(bytes_of(entries) / entries.size(), 1);
  const std::size_t fitting = history_bytes_wanted / average;
  next_history_count_ = std::clamp<std::size_t>(std::min(2 * asked, fitting), 1, history_count_max);
}

cursor_place redis_log::place_of(const cursor& at) const {
  cursor_place place;
  if (machine_.identity().log_id.empty()) return place;
  place.status = range_status::unknown_log;
  if (at.log_id != machine_.identity().log_id) return place;
  return machine_.place_of(at.at);
}

// Ahead of this node, which may only be a little late (H16).
asio::awaitable<cursor_place> redis_log::check_cursor(cursor at) {
  cursor_place place = place_of(at);
  if (place.status != range_status::ok || !place.is_ahead) co_return place;
  place.status = range_status::unavailable;
  auto what = wire_.facts();
  const auto reply = co_await ask(std::move(what));
  if (reply.ec) co_return place;
  const auto found = log_wire::parse_facts(reply.replies);
  if (found.error.is_set()) co_return place;
  const log_facts& log = found.log;
  if (log.log_id != at.log_id) {
    place.status = range_status::unknown_log;
  } else if (log.state != "open") {
    place.status = range_status::unavailable;
  } else if (log.chain.holds(at.at, log.top)) {
    place.status = range_status::ok;
  } else if (log.tail != nullptr && at.at > log.tail->at) {
    place.status = range_status::future;
  } else {
    place.status = range_status::forked;
    place.lost_to = place.lost_from = at.at;
    if (const auto end = log.chain.end_of(at.at.epoch, log.top)) place.lost_from.index = *end + 1;
  }
  co_return place;
}

}  // namespace ordeal::chat
