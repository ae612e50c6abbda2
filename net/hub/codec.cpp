#include "net/hub/codec.h"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <limits>
#include <stdexcept>
#include <utility>

#include "net/hub/salvage.h"

namespace ordeal::net::hub {
namespace {

enum : int {
  type_invocation = 1,
  type_stream_item = 2,
  type_completion = 3,
  type_stream_invocation = 4,
  type_cancel_invocation = 5,
  type_ping = 6,
  type_close = 7,
  type_ack = 8,
  type_sequence = 9
};

using decoded = boost::system::result<message, decode_errc>;

std::string_view view_of(const json::string& text) {
  return std::string_view(text.data(), text.size());
}

std::string_view view_of(json::string_view text) {
  return std::string_view(text.data(), text.size());
}

// The protocol writes optional strings as absent or as null.
bool read_optional_text(const json::value& from, std::optional<std::string_view>& into) {
  if (from.is_null()) return true;
  const json::string* text = from.if_string();
  if (text == nullptr) return false;
  into = view_of(*text);
  return true;
}

bool read_int(const json::value& from, int& into) {
  const std::int64_t* number = from.if_int64();
  if (number == nullptr || *number < std::numeric_limits<int>::min() ||
      *number > std::numeric_limits<int>::max()) {
    return false;
  }
  into = static_cast<int>(*number);
  return true;
}

// What a record holds of the members that some message type uses, unchecked.
struct members {
  const json::value* type = nullptr;
  const json::value* target = nullptr;
  const json::value* arguments = nullptr;
  const json::value* invocation_id = nullptr;
  const json::value* result = nullptr;
  const json::value* error = nullptr;
  const json::value* allow_reconnect = nullptr;
  const json::value* protocol = nullptr;
  const json::value* version = nullptr;
  const json::value* stream_ids = nullptr;
  const json::value* item = nullptr;
  const json::value* sequence_id = nullptr;
};

members members_of(const json::object& record) {
  members found;
  for (const json::key_value_pair& member : record) {
    const std::string_view key = view_of(member.key());
    const json::value* value = &member.value();
    if (key == "type")
      found.type = value;
    else if (key == "target")
      found.target = value;
    else if (key == "arguments")
      found.arguments = value;
    else if (key == "invocationId")
      found.invocation_id = value;
    else if (key == "result")
      found.result = value;
    else if (key == "error")
      found.error = value;
    else if (key == "allowReconnect")
      found.allow_reconnect = value;
    else if (key == "protocol")
      found.protocol = value;
    else if (key == "version")
      found.version = value;
    else if (key == "streamIds")
      found.stream_ids = value;
    else if (key == "item")
      found.item = value;
    else if (key == "sequenceId")
      found.sequence_id = value;
  }
  return found;
}

using problem = std::optional<decode_errc>;

problem read_invocation(const members& found, message& into) {
  into.type = message_type::invocation;
  if (found.target == nullptr || found.arguments == nullptr) return decode_errc::missing_field;
  const json::string* target = found.target->if_string();
  const json::array* arguments = found.arguments->if_array();
  std::optional<std::string_view> invocation_id;
  const bool is_id_good =
      found.invocation_id == nullptr || read_optional_text(*found.invocation_id, invocation_id);
  if (target == nullptr || arguments == nullptr || !is_id_good) return decode_errc::bad_field;
  into.target = view_of(*target);
  into.arguments = arguments;
  into.invocation_id = invocation_id.value_or(std::string_view());
  if (found.stream_ids == nullptr || found.stream_ids->is_null()) return std::nullopt;
  const json::array* stream_ids = found.stream_ids->if_array();
  if (stream_ids == nullptr) return decode_errc::bad_field;
  into.has_streams = !stream_ids->empty();
  return std::nullopt;
}

problem read_required_id(const members& found, message& into) {
  if (found.invocation_id == nullptr) return decode_errc::missing_field;
  const json::string* invocation_id = found.invocation_id->if_string();
  if (invocation_id == nullptr || invocation_id->empty()) return decode_errc::bad_field;
  into.invocation_id = view_of(*invocation_id);
  return std::nullopt;
}

problem read_stream_invocation(const members& found, message& into) {
  if (const problem why = read_required_id(found, into)) return why;
  const problem why = read_invocation(found, into);
  into.type = message_type::stream_invocation;
  return why;
}

problem read_stream_item(const members& found, message& into) {
  into.type = message_type::stream_item;
  if (found.item == nullptr) return decode_errc::missing_field;
  into.item = found.item;
  return read_required_id(found, into);
}

problem read_cancel_invocation(const members& found, message& into) {
  into.type = message_type::cancel_invocation;
  return read_required_id(found, into);
}

problem read_sequence_id(const members& found, message_type type, message& into) {
  into.type = type;
  if (found.sequence_id == nullptr) return decode_errc::missing_field;
  const std::int64_t* number = found.sequence_id->if_int64();
  if (number == nullptr || *number < 0) return decode_errc::bad_field;
  into.sequence_id = static_cast<std::uint64_t>(*number);
  return std::nullopt;
}

problem read_completion(const members& found, message& into) {
  into.type = message_type::completion;
  if (const problem why = read_required_id(found, into)) return why;
  if (found.error != nullptr && !read_optional_text(*found.error, into.error))
    return decode_errc::bad_field;
  if (found.result != nullptr && into.error) return decode_errc::result_and_error;
  into.result = found.result;
  return std::nullopt;
}

problem read_close(const members& found, message& into) {
  into.type = message_type::close;
  if (found.error != nullptr && !read_optional_text(*found.error, into.error))
    return decode_errc::bad_field;
  if (found.allow_reconnect == nullptr) return std::nullopt;
  const bool* allow_reconnect = found.allow_reconnect->if_bool();
  if (allow_reconnect == nullptr) return decode_errc::bad_field;
  into.allow_reconnect = *allow_reconnect;
  return std::nullopt;
}

problem read_typed(const members& found, message& into) {
  if (found.type == nullptr || !read_int(*found.type, into.type_number))
    return decode_errc::bad_type;
  switch (into.type_number) {
    case type_invocation:
      return read_invocation(found, into);
    case type_stream_item:
      return read_stream_item(found, into);
    case type_completion:
      return read_completion(found, into);
    case type_stream_invocation:
      return read_stream_invocation(found, into);
    case type_cancel_invocation:
      return read_cancel_invocation(found, into);
    case type_close:
      return read_close(found, into);
    case type_ping:
      into.type = message_type::ping;
      return std::nullopt;
    case type_ack:
      return read_sequence_id(found, message_type::ack, into);
    case type_sequence:
      return read_sequence_id(found, message_type::sequence, into);
    default:
      into.type = message_type::other;
      return std::nullopt;
  }
}

problem read_handshake_request(const members& found, message& into) {
  into.type = message_type::handshake_request;
  if (found.protocol == nullptr || found.version == nullptr) return decode_errc::missing_field;
  const json::string* protocol = found.protocol->if_string();
  if (protocol == nullptr || !read_int(*found.version, into.version)) return decode_errc::bad_field;
  into.protocol = view_of(*protocol);
  return std::nullopt;
}

problem read_handshake_response(const members& found, message& into) {
  into.type = message_type::handshake_response;
  // A peer that starts with a typed message skipped the handshake.
  if (found.type != nullptr) return decode_errc::bad_type;
  if (found.error != nullptr && !read_optional_text(*found.error, into.error))
    return decode_errc::bad_field;
  return std::nullopt;
}

template <class Read>
decoded decode_with(Read read, std::string_view record, json::storage_ptr memory) {
  boost::system::error_code ec;
  message result(memory);
  // Both are in `memory`, so the assignment moves.
  result.document = json::parse(json::string_view(record.data(), record.size()), ec, memory);
  if (ec) {
    const char* const unusable = unusable_part(record, ec);
    auto salvaged = unusable != nullptr ? salvage(record, memory) : std::nullopt;
    if (!salvaged) return decode_errc::not_json;
    result.unusable = unusable;
    result.document = std::move(*salvaged);
  }
  const json::object* object = result.document.if_object();
  if (object == nullptr) return decode_errc::not_an_object;
  if (const problem why = read(members_of(*object), result)) return *why;
  return decoded(std::move(result));
}

void append_quoted(std::string& into, std::string_view text) {
  constexpr char hex[] = "0123456789abcdef";
  into += '"';
  std::size_t plain_from = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c >= 0x20 && c != '"' && c != '\\') continue;
    into.append(text, plain_from, i - plain_from);
    plain_from = i + 1;
    into += '\\';
    if (c == '"' || c == '\\') {
      into += text[i];
    } else {
      into += "u00";
      into += hex[c >> 4U];
      into += hex[c & 15U];
    }
  }
  into.append(text, plain_from);
  into += '"';
}

