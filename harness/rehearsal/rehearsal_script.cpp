#include "harness/rehearsal/rehearsal_script.h"

#include <algorithm>
#include <utility>

#include "harness/drivers/call_arguments.h"

namespace ordeal::harness {
namespace {

constexpr std::uint64_t join_request = 1, publish_request = 2;
constexpr unsigned http_unauthorized = 401, http_forbidden = 403, http_too_many = 429;
constexpr std::size_t quote_bytes_max = 300;

std::string quoted(std::string_view words) {
  if (words.size() <= quote_bytes_max) return "'" + std::string(words) + "'";
  return "'" + std::string(words.substr(0, quote_bytes_max)) + "...'";
}

// "Send(${room}, ${payload})", as in the file.
std::string text_of(const call_template& call) {
  std::string text = call.name + "(";
  for (std::size_t i = 0; i < call.arguments.size(); ++i)
    text += (i == 0 ? "" : ", ") + call.arguments[i];
  return text + ")";
}

// Servers say so in words of their own: no such method, or not these arguments.
bool speaks_of_the_call(std::string_view error) {
  std::string lower(error);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  for (const char* word : {"method", "argument", "parameter"}) {
    if (lower.find(word) != std::string::npos) return true;
  }
  return false;
}

}  // namespace

rehearsal_script::rehearsal_script(const target& of, std::string node, rehearsal_message what)
    : target_(of), node_(std::move(node)), message_(std::move(what)), driver_(make_driver(of)) {}

std::string rehearsal_script::path() const {
  return fill_path(driver_->path(), message_.client);
}

void rehearsal_script::on_no_connection(unsigned http_status, std::string_view problem) {
  const std::string& path = target_.protocol.path;
  if (http_status == 0)
    return object(node_ + ": no connection: " + std::string(problem), false, false);
  const std::string answer = node_ + ": asked for a WebSocket at " + path +
                             ", and it answered HTTP " + std::to_string(http_status);
  if (http_status == http_unauthorized || http_status == http_forbidden)
    return object(answer + ": it wants a login, which target files cannot give", false, true);
  const bool is_temporary = http_status >= 500 || http_status == http_too_many;
  if (is_temporary) return object(answer, false, false);
  object(answer + in_file("protocol.path"), true, true);
}

rehearsal_script::frames rehearsal_script::on_open() {
  frames first;
  std::string bytes = driver_->on_open();
  if (!bytes.empty()) first.push_back(std::move(bytes));
  return first;
}

rehearsal_script::frames rehearsal_script::on_frame(std::string_view frame) {
  frames answers;
  events_.clear();
  driver_->on_message(frame, events_);
  for (const driver_event& what : events_) {
    if (!is_over()) on_event(what, frame, answers);
  }
  if (!is_over() && !is_received_) look_for_payload(frame);
  std::string replies = driver_->take_replies();
  if (!replies.empty()) answers.push_back(std::move(replies));
  if (is_complete()) step_ = step::over;
  return answers;
}

void rehearsal_script::on_event(const driver_event& what, std::string_view frame, frames& answers) {
  if (const auto* received = std::get_if<driver_received>(&what)) {
    on_received(*received, frame);
  } else if (const auto* acked = std::get_if<driver_acked>(&what)) {
    on_acked(*acked, answers);
  } else if (const auto* closing = std::get_if<driver_closing>(&what)) {
    on_end("the server closes: " + quoted(closing->reason));
  } else if (const auto* broken = std::get_if<driver_broken>(&what)) {
    const std::string found = driver_->whereabouts(frame, message_.mark);
    const std::string came = found.empty() ? "" : "; the payload came as " + found;
    const std::string keys = step_ == step::handshake ? "driver and protocol.path"
                             : step_ == step::join    ? "protocol.join"
                                                      : "protocol.receive";
    object(node_ + ": " + broken->reason + came + in_file(keys), true, true);
  } else if (std::holds_alternative<driver_ready>(what)) {
    step_ = step::join;
    answers.push_back(driver_->join(join_request, message_.room, std::nullopt));
    if (!target_.protocol.join.has_ack) publish(answers);
  }
}

void rehearsal_script::publish(frames& answers) {
  step_ = step::publish;
  is_published_ = true;
  is_answered_ = !target_.protocol.publish.has_ack;
  answers.push_back(
      driver_->publish(publish_request, message_.room, message_.id, message_.payload));
}

void rehearsal_script::on_acked(const driver_acked& what, frames& answers) {
  const protocol_recipe& protocol = target_.protocol;
  const bool is_join = what.request == join_request;
  if (what.is_error) {
    if (is_join) return object_to_answer(protocol.join, "protocol.join", what.error);
    return object_to_answer(protocol.publish, "protocol.publish", what.error);
  }
  if (!is_join) {
    is_answered_ = true;
  } else if (!is_published_) {
    publish(answers);
  }
}

void rehearsal_script::object_to_answer(const call_template& call, std::string_view key,
                                        std::string_view error) {
  const std::string answer =
      node_ + ": sent " + text_of(call) + ", and it answered with the error " + quoted(error);
  const bool is_refusal = error.starts_with(target_.protocol.refused_prefix);
  const bool is_file_wrong = is_refusal || speaks_of_the_call(error);
  object(is_file_wrong ? answer + in_file(key) : answer, is_file_wrong, is_file_wrong);
}

void rehearsal_script::on_received(const driver_received& what, std::string_view frame) {
  const receive_template& receive = target_.protocol.receive;
  const auto at = what.payload.find(message_.mark);
  if (at == std::string_view::npos) return;  // look_for_payload() says where it is, if it came
  if (at > 0) {
    return object(node_ + ": the payload came back behind other text, in " +
                      driver_->whereabouts(frame, message_.mark) +
                      ", and has to be an argument of its own" +
                      in_file("protocol.receive.payload"),
                  true, true);
  }
  is_received_ = true;
  if (!receive.room || what.room == message_.room) return;
  const std::string found = driver_->whereabouts(frame, message_.room);
  if (found.empty()) return;  // another room, or none: for the judge
  object(node_ + ": published into room " + quoted(message_.room) + ", and argument " +
             std::to_string(*receive.room) + " of " + receive.name +
             ", its room by the target file, is " + quoted(what.room) + "; the room came as " +
             found + in_file("protocol.receive.room"),
         true, true);
}

// It may have come under a name that nobody listens to, or as another argument.
void rehearsal_script::look_for_payload(std::string_view frame) {
  if (!is_published_) return;
  const std::string found = driver_->whereabouts(frame, message_.mark);
  if (found.empty()) return;
  const receive_template& receive = target_.protocol.receive;
  object(node_ + ": sent " + text_of(target_.protocol.publish) + ", and it came back as " + found +
             " (counted from 0), not as " + receive.name + ", argument " +
             std::to_string(receive.payload) + in_file("protocol.receive.on and .payload"),
         true, true);
}

void rehearsal_script::on_end(std::string_view reason) {
  if (is_over()) return;
  const protocol_recipe& protocol = target_.protocol;
  const std::string after = step_ == step::handshake ? "the handshake"
                            : step_ == step::join    ? text_of(protocol.join)
                                                     : text_of(protocol.publish);
  object(node_ + ": the connection ended after " + after + ": " + std::string(reason), false,
         false);
}

void rehearsal_script::on_silence(std::string_view how_long) {
  if (is_over()) return;
  if (step_ == step::publish) {
    step_ = step::over;  // whether it loses messages is what the run is for
    return;
  }
  const std::string what = step_ == step::handshake ? "the handshake of " + target_.driver +
                                                          " at " + target_.protocol.path
                                                    : text_of(target_.protocol.join);
  const std::string_view keys =
      step_ == step::handshake ? "driver and protocol.path" : "protocol.join and its ack";
  object(node_ + ": sent " + what + ", and no answer came within " + std::string(how_long) +
             in_file(keys),
         false, false);
}

void rehearsal_script::object(std::string text, bool is_file_wrong, bool is_final) {
  step_ = step::over;
  objection_ = objection{std::move(text), is_file_wrong, is_final};
}

std::string rehearsal_script::in_file(std::string_view keys) const {
  return "; look at " + std::string(keys) + " in " + target_.file;
}

}  // namespace ordeal::harness
