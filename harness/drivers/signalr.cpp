#include "harness/drivers/signalr.h"

#include <algorithm>
#include <array>
#include <boost/json/monotonic_resource.hpp>
#include <charconv>

#include "harness/drivers/call_arguments.h"
#include "net/hub/codec.h"

namespace ordeal::harness {
namespace {

namespace hub = net::hub;
namespace json = boost::json;

constexpr std::size_t record_bytes_max = 1U << 20;
constexpr std::size_t json_bytes_usual = 2'048;  // what the JSON of an ordinary frame takes
constexpr std::chrono::seconds client_ping_interval{
    15};                                            // the published clients' keepAliveInterval
constexpr std::chrono::seconds server_timeout{30};  // ... and serverTimeout

class signalr_driver final : public driver {
 public:
  explicit signalr_driver(const protocol_recipe& recipe)
      : recipe_(recipe), splitter_(record_bytes_max) {}

  std::string path() const override { return recipe_.path; }
  std::string on_open() override { return hub::encode_handshake_request(); }
  void on_message(std::string_view frame, std::vector<driver_event>& out) override;
  std::string take_replies() override { return {}; }
  std::string join(std::uint64_t request, std::string_view room,
                   const std::optional<std::string>& cursor) override;
  std::string publish(std::uint64_t request, std::string_view room, std::string_view message_id,
                      std::string_view payload) override;
  std::string ping() override { return hub::encoded_ping(); }
  std::chrono::nanoseconds ping_interval() const override { return client_ping_interval; }
  std::chrono::nanoseconds silence_timeout() const override { return server_timeout; }
  bool can_share_frame() const override { return true; }
  std::string whereabouts(std::string_view frame, std::string_view text) const override;

 private:
  using events = std::vector<driver_event>;

  // False: nothing more of this connection is worth reading.
  bool on_record(std::string_view record, events& out);
  bool on_handshake(std::string_view record, events& out);
  bool on_invocation(const hub::message& what, events& out);
  bool on_completion(const hub::message& what, events& out);
  bool on_received(const json::array& arguments, events& out);
  bool on_reset(const json::array& arguments, events& out);
  bool fail(std::string reason, events& out);