void append_member(std::string& into, std::string_view key_with_comma, std::string_view text) {
  into += key_with_comma;
  append_quoted(into, text);
}

std::string finished(std::string record) {
  record += '}';
  record += record_separator;
  return record;
}

std::string completion_start(std::string_view invocation_id) {
  std::string record = R"({"type":3)";
  append_member(record, R"(,"invocationId":)", invocation_id);
  return record;
}

}  // namespace

void record_splitter::feed(std::string_view frame) {
  frame_ = is_overflown_ ? std::string_view() : frame;
}

std::optional<std::string_view> record_splitter::take() {
  if (frame_.empty()) return std::nullopt;
  const std::size_t end = frame_.find(record_separator);
  const std::string_view piece = frame_.substr(0, end);
  if (carried_.size() + piece.size() > record_bytes_max_) {
    is_overflown_ = true;
    frame_ = {};
    carried_ = std::string();
    return std::nullopt;
  }
  if (end == std::string_view::npos) {
    carried_ += piece;
    frame_ = {};
    return std::nullopt;
  }
  frame_.remove_prefix(end + 1);
  if (carried_.empty()) return piece;
  carried_ += piece;
  completed_.swap(carried_);
  carried_.clear();
  return completed_;
}

bool is_tracked(message_type type) {
  switch (type) {
    case message_type::invocation:
    case message_type::stream_item:
    case message_type::completion:
    case message_type::stream_invocation:
    case message_type::cancel_invocation:
      return true;
    case message_type::handshake_request:
    case message_type::handshake_response:
    case message_type::ping:
    case message_type::close:
    case message_type::ack:
    case message_type::sequence:
    case message_type::other:
      return false;
  }
  return false;
}

