// A record that can be decoded says the same after it was encoded again, and where its JSON lives changes nothing.
#include <boost/json/monotonic_resource.hpp>
#include <boost/json/object.hpp>
#include <cmath>

#include "net/hub/codec.h"
#include "tests/fuzz/target.h"

namespace ordeal::fuzz {
namespace {

namespace hub = net::hub;
namespace json = boost::json;

// TOOLCHAIN(boost-1.81): its parser may read the last bit of a fraction wrong, and 0e999 is not a number to it.
bool is_same_number(double one, double other) {
  if (std::isnan(one) || std::isnan(other)) return std::isnan(one) && std::isnan(other);
  return one == other || std::abs(one - other) <= std::abs(one) * 1e-12;
}

bool is_same(const json::value& one, const json::value& other) {
  if (one.is_double() && other.is_double())
    return is_same_number(one.get_double(), other.get_double());
  if (one.is_array() && other.is_array()) {
    const json::array& left = one.get_array();
    const json::array& right = other.get_array();
    bool is_equal = left.size() == right.size();
    for (std::size_t i = 0; is_equal && i < left.size(); ++i) is_equal = is_same(left[i], right[i]);
    return is_equal;
  }
  if (one.is_object() && other.is_object()) {
    bool is_equal = one.get_object().size() == other.get_object().size();
    for (const auto& [key, value] : one.get_object()) {
      const json::value* found = other.get_object().if_contains(key);
      is_equal = is_equal && found != nullptr && is_same(value, *found);
    }
    return is_equal;
  }
  return one == other;
}

bool is_same(const json::value* one, const json::value* other) {
  if (one == nullptr || other == nullptr) return one == other;
  return is_same(*one, *other);
}

void expect_same(const hub::message& one, const hub::message& other) {
  ORDEAL_ASSERT(one.type == other.type && one.type_number == other.type_number);
  ORDEAL_ASSERT(one.target == other.target && one.invocation_id == other.invocation_id);
  ORDEAL_ASSERT((one.arguments == nullptr) == (other.arguments == nullptr));
  if (one.arguments != nullptr)
    ORDEAL_ASSERT(is_same(json::value(*one.arguments), json::value(*other.arguments)));
  ORDEAL_ASSERT(is_same(one.result, other.result));
  ORDEAL_ASSERT(one.error == other.error && one.allow_reconnect == other.allow_reconnect);
  ORDEAL_ASSERT(one.protocol == other.protocol && one.version == other.version);
  ORDEAL_ASSERT(one.sequence_id == other.sequence_id && is_same(one.item, other.item));
}

// Empty: a type that nobody here sends.
std::string encode(const hub::message& what) {
  switch (what.type) {
    case hub::message_type::invocation:
      return hub::encode_invocation(what.target, *what.arguments, what.invocation_id);
    case hub::message_type::completion:
      if (what.error) return hub::encode_completion_error(what.invocation_id, *what.error);
      if (what.result != nullptr)
        return hub::encode_completion_result(what.invocation_id, *what.result);
      return hub::encode_completion_void(what.invocation_id);
    case hub::message_type::ping:
      return hub::encoded_ping();
    case hub::message_type::close:
      // An empty error is as good as none, and is not sent.
      if (what.error && what.error->empty()) return {};
      return hub::encode_close(what.error.value_or(std::string_view()), what.allow_reconnect);
    case hub::message_type::ack:
      return hub::encode_ack(what.sequence_id);
    case hub::message_type::sequence:
      return hub::encode_sequence(what.sequence_id);
    case hub::message_type::stream_item:
    case hub::message_type::stream_invocation:
    case hub::message_type::cancel_invocation:
    case hub::message_type::handshake_request:
    case hub::message_type::handshake_response:
    case hub::message_type::other:
      return {};
  }
  return {};
}

std::string_view without_separator(const std::string& record) {
  ORDEAL_ASSERT(record.find(hub::record_separator) == record.size() - 1);
  return std::string_view(record).substr(0, record.size() - 1);
}

void try_message(std::string_view record) {
  const auto found = hub::decode(record);
  json::monotonic_resource memory;
  const auto elsewhere = hub::decode(record, &memory);
  ORDEAL_ASSERT(found.has_value() == elsewhere.has_value());
  if (!found.has_value()) {
    ORDEAL_ASSERT(found.error() == elsewhere.error());
    return;
  }
  expect_same(*found, *elsewhere);
  const std::string again = encode(*found);
  // TOOLCHAIN(boost-1.81): a number too large for it is infinite, and then written as no JSON has it; so is NaN.
  const bool is_json =
      again.find("Infinity") == std::string::npos && again.find("NaN") == std::string::npos;
  if (again.empty() || !is_json) return;
  const auto decoded_again = hub::decode(without_separator(again));
  ORDEAL_ASSERT(decoded_again.has_value());
  expect_same(*found, *decoded_again);
}

void try_handshakes(std::string_view record) {
  const auto request = hub::decode_handshake_request(record);
  if (request.has_value() && request->protocol == "json") {
    const std::string again = hub::encode_handshake_request(request->version);
    const auto decoded_again = hub::decode_handshake_request(without_separator(again));
    ORDEAL_ASSERT(decoded_again.has_value());
    expect_same(*request, *decoded_again);
  }
  const auto response = hub::decode_handshake_response(record);
  if (response.has_value() && response->error != "") {
    const std::string again =
        hub::encode_handshake_response(response->error.value_or(std::string_view()));
    const auto decoded_again = hub::decode_handshake_response(without_separator(again));
    ORDEAL_ASSERT(decoded_again.has_value());
    expect_same(*response, *decoded_again);
  }
}

}  // namespace
}  // namespace ordeal::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  ordeal::fuzz::try_message(ordeal::fuzz::text_of(bytes, size));
  ordeal::fuzz::try_handshakes(ordeal::fuzz::text_of(bytes, size));
  return 0;
}
