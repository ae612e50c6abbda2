#include "harness/fleet/send_lane.h"

#include <utility>

#include "harness/drivers/call_arguments.h"
#include "net/async/assert.h"

namespace ordeal::harness {
namespace {

bool has_prefix(std::string_view text, std::string_view prefix) {
  return !prefix.empty() && text.substr(0, prefix.size()) == prefix;
}

}  // namespace

publish_rules rules_of(const protocol_recipe& recipe) {
  publish_rules rules;
  rules.has_ack = recipe.publish.has_ack;
  rules.is_idempotent = rules.has_ack && has_placeholder(recipe.publish, "message_id");
  return rules;
}

publish_answer classify_error(std::string_view error, const protocol_recipe& recipe) {
  if (has_prefix(error, recipe.refused_prefix)) return publish_answer::refused;
  if (has_prefix(error, recipe.retry_prefix)) return publish_answer::retry;
  return publish_answer::unknown;
}

void send_lane::add(const message_id& id, run_time intended) {
  outgoing_message added;
  added.id = id;
  added.intended = intended;
  queue_.push_back(added);
}

bool send_lane::can_start(net::time_point now) const {
  return !queue_.empty() && !is_on_wire_ && now >= not_before_;
}

outgoing_message send_lane::start(std::uint64_t request, net::time_point now) {
  ORDEAL_ASSERT(can_start(now));
  is_on_wire_ = true;
  request_ = request;
  since_ = now;
  ++queue_.front().attempts;
  return queue_.front();
}

std::optional<settlement> send_lane::give_up_older(net::time_point before) {
  if (!waits_since(before)) return std::nullopt;
  is_on_wire_ = false;
  settlement settled = settle_front(outcome::info);
  settled.was_unanswered = true;
  return settled;
}

std::optional<settlement> send_lane::on_answer(publish_answer answer, net::time_point now) {
  ORDEAL_ASSERT(is_on_wire_);
  is_on_wire_ = false;
  if (answer == publish_answer::retry) {
    not_before_ = now + delays_.next();
    return std::nullopt;
  }
  delays_.reset();
  switch (answer) {
    case publish_answer::ok:
      return settle_front(outcome::ok);
    case publish_answer::refused:
      return settle_front(queue_.front().is_in_doubt ? outcome::info : outcome::fail);
    case publish_answer::retry:
    case publish_answer::unknown:
      break;
  }
  return settle_front(outcome::info);
}

std::optional<settlement> send_lane::on_disconnect() {
  if (!is_on_wire_) return std::nullopt;
  is_on_wire_ = false;
  queue_.front().is_in_doubt = true;
  if (rules_.is_idempotent) return std::nullopt;
  return settle_front(outcome::info);
}

std::vector<settlement> send_lane::abandon() {
  std::vector<settlement> settled;
  while (!queue_.empty()) {
    const bool was_unanswered = std::exchange(is_on_wire_, false);
    settled.push_back(settle_front(outcome::info));
    settled.back().was_unanswered = was_unanswered;
  }
  return settled;
}

settlement send_lane::settle_front(outcome result) {
  settlement settled;
  settled.id = queue_.front().id;
  settled.result = result;
  settled.attempts = queue_.front().attempts;
  queue_.pop_front();
  return settled;
}

}  // namespace ordeal::harness