const char* describe(decode_errc why) {
  switch (why) {
    case decode_errc::not_json:
      return "the record is not JSON";
    case decode_errc::not_an_object:
      return "the record is not a JSON object";
    case decode_errc::bad_type:
      return "\"type\" is missing, not an integer, or not allowed here";
    case decode_errc::missing_field:
      return "a required member is missing";
    case decode_errc::bad_field:
      return "a member has the wrong JSON type";
    case decode_errc::result_and_error:
      return "a completion has both \"result\" and \"error\"";
  }
  return "unknown";
}

void throw_exception_from_error(decode_errc why, const boost::source_location& /*where*/) {
  throw std::runtime_error(describe(why));
}

decoded decode(std::string_view record, json::storage_ptr memory) {
  return decode_with(read_typed, record, std::move(memory));
}

decoded decode_handshake_request(std::string_view record) {
  return decode_with(read_handshake_request, record, {});
}

decoded decode_handshake_response(std::string_view record) {
  return decode_with(read_handshake_response, record, {});
}

std::string encode_handshake_request(int version) {
  return finished(R"({"protocol":"json","version":)" + std::to_string(version));
}

std::string encode_handshake_response(std::string_view error) {
  std::string record = "{";
  if (!error.empty()) append_member(record, R"("error":)", error);
  return finished(std::move(record));
}

std::string encode_invocation(std::string_view target, const json::array& arguments,
                              std::string_view invocation_id) {
  std::string record = R"({"type":1)";
  if (!invocation_id.empty()) append_member(record, R"(,"invocationId":)", invocation_id);
  append_member(record, R"(,"target":)", target);
  record += R"(,"arguments":)";
  record += json::serialize(arguments);
  return finished(std::move(record));
}

std::string encode_completion_result(std::string_view invocation_id, const json::value& result) {
  std::string record = completion_start(invocation_id);
  record += R"(,"result":)";
  record += json::serialize(result);
  return finished(std::move(record));
}

std::string encode_completion_void(std::string_view invocation_id) {
  return finished(completion_start(invocation_id));
}

std::string encode_completion_error(std::string_view invocation_id, std::string_view error) {
  std::string record = completion_start(invocation_id);
  append_member(record, R"(,"error":)", error);
  return finished(std::move(record));
}

const std::string& encoded_ping() {
  static const std::string record = finished(R"({"type":6)");
  return record;
}

std::string encode_close(std::string_view error, bool allow_reconnect) {
  std::string record = R"({"type":7)";
  if (!error.empty()) append_member(record, R"(,"error":)", error);
  if (allow_reconnect) record += R"(,"allowReconnect":true)";
  return finished(std::move(record));
}

std::string encode_ack(std::uint64_t sequence_id) {
  return finished(R"({"type":8,"sequenceId":)" + std::to_string(sequence_id));
}

std::string encode_sequence(std::uint64_t sequence_id) {
  return finished(R"({"type":9,"sequenceId":)" + std::to_string(sequence_id));
}

}  // namespace ordeal::net::hub
