#include "reference-server/hub/records.h"

#include <boost/json.hpp>
#include <utility>

#include "net/hub/codec.h"

namespace ordeal::chat {

namespace json = boost::json;

record_ptr shared_record(std::string encoded) {
  return std::make_shared<const std::string>(std::move(encoded));
}

record_ptr message_record(const entry& message, std::string_view log_id) {
  json::array arguments;
  arguments.reserve(4);
  arguments.emplace_back(message.room);
  arguments.emplace_back(format_cursor(log_id, message.at));
  arguments.emplace_back(message.client_message_id);
  arguments.emplace_back(message.text);
  return shared_record(net::hub::encode_invocation("Message", arguments));
}

namespace {

record_ptr notice(std::string_view method, std::string_view room, std::string_view reason,
                  const lost_range& lost) {
  json::array arguments;
  arguments.emplace_back(room);
  arguments.emplace_back(reason);
  for (const auto& end : {lost.after, lost.upto}) {
    if (end) {
      arguments.emplace_back(format_cursor(lost.log_id, *end));
    } else {
      arguments.emplace_back(nullptr);
    }
  }
  return shared_record(net::hub::encode_invocation(method, arguments));
}

}  // namespace

record_ptr reset_record(std::string_view room, std::string_view reason, const lost_range& lost) {
  return notice("Reset", room, reason, lost);
}

record_ptr fork_record(std::string_view room, std::string_view reason, const lost_range& lost) {
  return notice("Fork", room, reason, lost);
}

}  // namespace ordeal::chat
