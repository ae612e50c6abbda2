// The hub methods as values: what an invocation asks for, checked against the limits. Pure.
#pragma once

#include <optional>
#include <string>
#include <variant>

#include "net/hub/codec.h"
#include "reference-server/hub/limits.h"

namespace ordeal::chat {

struct join_call {
  std::string room;
  std::optional<std::string> cursor;
};
struct leave_call {
  std::string room;
};
struct send_call {
  std::string room;
  std::string client_message_id;
  std::string text;
};
// Not a call of ours; `error` is the completion's error, "refused: ..." with the remedy.
struct refused_call {
  std::string error;
};
using call = std::variant<join_call, leave_call, send_call, refused_call>;

call parse_call(const net::hub::message& invocation, const hub_limits& limits);

}  // namespace ordeal::chat
