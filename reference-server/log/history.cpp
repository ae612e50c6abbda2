// Old messages for clients that resume: from memory where possible, else from Redis over the
// command connection.
#include <algorithm>

#include "reference-server/log/redis_log.h"

namespace ordeal::chat {

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

asio::awaitable<range_result> redis_log::range(cursor after, position upto, std::string room) {
  range_result result;
  if (machine_.identity().log_id.empty()) co_return result;
  result.status = range_status::unknown_log;
  if (after.log_id != machine_.identity().log_id) co_return result;
  result.status = range_status::future;
  if (after.at > upto) co_return result;
  result.status = range_status::ok;
  position reached = after.at;
  while (result.status == range_status::ok && reached.index < upto.index) {
    const replay_buffer& held = machine_.replay();
    if (held.covers(reached.index) && upto.index < held.end()) {
      held.collect(reached.index, upto.index, room, result.entries);
      break;
    }
    result.status = co_await collect_from_redis(reached, upto, room, result.entries);
  }
  if (result.status != range_status::ok) result.entries.clear();
  co_return result;
}

// One chunk; `after` moves to its end.
asio::awaitable<range_status> redis_log::collect_from_redis(position& after, position upto,
                                                            const std::string& room,
                                                            std::vector<entry_ptr>& into) {
  auto what = wire_.range(after, upto, read_window_.size());
  const auto reply = co_await ask(std::move(what));
  if (reply.ec) co_return range_status::unavailable;
  const auto heard = log_wire::parse_range(reply.replies);
  const read_answer& found = heard.answer;
  if (heard.error.is_set() || found.has_foreign_entry) co_return range_status::unavailable;
  if (found.log_id != machine_.identity().log_id) co_return range_status::unavailable;
  if (after.index + 1 < found.floor) co_return range_status::trimmed;
  for (const entry_ptr& each : found.entries) {
    if (each->at.index != after.index + 1) co_return range_status::unavailable;
    after = each->at;
    if (each->kind == entry_kind::message && each->room == room)
      into.push_back(machine_.with_earlier(each));
  }
  if (found.entries.empty()) co_return range_status::unavailable;
  co_return range_status::ok;
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
