#include "reference-server/hub/records.h"

#include <boost/json.hpp>
#include <utility>

#include "net/hub/codec.h"
#include "reference-server/hub/sender.h"

namespace ordeal::chat {

namespace json = boost::json;

namespace {

constexpr std::size_t record_overhead_bytes = 96;  // of its allocation and counts

}  // namespace

struct record_ledger::kept {
  kept(record_ledger& counted_in, std::string encoded)
      : text(std::move(encoded)), ledger(counted_in) {
    ledger.bytes_ += text.capacity() + record_overhead_bytes;
  }
  kept(const kept&) = delete;
  kept& operator=(const kept&) = delete;
  ~kept() { ledger.bytes_ -= text.capacity() + record_overhead_bytes; }

  const std::string text;
  record_ledger& ledger;
};

record_ptr record_ledger::keep(std::string encoded) {
  // It was built by doubling, and may wait for long.
  if (encoded.capacity() - encoded.size() > encoded.size() / 4) encoded.shrink_to_fit();
  const auto whole = std::make_shared<const kept>(*this, std::move(encoded));
  return record_ptr(whole, &whole->text);
}

std::string message_record(const entry& message, std::string_view log_id) {
  json::array arguments;
  arguments.reserve(4);
  arguments.emplace_back(message.room);
  arguments.emplace_back(format_cursor(log_id, message.at));
  arguments.emplace_back(own_id(message.client_message_id));
  arguments.emplace_back(message.text);
  return net::hub::encode_invocation("Message", arguments);
}

namespace {

std::string notice(std::string_view method, std::string_view room, std::string_view reason,
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
  return net::hub::encode_invocation(method, arguments);
}

}  // namespace

std::string reset_record(std::string_view room, std::string_view reason, const lost_range& lost) {
  return notice("Reset", room, reason, lost);
}

std::string fork_record(std::string_view room, std::string_view reason, const lost_range& lost) {
  return notice("Fork", room, reason, lost);
}

}  // namespace ordeal::chat
