// The ASP.NET Core SignalR JSON hub protocol, both sides, without I/O. Records are JSON
// objects that end with byte 0x1E; a WebSocket frame may hold several, a record may span frames.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/storage_ptr.hpp>
#include <boost/json/value.hpp>
#include <boost/system/result.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace ordeal::net::hub {

namespace json = boost::json;

inline constexpr char record_separator = '\x1e';

// Cuts a byte stream into records. Feed frames, take records until there is none; a view is valid
// until the next feed.
class record_splitter {
 public:
  // Memory is bounded by twice the limit: a record that is being carried over and one that is complete.
  explicit record_splitter(std::size_t record_bytes_max) : record_bytes_max_(record_bytes_max) {}

  // `frame` must stay alive until take() has returned nullopt.
  void feed(std::string_view frame);
  std::optional<std::string_view> take();

  // A record without its end grew above the limit: the peer is broken, close.
  bool is_overflown() const { return is_overflown_; }

 private:
  std::size_t record_bytes_max_;
  std::string carried_;     // start of a record whose end is in a later frame
  std::string completed_;   // that record, once its end came
  std::string_view frame_;  // what of the current frame is not yet taken
  bool is_overflown_ = false;
};

enum class message_type {
  handshake_request,
  handshake_response,
  invocation,
  stream_item,
  completion,
  stream_invocation,
  cancel_invocation,
  ping,
  close,
  ack,
  sequence,
  other  // later versions of the protocol may add types: ignore them
};

// Counted on both sides for stateful reconnect (message_buffer.h).
bool is_tracked(message_type type);

// One decoded record. Fields beside the type's own are empty. It can be moved to a new place, but neither copied nor
// assigned: the views would point into another document.
struct message {
  explicit message(json::storage_ptr memory = {}) : document(nullptr, std::move(memory)) {}
  message(message&&) = default;
  message& operator=(message&&) = delete;

  message_type type = message_type::other;
  int type_number = 0;                     // as on the wire; 0 for the handshakes
  std::string_view target;                 // invocation, stream_invocation
  std::string_view invocation_id;          // empty only for an invocation: no reply allowed
  const json::array* arguments = nullptr;  // invocation, stream_invocation; never null there
  bool has_streams = false;                // invocation, stream_invocation: items will follow
  const json::value* item = nullptr;       // stream_item
  const json::value* result = nullptr;     // completion with a result
  std::optional<std::string_view> error;   // completion, close, handshake_response
  std::string_view protocol;               // handshake_request
  int version = 0;                         // handshake_request
  bool allow_reconnect = false;            // close
  std::uint64_t sequence_id = 0;           // ack, sequence
  // Legal JSON, and yet some part of the record cannot be held: why. Members that hold such a part are missing,
  // `arguments` is empty then.
  std::string_view unusable;
  json::value document;  // owns what the views point to
};

enum class decode_errc {
  not_json = 1,
  not_an_object,
  bad_type,
  missing_field,
  bad_field,
  result_and_error
};
const char* describe(decode_errc why);

// What result::value() throws: std::runtime_error with the description.
[[noreturn]] void throw_exception_from_error(decode_errc why, const boost::source_location& where);

// Decodes a record that is not a handshake. `memory` holds the JSON (a monotonic_resource that the caller makes anew
// between records makes this allocation-free); the message must not outlive it nor `record`.
boost::system::result<message, decode_errc> decode(std::string_view record,
                                                   json::storage_ptr memory = {});
boost::system::result<message, decode_errc> decode_handshake_request(std::string_view record);
boost::system::result<message, decode_errc> decode_handshake_response(std::string_view record);

// Encoders return whole records, separator included.
std::string encode_handshake_request(int version = 1);
std::string encode_handshake_response(std::string_view error = {});
std::string encode_invocation(std::string_view target, const json::array& arguments,
                              std::string_view invocation_id = {});
std::string encode_completion_result(std::string_view invocation_id, const json::value& result);
std::string encode_completion_void(std::string_view invocation_id);
std::string encode_completion_error(std::string_view invocation_id, std::string_view error);
const std::string& encoded_ping();
std::string encode_close(std::string_view error = {}, bool allow_reconnect = false);
std::string encode_ack(std::uint64_t sequence_id);
std::string encode_sequence(std::uint64_t sequence_id);

}  // namespace ordeal::net::hub
