#include "reference-server/hub/calls.h"

#include <algorithm>
#include <boost/json.hpp>
#include <string_view>

namespace ordeal::chat {
namespace {

namespace json = boost::json;

call refuse(std::string why) {
  return refused_call{"refused: " + std::move(why)};
}

bool has_control_character(std::string_view text) {
  const auto is_control = [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7f;
  };
  return std::any_of(text.begin(), text.end(), is_control);
}

// Empty when `value` is a name of 1 to `bytes_max` bytes without control characters; else what is
// wrong with it.
std::string name_error(std::string_view what, const json::value& value, std::size_t bytes_max) {
  std::string subject(what);
  if (!value.is_string()) return subject + " must be a string";
  const json::string& text = value.get_string();
  if (text.empty()) return subject + " is empty";
  if (text.size() > bytes_max) {
    return subject + " has " + std::to_string(text.size()) + " bytes, at most " +
           std::to_string(bytes_max) + " are allowed";
  }
  if (has_control_character(text)) return subject + " contains control characters";
  return {};
}

std::string text_of(const json::value& value) {
  return std::string(value.get_string());
}

call parse_join(const json::array& arguments, const hub_limits& limits) {
  if (arguments.size() != 2) return refuse("Join takes (room, cursor or null)");
  if (auto error = name_error("room", arguments[0], limits.room_name_bytes_max); !error.empty()) {
    return refuse(std::move(error));
  }
  join_call parsed;
  parsed.room = text_of(arguments[0]);
  if (arguments[1].is_null()) return parsed;
  if (!arguments[1].is_string()) return refuse("cursor must be a string or null");
  parsed.cursor = text_of(arguments[1]);
  return parsed;
}

call parse_leave(const json::array& arguments, const hub_limits& limits) {
  if (arguments.size() != 1) return refuse("Leave takes (room)");
  if (auto error = name_error("room", arguments[0], limits.room_name_bytes_max); !error.empty()) {
    return refuse(std::move(error));
  }
  return leave_call{text_of(arguments[0])};
}

call parse_send(const json::array& arguments, const hub_limits& limits) {
  if (arguments.size() != 3) return refuse("Send takes (room, clientMessageId, text)");
  auto error = name_error("room", arguments[0], limits.room_name_bytes_max);
  if (error.empty())
    error = name_error("clientMessageId", arguments[1], limits.message_id_bytes_max);
  if (!error.empty()) return refuse(std::move(error));
  if (!arguments[2].is_string()) return refuse("text must be a string");
  const std::size_t text_bytes = arguments[2].get_string().size();
  if (text_bytes > limits.message_bytes_max) {
    return refuse("text has " + std::to_string(text_bytes) + " bytes, at most " +
                  std::to_string(limits.message_bytes_max) + " are allowed");
  }
  return send_call{text_of(arguments[0]), text_of(arguments[1]), text_of(arguments[2])};
}

}  // namespace

call parse_call(const net::hub::message& invocation, const hub_limits& limits) {
  if (!invocation.unusable.empty()) return refuse(std::string(invocation.unusable));
  const bool is_streaming = invocation.type == net::hub::message_type::stream_invocation;
  if (is_streaming || invocation.has_streams) {
    return refuse("this hub has no streaming methods, use invoke with Join, Leave and Send");
  }
  const json::array& arguments = *invocation.arguments;
  if (invocation.target == "Send") return parse_send(arguments, limits);
  if (invocation.target == "Join") return parse_join(arguments, limits);
  if (invocation.target == "Leave") return parse_leave(arguments, limits);
  return refuse("unknown method, this hub has Join, Leave and Send");
}

}  // namespace ordeal::chat
