#include "reference-server/hub/subscriptions.h"

#include <boost/json.hpp>
#include <utility>

#include "net/hub/codec.h"
#include "reference-server/hub/records.h"
#include "reference-server/hub/reset_reason.h"

namespace ordeal::chat {

struct subscriptions::joining {
  std::string invocation_id;
  place mine;
  cursor given;   // by the client, who holds it until a message brings another
  cursor at;      // the client has everything of the room up to here, or it is in its queue
  position seen;  // up to where it has seen a lost branch
  bool is_completed = false;
};

subscriptions::place subscriptions::open_place(const std::string& room_name) {
  const auto mine = std::make_shared<membership>(client_, room_name);
  const auto known = places_.find(room_name);
  if (known != places_.end()) {
    context_.rooms.leave(*known->second);
    known->second = mine;
    return mine;
  }
  if (places_.size() >= context_.limits.rooms_per_client_max) return nullptr;
  places_.emplace(room_name, mine);
  return mine;
}

bool subscriptions::is_current(const place& mine) const {
  const auto known = places_.find(mine->room_name());
  return known != places_.end() && known->second == mine;
}

asio::awaitable<void> subscriptions::join(std::string invocation_id, join_call wanted) {
  joining join;
  join.invocation_id = std::move(invocation_id);
  join.mine = open_place(wanted.room);
  if (!join.mine) {
    fail(join, "refused: a client may be in " +
                   std::to_string(context_.limits.rooms_per_client_max) + " rooms at most");
    co_return;
  }
  const log_health& health = context_.log.health();
  if (health.log_id.empty()) {
    fail(join, "retry: this node has not reached its log yet");
    co_return;
  }
  if (!wanted.cursor) {
    go_live(join, health.last_read, health.last_read);
    co_return;
  }
  const auto parsed = parse_cursor(*wanted.cursor);
  if (!parsed) {
    reset(join, reset_cause::unknown_log, "the cursor is not one of this server", lost_range());
    co_return;
  }
  join.at = join.given = *parsed;
  bool is_going_on = true;
  while (is_going_on) is_going_on = co_await advance(join);
}

subscriptions::next subscriptions::look(joining& join) {
  const cursor_place where = context_.log.place_of(join.at);
  if (where.status != range_status::ok) {
    give_up(join, where);
    return next::nothing;
  }
  if (where.is_ahead) return next::wait_for_node;
  if (where.from != join.at.at) {
    // A lost branch that this node has seen, too: it knows what the client has of it.
    join.seen = join.at.at;
    join.at.at = where.from;
  }
  const position last_read = context_.log.health().last_read;
  if (join.at.at != last_read) return next::read;
  go_live(join, join.is_completed ? last_read : join.given.at, last_read);
  return next::nothing;
}

asio::awaitable<bool> subscriptions::advance(joining& join) {
  const next first = look(join);
  if (first == next::nothing) co_return false;
  if (first == next::wait_for_node) co_return co_await wait_for_node(join);
  join.mine->is_replaying = true;
  net::turnstile::place mine(turns_);
  co_await mine.wait();
  do {
    co_await client_.wait_for_room();
    co_await context_.replays.pass();
  } while (!client_.has_room());
  if (is_superseded(join)) co_return false;
  // The log may stand elsewhere by now.
  const next after_waiting = look(join);
  if (after_waiting != next::read) co_return after_waiting != next::nothing;
  co_return co_await read_step(join);
}

asio::awaitable<bool> subscriptions::read_step(joining& join) {
  const position last_read = context_.log.health().last_read;
  const std::size_t bytes_max = context_.limits.replay_step_bytes();
  const range_result read =
      co_await context_.log.range(join.at, last_read, join.mine->room_name(), bytes_max);
  if (is_superseded(join)) co_return false;
  if (read.status != range_status::ok) {
    cursor_place lost;
    lost.status = read.status;
    give_up(join, lost);
    co_return false;
  }
  const auto started = net::now();
  complete(join, join.given.at);
  join.at.at = read.reached;
  const bool is_going_on = queue_replayed(join, read.entries);
  context_.replays.spend(started, net::now());
  co_return is_going_on;
}

bool subscriptions::is_superseded(joining& join) {
  if (is_current(join.mine)) return false;
  fail(join, "retry: superseded by a later Join or Leave of this room");
  return true;
}

// The client has seen more of the log than this node (docs/log-protocol.md, H16): if the log agrees, it
// gets only what is new to it once this node has caught up.
asio::awaitable<bool> subscriptions::wait_for_node(joining& join) {
  const cursor_place where = co_await context_.log.check_cursor(join.at);
  if (is_superseded(join)) co_return false;
  if (where.status != range_status::ok) {
    give_up(join, where);
    co_return false;
  }
  if (join.at.at < context_.log.health().last_read) co_return true;
  go_live(join, join.at.at, join.at.at);
  co_return false;
}

// False when the client is cut off.
bool subscriptions::queue_replayed(joining& join, const std::vector<entry_ptr>& entries) {
  context_.flush.mark(client_);
  for (const auto& missed : entries) {
    if (membership::has_seen(*missed, join.seen)) continue;
    auto record = context_.ledger.keep(message_record(*missed, join.at.log_id));
    if (!client_.queue.push(std::move(record))) return false;
    ++context_.count.replayed;
    ++context_.count.deliveries;
  }
  return true;
}

void subscriptions::go_live(joining& join, position told, position from) {
  join.mine->start(from, join.seen);
  context_.rooms.enter(*join.mine);
  complete(join, told);
}

void subscriptions::reset(joining& join, reset_cause cause, std::string_view reason,
                          const lost_range& lost) {
  ++context_.count.resets[cause];
  client_.send(reset_record(join.mine->room_name(), reason, lost));
  context_.rooms.leave(*join.mine);
  join.seen = {};
  const position last_read = context_.log.health().last_read;
  go_live(join, last_read, last_read);
}

void subscriptions::give_up(joining& join, const cursor_place& where) {
  if (where.status != range_status::unavailable) {
    const auto why = reason_of(where.status);
    lost_range lost;
    lost.log_id = join.at.log_id;
    lost.after = where.status == range_status::forked ? where.lost_from : join.at.at;
    if (where.status == range_status::forked) lost.upto = where.lost_to;
    if (where.status == range_status::trimmed) lost.upto = context_.log.health().last_read;
    reset(join, why.cause, why.text, lost);
  } else if (!join.is_completed) {
    fail(join, "retry: the log cannot be read at the moment");
  } else {
    client_.end_for_resume(end_cause::log_unavailable,
                           "the log cannot be read at the moment: resume with your cursor");
  }
}

void subscriptions::complete(joining& join, position at) {
  if (std::exchange(join.is_completed, true) || join.invocation_id.empty()) return;
  const boost::json::value result(format_cursor(context_.log.health().log_id, at));
  client_.send(net::hub::encode_completion_result(join.invocation_id, result));
}

// A client whose Join failed is in the room no more, whatever it was before.
void subscriptions::fail(joining& join, std::string_view error) {
  if (join.mine && is_current(join.mine)) leave(join.mine->room_name());
  if (std::exchange(join.is_completed, true) || join.invocation_id.empty()) return;
  client_.send(net::hub::encode_completion_error(join.invocation_id, error));
}

void subscriptions::leave(const std::string& room_name) {
  const auto known = places_.find(room_name);
  if (known == places_.end()) return;
  context_.rooms.leave(*known->second);
  places_.erase(known);
}

void subscriptions::leave_all() {
  for (const auto& [name, mine] : places_) context_.rooms.leave(*mine);
  places_.clear();
}

void subscriptions::on_gap(position to) {
  for (const auto& [name, mine] : places_) {
    if (mine->is_replaying) continue;  // finds out by itself, from where it is
    lost_range lost;
    lost.log_id = context_.log.health().log_id;
    lost.after = mine->after();
    lost.upto = to;
    ++context_.count.resets[reset_cause::gap];
    client_.send(
        reset_record(name, "this node could not read messages before they were trimmed", lost));
  }
}

void subscriptions::on_fork(position common, position to) {
  bool is_in_replay = false;
  for (const auto& [name, mine] : places_) {
    lost_range lost;
    lost.log_id = context_.log.health().log_id;
    if (common.index > 0) {
      lost.after = common;
      lost.upto = mine->after();
    }
    is_in_replay = is_in_replay || mine->is_replaying;
    if (!mine->leave_branch(common, to)) continue;
    if (common.index > 0) {
      client_.send(fork_record(name, "messages there are no longer in the log", lost));
    } else {
      ++context_.count.resets[reset_cause::fork];
      client_.send(reset_record(name, "the log was replaced by another one", lost));
    }
  }
  // What it was promised lies on the branch that is lost; its cursor says what it has.
  if (is_in_replay)
    client_.end_for_resume(end_cause::log_unavailable,
                           "the log has changed: resume with your cursor");
}

}  // namespace ordeal::chat
