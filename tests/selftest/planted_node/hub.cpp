#include "tests/selftest/planted_node/hub.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <utility>

#include "net/async/clock.h"
#include "net/hub/codec.h"

namespace ordeal::planted {
namespace {

namespace json = boost::json;

std::string encode_message(const entry& what, bool has_cursor = true) {
  const std::string cursor = has_cursor ? std::to_string(what.index) : std::string();
  const json::array arguments = {what.room, cursor, what.message_id, what.text};
  return net::hub::encode_invocation("Message", arguments);
}

std::optional<std::string> text_argument(const net::hub::message& call, std::size_t index) {
  if (index >= call.arguments->size()) return std::nullopt;
  const json::value& value = (*call.arguments)[index];
  if (!value.is_string()) return std::nullopt;
  return std::string(value.get_string());
}

void answer(session& who, const std::string& invocation_id, log_index result) {
  if (invocation_id.empty()) return;
  const json::value cursor(std::to_string(result));
  who.push(net::hub::encode_completion_result(invocation_id, cursor));
}

void fail(session& who, const std::string& invocation_id, const std::string& error) {
  if (invocation_id.empty()) return;
  who.push(net::hub::encode_completion_error(invocation_id, error));
}

}  // namespace

hub::hub(asio::any_io_executor ex, std::string node_name, stream& log, bug& planted)
    : ex_(ex),
      node_name_(std::move(node_name)),
      plain_name_(node_name_ + '@' + std::to_string(net::now().time_since_epoch().count()) + '#'),
      log_(log),
      planted_(planted) {}

asio::awaitable<void> hub::serve(std::unique_ptr<net::websocket> ws) {
  const auto who = std::make_shared<session>(ex_, next_client_++, std::move(ws));
  co_await who->run(*this);
  leave_all(*who);
}

asio::awaitable<void> hub::handle(std::shared_ptr<session> who, const net::hub::message& call) {
  const std::string invocation_id(call.invocation_id);
  const auto room = text_argument(call, 0);
  const auto second = text_argument(call, 1);
  if (call.target == "Join" && room) {
    std::optional<log_index> cursor;
    if (second) cursor = parse_index(*second);
    if (second && !cursor) {
      fail(*who, invocation_id, "refused: the cursor is not one of this server");
      co_return;
    }
    co_await join(std::move(who), invocation_id, *room, cursor);
    co_return;
  }
  const auto text = text_argument(call, 2);
  if (call.target == "Send" && room && second && text) {
    entry what;
    what.room = *room;
    what.sender = name_of(*who);
    // Plain clients give none; each of their calls is another message.
    what.message_id = second->empty() ? plain_name_ + std::to_string(++plain_sends_) : *second;
    what.text = *text;
    co_await send(std::move(who), invocation_id, std::move(what));
    co_return;
  }
  fail(*who, invocation_id, "refused: the calls are Join(room, cursor) and Send(room, id, text)");
}

asio::awaitable<void> hub::join(std::shared_ptr<session> who, std::string invocation_id,
                                std::string room, std::optional<log_index> cursor) {
  co_await planted_.before_join();
  const bool is_refused = !log_.is_ready() && !planted_.can_join_without_redis();
  if (!log_.position() || is_refused) {
    fail(*who, invocation_id, "retry: no connection to Redis");
    co_return;
  }
  const log_index joined_at = *log_.position();
  leave(*who, room);
  planted_.on_join(who->id());
  const auto member = std::make_shared<membership>();
  member->who = who;
  member->name = name_of(*who);
  member->last = std::max(joined_at, cursor.value_or(joined_at));
  member->is_replaying = cursor.has_value();
  rooms_[room].push_back(member);
  if (!cursor) {
    answer(*who, invocation_id, joined_at);
    co_return;
  }
  auto missed = co_await log_.range(planted_.replay_from(*cursor), joined_at);
  if (!missed.is_ok) {
    leave(*who, room);
    fail(*who, invocation_id, "retry: " + missed.reason);
    co_return;
  }
  answer(*who, invocation_id, *cursor);
  std::erase_if(missed.entries, [&room](const entry& each) { return each.room != room; });
  planted_.on_replay(missed.entries);
  for (const entry& each : missed.entries) {
    who->push(encode_message(each, planted_.has_replay_cursors()));
  }
  for (const record& each : member->held) who->push(each);
  member->held.clear();
  member->is_replaying = false;
}

asio::awaitable<void> hub::send(std::shared_ptr<session> who, std::string invocation_id,
                                entry what) {
  const publish_fate fate = planted_.on_publish(what);
  if (fate == publish_fate::fail || !log_.position()) {
    fail(*who, invocation_id, "retry: the stream is closed");
    co_return;
  }
  if (fate == publish_fate::forget || fate == publish_fate::keep_local) {
    what.index = *log_.position();
    const auto encoded = std::make_shared<const std::string>(encode_message(what));
    for (const auto& member : rooms_[what.room]) {
      if (fate == publish_fate::keep_local) deliver_to(*member, what, encoded);
    }
    answer(*who, invocation_id, what.index);
    co_return;
  }
  if (fate == publish_fate::show_sender) who->push(encode_message(what, false));
  auto result = co_await log_.append(what);
  if (!result.index) planted_.on_append_failed();
  failure_fate failure = failure_fate::tell;
  while (!result.index) {
    failure = co_await planted_.after_failure();
    if (failure != failure_fate::try_again) break;
    result = co_await log_.append(what);
  }
  if (result.index && fate == publish_fate::deny) {
    fail(*who, invocation_id, "refused: the stream is closed");
  } else if (result.index) {
    answer(*who, invocation_id, *result.index);
  } else if (failure == failure_fate::shrug) {
    fail(*who, invocation_id, "timeout awaiting a response");
  } else if (result.status != call_status::answered || result.is_retryable) {
    // Also when its outcome is unknown: a message that is appended twice is there once.
    fail(*who, invocation_id, "retry: " + result.reason);
  } else {
    fail(*who, invocation_id, "refused: " + result.reason);
  }
}

void hub::leave(const session& who, const std::string& room) {
  const auto is_who = [&who](const auto& each) { return each->who.get() == &who; };
  std::erase_if(rooms_[room], is_who);
}

void hub::leave_all(const session& who) {
  for (const auto& [room, present] : rooms_) leave(who, room);
}

void hub::on_entries(std::vector<entry> batch) {
  planted_.on_read(batch);
  for (const entry& each : batch) deliver(each);
}

void hub::deliver(const entry& what) {
  const auto room = rooms_.find(what.room);
  if (room == rooms_.end()) return;
  const auto encoded = std::make_shared<const std::string>(encode_message(what));
  for (const auto& member : room->second) {
    if (!planted_.is_news(what.index, member->last)) continue;
    member->last = what.index;
    deliver_to(*member, what, encoded);
  }
}

void hub::deliver_to(membership& member, const entry& what, record encoded) {
  const recipient to{member.who->id(), member.name, member.who->waiting_count()};
  if (!planted_.may_deliver(what, to)) return;
  if (member.is_replaying) {
    member.held.push_back(std::move(encoded));
  } else {
    member.who->push(std::move(encoded));
  }
}

std::string hub::name_of(const session& who) const {
  return node_name_ + '/' + std::to_string(who.id());
}

std::string hub::some_room() const {
  for (const auto& [room, present] : rooms_) {
    if (!present.empty()) return room;
  }
  return {};
}

}  // namespace ordeal::planted