  const protocol_recipe& recipe_;
  // The documents of the latest frame live in memory_, so that views into them stay good until the
  // next call. TOOLCHAIN(boost-1.81): a new resource for each frame, because release() keeps the
  // block size, which doubles with every block until no memory is enough for it.
  std::array<unsigned char, json_bytes_usual> buffer_;
  std::optional<json::monotonic_resource> memory_;
  std::vector<hub::message> decoded_;
  hub::record_splitter splitter_;
  std::vector<std::uint64_t> open_joins_;
  bool has_handshake_ = false;
  bool is_over_ = false;
};

const json::string* string_at(const json::array& arguments, std::size_t index) {
  const json::value* found = arguments.if_contains(index);
  return found ? found->if_string() : nullptr;
}

std::string missing(std::string_view method, std::string_view what, std::size_t index) {
  return std::string(method) + " came without a string as argument " + std::to_string(index) +
         ", its " + std::string(what) + " by the target file";
}

void signalr_driver::on_message(std::string_view frame, events& out) {
  decoded_.clear();
  memory_.emplace(buffer_.data(), buffer_.size());
  splitter_.feed(frame);
  while (!is_over_) {
    const auto record = splitter_.take();
    if (!record) break;
    is_over_ = !on_record(*record, out);
  }
  if (!is_over_ && splitter_.is_overflown()) {
    is_over_ = true;
    fail("a record of more than " + std::to_string(record_bytes_max) + " bytes", out);
  }
}

bool signalr_driver::on_record(std::string_view record, events& out) {
  if (!has_handshake_) return on_handshake(record, out);
  auto result = hub::decode(record, json::storage_ptr(&*memory_));
  if (result.has_error()) {
    return fail(std::string("not a hub message: ") + hub::describe(result.error()), out);
  }
  const hub::message& what = decoded_.emplace_back(std::move(*result));
  switch (what.type) {
    case hub::message_type::invocation:
      return on_invocation(what, out);
    case hub::message_type::completion:
      return on_completion(what, out);
    case hub::message_type::close:
      out.emplace_back(driver_closing{what.error.value_or(std::string_view())});
      return false;
    case hub::message_type::ping:
    case hub::message_type::stream_item:  // streams and stateful reconnect: never asked for
    case hub::message_type::stream_invocation:
    case hub::message_type::cancel_invocation:
    case hub::message_type::ack:
    case hub::message_type::sequence:
    case hub::message_type::other:
    case hub::message_type::handshake_request:
    case hub::message_type::handshake_response:
      break;
  }
  return true;
}

bool signalr_driver::on_handshake(std::string_view record, events& out) {
  const auto answer = hub::decode_handshake_response(record);
  if (answer.has_error()) {
    return fail(std::string("not a handshake response: ") + hub::describe(answer.error()), out);
  }
  if (answer->error) return fail("handshake refused: " + std::string(*answer->error), out);
  has_handshake_ = true;
  out.emplace_back(driver_ready{});
  return true;
}

bool signalr_driver::on_invocation(const hub::message& what, events& out) {
  if (what.target == recipe_.receive.name) return on_received(*what.arguments, out);
  if (recipe_.reset && what.target == recipe_.reset->name) return on_reset(*what.arguments, out);
  return true;  // the target's own business
}

bool signalr_driver::on_received(const json::array& arguments, events& out) {
  const receive_template& receive = recipe_.receive;
  driver_received received;
  const json::string* payload = string_at(arguments, receive.payload);
  if (!payload) return fail(missing(receive.name, "payload", receive.payload), out);
  received.payload = *payload;
  if (receive.room) {
    const json::string* room = string_at(arguments, *receive.room);
    if (!room) return fail(missing(receive.name, "room", *receive.room), out);
    received.room = *room;
  }
  if (receive.cursor) {
    const json::string* cursor = string_at(arguments, *receive.cursor);
    if (!cursor) return fail(missing(receive.name, "cursor", *receive.cursor), out);
    received.cursor = *cursor;
  }
  out.emplace_back(received);
  return true;
}

bool signalr_driver::on_reset(const json::array& arguments, events& out) {
  driver_reset reset;
  if (recipe_.reset->room) {
    const json::string* room = string_at(arguments, *recipe_.reset->room);
    if (!room) return fail(missing(recipe_.reset->name, "room", *recipe_.reset->room), out);
    reset.room = *room;
  }
  out.emplace_back(reset);
  return true;
}

bool signalr_driver::on_completion(const hub::message& what, events& out) {
  driver_acked acked;
  const std::string_view id = what.invocation_id;
  const auto [end, ec] = std::from_chars(id.data(), id.data() + id.size(), acked.request);
  if (ec != std::errc() || end != id.data() + id.size()) {
    return fail("a completion of '" + std::string(id.substr(0, 40)) + "', which nobody called",
                out);
  }
  acked.is_error = what.error.has_value();
  acked.error = what.error.value_or(std::string_view());
  const auto join = std::find(open_joins_.begin(), open_joins_.end(), acked.request);
  if (join != open_joins_.end()) {
    open_joins_.erase(join);
    const bool has_result = what.result && !what.result->is_null();
    if (recipe_.join.is_cursor_result && has_result) {
      const json::string* cursor = what.result->if_string();
      if (!cursor) return fail(recipe_.join.name + ": its result, the cursor, is no string", out);
      acked.cursor = *cursor;
    }
  }
  out.emplace_back(acked);
  return true;
}

bool signalr_driver::fail(std::string reason, events& out) {
  out.emplace_back(driver_broken{std::move(reason)});
  return false;
}

// A call that nobody waits for goes without an id, so that the server does not answer.
std::string encode_call(const call_template& call, std::uint64_t request, const call_values& with) {
  const json::array arguments = fill_arguments(call, with);
  const std::string id = call.has_ack ? std::to_string(request) : std::string();
  return hub::encode_invocation(call.name, arguments, id);
}

std::string signalr_driver::join(std::uint64_t request, std::string_view room,
                                 const std::optional<std::string>& cursor) {
  if (recipe_.join.has_ack) open_joins_.push_back(request);
  call_values values;
  values.room = room;
  if (cursor) values.cursor = *cursor;
  return encode_call(recipe_.join, request, values);
}

std::string signalr_driver::publish(std::uint64_t request, std::string_view room,
                                    std::string_view message_id, std::string_view payload) {
  call_values values;
  values.room = room;
  values.message_id = message_id;
  values.payload = payload;
  return encode_call(recipe_.publish, request, values);
}

// Arguments are counted from 0, as in the target file.
std::string signalr_driver::whereabouts(std::string_view frame, std::string_view text) const {
  hub::record_splitter records(record_bytes_max);
  records.feed(frame);
  while (const auto record = records.take()) {
    const auto what = hub::decode(*record);
    if (what.has_error() || what->type != hub::message_type::invocation) continue;
    const json::array& arguments = *what->arguments;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
      const json::string* argument = arguments[i].if_string();
      if (!argument || std::string_view(*argument).find(text) == std::string_view::npos) continue;
      return std::string(what->target) + ", argument " + std::to_string(i) + " of " +
             std::to_string(arguments.size());
    }
  }
  return {};
}

}  // namespace

std::unique_ptr<driver> make_signalr_driver(const protocol_recipe& recipe) {
  return std::make_unique<signalr_driver>(recipe);
}

}  // namespace ordeal::harness
