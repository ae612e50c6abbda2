// Old messages for clients that resume: from memory where possible, else from Redis over the
// command connection.
#include <algorithm>

#include "reference-server/log/entry_codec.h"
#include "reference-server/log/read_parts.h"
#include "reference-server/log/redis_log.h"

namespace ordeal::chat {
namespace {

// Of one read between two appends: live messages come first.
constexpr std::size_t history_bytes_wanted = 64U << 10;
constexpr std::size_t history_count_max = 128;
// The pause after it: together they take a third of the way to Redis, less when that is crowded.
constexpr int history_pause_per_cost = 2;
constexpr std::chrono::milliseconds history_pause_max{20};

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
  // What was found is not kept while others have their turns.
  while (result.status == range_status::ok && result.entries.empty()) {
    skip_others(upto, room, result);
    if (result.reached.index >= upto.index) break;
    const replay_buffer& held = machine_.replay();
    if (held.covers(result.reached.index) && upto.index < held.end()) {
      collect_from_memory(upto, room, bytes_max, result);
    } else {
      result.status = co_await collect_from_redis(upto, room, bytes_max, result);
    }
  }
  if (result.status != range_status::ok) result.entries.clear();
  co_return result;
}

// To just before the next entry that may be of the room.
void redis_log::skip_others(position upto, const std::string& room, range_result& into) const {
  const std::uint64_t first = rooms_.first(into.reached.index, upto.index, room);
  if (first == into.reached.index + 1) return;
  if (first == 0) {
    into.reached = upto;
    return;
  }
  const epoch_chain& chain = machine_.chain();
  const std::uint64_t epoch = chain.epoch_at(first - 1);
  into.reached = position{epoch > 0 ? epoch : chain.epoch_at(first), first - 1};
}

void redis_log::collect_from_memory(position upto, const std::string& room, std::size_t bytes_max,
                                    range_result& into) const {
  std::size_t bytes = 0;
  for (std::uint64_t index = into.reached.index;;) {
    index = rooms_.first(index, upto.index, room);
    if (index == 0) break;
    const entry_ptr each = machine_.replay().at(index);
    if (each->kind != entry_kind::message || each->room != room) continue;
    into.entries.push_back(each);
    into.reached = each->at;
    bytes += entry_bytes(*each);
    if (bytes >= bytes_max) return;
  }
  into.reached = upto;
}

// One chunk. After it there is a pause: live messages go the same way.
asio::awaitable<range_status> redis_log::collect_from_redis(position upto, const std::string& room,
                                                            std::size_t bytes_max,
                                                            range_result& into) {
  net::turnstile::place mine(history_turns_);
  co_await mine.wait();
  while (net::now() < history_due_) co_await net::sleep_for(history_due_ - net::now());
  // Others have found out more while this one waited.
  skip_others(upto, room, into);
  if (into.reached.index >= upto.index) co_return range_status::ok;
  const std::size_t asked = history_count(upto, room, into.reached);
  auto what = wire_.range(into.reached, upto, asked);
  const auto started = net::now();
  ++health_.history_reads;
  const auto reply = co_await ask(std::move(what));
  if (reply.ec) next_history_count_ = std::max<std::size_t>(next_history_count_ / 2, 1);
  if (reply.ec) co_return range_status::unavailable;
  const auto heard = log_wire::parse_range(reply.replies);
  if (heard.error.is_set()) co_return range_status::unavailable;
  learn_history_sizes(asked, heard.answer.entries);
  const auto status = take_history(heard.answer, room, bytes_max, into);
  const auto ended = net::now();
  history_due_ = ended + std::min<net::nanoseconds>(history_pause_per_cost * (ended - started),
                                                    history_pause_max);
  co_return status;
}

// As many as fit, up to the last that may be of the room.
std::size_t redis_log::history_count(position upto, const std::string& room, position after) const {
  const std::size_t most = std::min(next_history_count_, read_window_.size());
  const std::uint64_t end = std::min(upto.index, after.index + most);
  return static_cast<std::size_t>(rooms_.last(after.index, end, room) - after.index);
}

range_status redis_log::take_history(const read_answer& found, const std::string& room,
                                     std::size_t bytes_max, range_result& into) {
  if (found.has_foreign_entry || found.entries.empty()) return range_status::unavailable;
  if (found.log_id != machine_.identity().log_id) return range_status::unavailable;
  if (into.reached.index + 1 < found.floor) return range_status::trimmed;
  std::size_t bytes = 0;
  for (const entry_ptr& each : found.entries) {
    if (each->at.index != into.reached.index + 1) return range_status::unavailable;
    into.reached = each->at;
    rooms_.note(*each);
    if (each->kind != entry_kind::message || each->room != room) continue;
    into.entries.push_back(machine_.with_earlier(each));
    bytes += entry_bytes(*each);
    if (bytes >= bytes_max) break;
  }
  return range_status::ok;
}

// As the reader does: it begins with few, and more as long as they are small.
void redis_log::learn_history_sizes(std::size_t asked, const std::vector<entry_ptr>& entries) {
  if (entries.empty() || asked < next_history_count_) return;
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
