#include "harness/run/reply_pairing.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace ordeal::harness {

using net::redis::resp_frame;
using net::redis::resp_kind;

namespace {

constexpr std::size_t requests_max = 1U << 16;  // without an answer; equal ones in a row are one

constexpr std::array<std::string_view, 6> subscriptions = {
    "SUBSCRIBE", "PSUBSCRIBE", "SSUBSCRIBE", "UNSUBSCRIBE", "PUNSUBSCRIBE", "SUNSUBSCRIBE"};
constexpr std::array<std::string_view, 3> broadcasts = {"MESSAGE", "PMESSAGE", "SMESSAGE"};

template <class Words>
bool contains(const Words& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

bool is_status(const resp_frame& reply, std::string_view word) {
  return reply.kind == resp_kind::simple && reply.word == word;
}

}  // namespace

reply_pairing::command_kind reply_pairing::kind_of(const resp_frame& request) {
  if (contains(subscriptions, request.word)) return command_kind::subscription;
  if (request.word == "MULTI") return command_kind::multi;
  if (request.word == "EXEC") return command_kind::exec;
  if (request.word == "DISCARD") return command_kind::discard;
  if (request.word == "HELLO") return command_kind::hello;
  if (request.word == "RESET") return command_kind::reset;
  return command_kind::other;
}

// After these the replies cannot be told from other things: a stream of commands, nothing at all; nor can the name of
// a command be read that is quoted.
bool reply_pairing::is_unanswerable(const resp_frame& request) {
  constexpr std::array<std::string_view, 4> streams = {"MONITOR", "SYNC", "PSYNC", "REPLCONF"};
  if (contains(streams, request.word)) return true;
  if (request.word == "CLIENT" && request.argument == "REPLY") return true;
  const bool is_inline = request.kind == resp_kind::inline_command;
  return is_inline && (request.word.find('"') != std::string_view::npos ||
                       request.word.find('\'') != std::string_view::npos);
}

void reply_pairing::give_up() {
  has_given_up_ = true;
  pending_ = {};
  sent_ = {};
  queued_ = {};
  queued_messages_ = {};
}

void reply_pairing::on_request(const resp_frame& request, std::span<const message_id> messages) {
  if (has_given_up_) return;
  const bool has_room = pending_.size() < requests_max &&
                        sent_.size() + messages.size() <= messages_max &&
                        queued_.size() < requests_max && queued_messages_.size() <= messages_max;
  if (is_unanswerable(request) || !has_room) return give_up();
  const command_kind kind = kind_of(request);
  const bool is_plain = kind == command_kind::other && messages.empty();
  if (is_plain && !pending_.empty()) {
    pending& last = pending_.back();
    if (last.kind == command_kind::other && last.messages == 0) {
      ++last.repeated;
      return;
    }
  }
  pending next;
  next.kind = kind;
  next.messages = static_cast<std::uint32_t>(messages.size());
  if (kind == command_kind::subscription) {
    next.name = request.word;
    // UNSUBSCRIBE from everything is confirmed at least once.
    next.channels = std::max<std::uint64_t>(request.size, 2) - 1;
  }
  pending_.push_back(std::move(next));
  sent_.insert(sent_.end(), messages.begin(), messages.end());
}

void reply_pairing::on_error_inside(std::uint64_t element, std::size_t depth) {
  if (has_given_up_) return;
  ++errors_inside_;
  const bool is_exec = !pending_.empty() && pending_.front().kind == command_kind::exec;
  if (!is_exec || element >= queued_.size()) return;
  queued_command& command = queued_[element];
  (depth == 1 ? command.is_refused : command.has_error_inside) = true;
}

void reply_pairing::on_reply(const resp_frame& reply, std::vector<sighting>& seen) {
  if (has_given_up_) return;
  if (is_push(reply)) {
    on_push(reply);
  } else if (pending_.empty()) {
    give_up();  // Redis says something unasked: too many clients, a time limit
  } else {
    on_answer(reply, seen);
  }
  errors_inside_ = 0;
}

bool reply_pairing::is_push(const resp_frame& reply) const {
  if (reply.kind == resp_kind::push) return true;
  if (is_resp3_ || reply.kind != resp_kind::array) return false;
  // RESP2 has no pushes: on a subscribed connection these arrays are.
  const bool is_subscribed = channels_ > 0 || shard_channels_ > 0;
  if (contains(broadcasts, reply.word)) return is_subscribed;
  if (!contains(subscriptions, reply.word)) return false;
  return is_subscribed ||
         (!pending_.empty() && pending_.front().kind == command_kind::subscription);
}

void reply_pairing::on_push(const resp_frame& reply) {
  if (!contains(subscriptions, reply.word)) return;
  const bool is_sharded = reply.word == "SSUBSCRIBE" || reply.word == "SUNSUBSCRIBE";
  (is_sharded ? shard_channels_ : channels_) = reply.integer;
  if (pending_.empty()) return;
  pending& front = pending_.front();
  if (front.kind != command_kind::subscription || front.name != reply.word) return;
  if (++front.confirmed == front.channels) take_front();
}

void reply_pairing::on_answer(const resp_frame& reply, std::vector<sighting>& seen) {
  const pending& front = pending_.front();
  const bool is_error = reply.kind == resp_kind::error;
  switch (front.kind) {
    case command_kind::other:
      if (is_in_transaction_) return on_queued(reply, seen);
      settle(reply, seen);
      break;
    case command_kind::subscription:
      // Refused as a whole; anything else would be the answer to something behind it.
      if (!is_error || front.confirmed > 0) return give_up();
      break;
    case command_kind::multi:
      if (is_status(reply, "OK")) is_in_transaction_ = true;
      break;
    case command_kind::exec:
      on_exec(reply, seen);
      break;
    case command_kind::discard:
      if (!is_error) end_transaction();
      break;
    case command_kind::hello:
      if (is_status(reply, "QUEUED")) return give_up();
      if (!is_error) is_resp3_ = reply.kind == resp_kind::map;
      break;
    case command_kind::reset:
      if (!is_status(reply, "RESET")) break;
      end_transaction();
      is_resp3_ = false;
      channels_ = shard_channels_ = 0;
      break;
  }
  if (!has_given_up_) take_front();
}

void reply_pairing::on_queued(const resp_frame& reply, std::vector<sighting>& seen) {
  const bool is_error = reply.kind == resp_kind::error;
  if (!is_error && !is_status(reply, "QUEUED")) return give_up();
  if (is_error) {
    settle(reply, seen);
  } else {
    const std::uint32_t count = pending_.front().messages;
    queued_command next;
    next.messages = count;
    queued_.push_back(next);
    queued_messages_.insert(queued_messages_.end(), sent_.begin(), sent_.begin() + count);
  }
  take_front();
}

void reply_pairing::on_exec(const resp_frame& reply, std::vector<sighting>& seen) {
  const bool has_run = reply.kind == resp_kind::array;
  const bool was_refused = reply.kind == resp_kind::error || reply.kind == resp_kind::nil;
  if (!has_run && !was_refused) return give_up();
  if (has_run && reply.size != queued_.size()) return give_up();
  auto message = queued_messages_.begin();
  for (const queued_command& command : queued_) {
    const bool is_refused =
        was_refused || command.is_refused || (command.has_error_inside && command.messages == 1);
    // Of several messages in a script's answer with an error it cannot be told which one it is about.
    const bool is_known = is_refused || !command.has_error_inside;
    for (std::uint32_t i = 0; i < command.messages; ++i, ++message) {
      if (!is_known) continue;
      seen.push_back(
          {is_refused ? tap_point::refused_by_redis : tap_point::accepted_by_redis, *message});
    }
  }
  end_transaction();
}

// Of the request at the front.
void reply_pairing::settle(const resp_frame& reply, std::vector<sighting>& seen) {
  const std::uint32_t count = pending_.front().messages;
  const bool is_refused = reply.kind == resp_kind::error || (errors_inside_ > 0 && count == 1);
  // A nil is neither: SET NX, XADD NOMKSTREAM.
  const bool is_known = is_refused || (errors_inside_ == 0 && reply.kind != resp_kind::nil);
  if (!is_known) return;
  const auto where = is_refused ? tap_point::refused_by_redis : tap_point::accepted_by_redis;
  for (std::uint32_t i = 0; i < count; ++i) seen.push_back({where, sent_[i]});
}

void reply_pairing::take_front() {
  pending& front = pending_.front();
  sent_.erase(sent_.begin(), sent_.begin() + front.messages);
  if (--front.repeated == 0) pending_.pop_front();
}

void reply_pairing::end_transaction() {
  is_in_transaction_ = false;
  queued_.clear();
  queued_messages_.clear();
}

}  // namespace ordeal::harness
