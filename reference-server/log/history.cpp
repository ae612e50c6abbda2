// Old messages for clients that resume: from memory where possible, else from Redis over the
// command connection.
#include <algorithm>

#include "reference-server/log/redis_log.h"

namespace ordeal::chat {

asio::awaitable<net::redis::exec_result> redis_log::ask(net::redis::request what) {
  net::redis::exec_result unavailable;
  unavailable.ec = net::redis::make_error_code(net::redis::errc::closed);
  if (!is_attached_ || stop_.is_set()) co_return unavailable;
  const auto asked = std::make_shared<query>(ex_, std::move(what));
  queries_.push_back(asked);
  work_.notify_all();
  co_await asked->answered.wait();
  co_return std::move(asked->result);
}

asio::awaitable<range_result> redis_log::range(cursor after, position upto, std::string room) {
  range_result result;
  if (identity_.log_id.empty()) co_return result;
  result.status = range_status::unknown_log;
  if (after.log_id != identity_.log_id) co_return result;
  result.status = range_status::future;
  if (after.at > upto) co_return result;
  result.status = range_status::ok;
  position reached = after.at;
  while (result.status == range_status::ok && reached.index < upto.index) {
    if (replay_.covers(reached.index)) {
      replay_.collect(reached.index, upto.index, room, result.entries);
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
  auto what = wire_.range(after, upto);
  const auto reply = co_await ask(std::move(what));
  if (reply.ec) co_return range_status::unavailable;
  const read_answer answer = log_wire::parse_range(reply.replies);
  if (answer.error.is_set() || answer.has_foreign_entry) co_return range_status::unavailable;
  if (answer.log_id != identity_.log_id) co_return range_status::unavailable;
  if (after.index + 1 < answer.floor) co_return range_status::trimmed;
  for (const entry_ptr& each : answer.entries) {
    if (each->at.index != after.index + 1) co_return range_status::unavailable;
    after = each->at;
    if (each->kind == entry_kind::message && each->room == room) into.push_back(each);
  }
  if (answer.entries.empty()) co_return range_status::unavailable;
  co_return range_status::ok;
}

asio::awaitable<range_status> redis_log::check_cursor(cursor at) {
  if (identity_.log_id.empty()) co_return range_status::unavailable;
  if (at.log_id != identity_.log_id) co_return range_status::unknown_log;
  if (at.at.index + 1 < floor_) co_return range_status::trimmed;
  if (at.at <= last_->at) co_return range_status::ok;
  // Ahead of this node, which may only be a little late (H16).
  auto what = wire_.meta();
  const auto reply = co_await ask(std::move(what));
  if (reply.ec) co_return range_status::unavailable;
  const read_answer answer = log_wire::parse_meta(reply.replies);
  if (answer.error.is_set()) co_return range_status::unavailable;
  if (answer.log_id != identity_.log_id) co_return range_status::unknown_log;
  const bool is_written = at.at.epoch == identity_.epoch && at.at.index <= answer.top;
  if (is_written) co_return range_status::ok;
  co_return range_status::future;
}

}  // namespace ordeal::chat
