#include "tests/selftest/planted_node/hub.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <utility>

#include "net/hub/codec.h"

namespace ordeal::planted {
namespace {

namespace json = boost::json;

std::string encode_message(const entry& what) {
  const json::array arguments = {what.room, what.id.text(), what.message_id, what.text};
  return net::hub::encode_invocation("Message", arguments);
}

std::optional<std::string> text_argument(const net::hub::message& call, std::size_t index) {
  if (index >= call.arguments->size()) return std::nullopt;
  const json::value& value = (*call.arguments)[index];
  if (!value.is_string()) return std::nullopt;
  return std::string(value.get_string());
}

void answer(session& who, const std::string& invocation_id, const std::string& result) {
  if (invocation_id.empty()) return;
  who.push(net::hub::encode_completion_result(invocation_id, json::value(result)));
}

void fail(session& who, const std::string& invocation_id, const std::string& error) {
  if (invocation_id.empty()) return;
  who.push(net::hub::encode_completion_error(invocation_id, error));
}

}  // namespace

hub::hub(asio::any_io_executor ex, std::string node_name, stream& log, bug& planted)
    : ex_(ex), node_name_(std::move(node_name)), log_(log), planted_(planted) {}

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
    std::optional<stream_id> cursor;
    if (second) cursor = stream_id::parse(*second);
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
    what.sender = node_name_ + '/' + std::to_string(who->id());
    what.message_id = *second;
    what.text = *text;
    co_await send(std::move(who), invocation_id, std::move(what));
    co_return;
  }
  fail(*who, invocation_id, "refused: the calls are Join(room, cursor) and Send(room, id, text)");
}

asio::awaitable<void> hub::join(std::shared_ptr<session> who, std::string invocation_id,
                                std::string room, std::optional<stream_id> cursor) {
  if (!log_.position()) {
    fail(*who, invocation_id, "retry: no connection to Redis yet");
    co_return;
  }
  const stream_id joined_at = *log_.position();
  leave(*who, room);
  const auto member = std::make_shared<membership>();
  member->who = who;
  member->after = std::max(joined_at, cursor.value_or(joined_at));
  member->is_replaying = cursor.has_value();
  rooms_[room].push_back(member);
  if (!cursor) {
    answer(*who, invocation_id, joined_at.text());
    co_return;
  }
  const auto missed = co_await log_.range(planted_.replay_start(*cursor), joined_at);
  if (!missed.is_ok) {
    leave(*who, room);
    fail(*who, invocation_id, "retry: " + missed.reason);
    co_return;
  }
  answer(*who, invocation_id, cursor->text());
  for (const entry& each : missed.entries) {
    if (each.room == room) who->push(encode_message(each));
  }
  for (const record& each : member->held) who->push(each);
  member->held.clear();
  member->is_replaying = false;
}

asio::awaitable<void> hub::send(std::shared_ptr<session> who, std::string invocation_id,
                                entry what) {
  const publish_fate fate = planted_.on_publish();
  if (fate != publish_fate::append && log_.position()) {
    what.id = *log_.position();
    if (fate == publish_fate::keep_local) deliver(what);
    answer(*who, invocation_id, what.id.text());
    co_return;
  }
  const auto result = co_await log_.append(std::move(what));
  if (result.id) {
    answer(*who, invocation_id, result.id->text());
  } else if (result.status == call_status::not_sent || result.is_retryable) {
    fail(*who, invocation_id, "retry: " + result.reason);
  } else if (result.status == call_status::unknown) {
    fail(*who, invocation_id, "unknown: " + result.reason);
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
    if (what.id <= member->after || !planted_.may_deliver_to(member->who->id())) continue;
    if (member->is_replaying) {
      member->held.push_back(encoded);
    } else {
      member->who->push(encoded);
    }
  }
}

}  // namespace ordeal::planted
