// The hub protocol's messages: literal records in and out, and every way in which a record can be
// wrong.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <boost/json/monotonic_resource.hpp>
#include <boost/json/serialize.hpp>
#include <string>
#include <vector>

#include "net/hub/codec.h"

namespace ordeal::net::hub {
namespace {

// A record as a splitter hands it over.
std::string without_separator(std::string record) {
  EXPECT_EQ(record.back(), record_separator);
  record.pop_back();
  EXPECT_EQ(record.find(record_separator), std::string::npos);
  return record;
}

message must_decode(std::string_view record) {
  auto decoded = decode(record);
  EXPECT_TRUE(decoded.has_value()) << record << ": " << describe(decoded.error());
  return std::move(decoded).value();
}

// ---- encoding

TEST(HubCodec, EncodesExactly) {
  const json::array arguments{"general", 7, nullptr, true};
  EXPECT_EQ(encode_handshake_request(), "{\"protocol\":\"json\",\"version\":1}\x1e");
  EXPECT_EQ(encode_handshake_request(2), "{\"protocol\":\"json\",\"version\":2}\x1e");
  EXPECT_EQ(encode_handshake_response(), "{}\x1e");
  EXPECT_EQ(encode_handshake_response("no"), "{\"error\":\"no\"}\x1e");
  EXPECT_EQ(encode_invocation("Send", arguments),
            "{\"type\":1,\"target\":\"Send\",\"arguments\":[\"general\",7,null,true]}\x1e");
  EXPECT_EQ(encode_invocation("Send", json::array(), "12"),
            "{\"type\":1,\"invocationId\":\"12\",\"target\":\"Send\",\"arguments\":[]}\x1e");
  EXPECT_EQ(encode_completion_result("12", json::value(nullptr)),
            "{\"type\":3,\"invocationId\":\"12\",\"result\":null}\x1e");
  EXPECT_EQ(encode_completion_void("12"), "{\"type\":3,\"invocationId\":\"12\"}\x1e");
  EXPECT_EQ(encode_completion_error("12", "bad"),
            "{\"type\":3,\"invocationId\":\"12\",\"error\":\"bad\"}\x1e");
  EXPECT_EQ(encoded_ping(), "{\"type\":6}\x1e");
  EXPECT_EQ(encode_close(), "{\"type\":7}\x1e");
  EXPECT_EQ(encode_close("over", true),
            "{\"type\":7,\"error\":\"over\",\"allowReconnect\":true}\x1e");
}

TEST(HubCodec, EscapesWhatJsonDemands) {
  std::string every_control;
  for (int c = 0; c < 0x20; ++c) every_control += static_cast<char>(c);
  for (const std::string& text :
       {every_control, std::string("\"quoted\" \\ back"), std::string("\x1e"),
        std::string("gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80 \x7f"), std::string("plain")}) {
    const std::string record = without_separator(encode_completion_error(text + "i", text));
    const message decoded = must_decode(record);
    EXPECT_EQ(decoded.error, text);
    EXPECT_EQ(decoded.invocation_id, text + "i");
  }
}

// ---- decoding what was encoded

TEST(HubCodec, DecodesAnInvocation) {
  const json::array arguments{"general", json::object{{"n", 1}}};
  const std::string record = without_separator(encode_invocation("Message", arguments, "id 1"));
  const message decoded = must_decode(record);
  EXPECT_EQ(decoded.type, message_type::invocation);
  EXPECT_EQ(decoded.type_number, 1);
  EXPECT_EQ(decoded.target, "Message");
  EXPECT_EQ(decoded.invocation_id, "id 1");
  ASSERT_NE(decoded.arguments, nullptr);
  EXPECT_EQ(*decoded.arguments, arguments);
  EXPECT_EQ(decoded.result, nullptr);
  EXPECT_FALSE(decoded.error);
}

TEST(HubCodec, InvocationWithoutIdAllowsNoReply) {
  EXPECT_EQ(must_decode(R"({"type":1,"target":"T","arguments":[]})").invocation_id, "");
  EXPECT_EQ(
      must_decode(R"({"type":1,"invocationId":null,"target":"T","arguments":[]})").invocation_id,
      "");
}

TEST(HubCodec, DecodesTheThreeCompletions) {
  const std::string with_result = without_separator(encode_completion_result("7", json::value(42)));
  const message answered = must_decode(with_result);
  EXPECT_EQ(answered.type, message_type::completion);
  EXPECT_EQ(answered.type_number, 3);
  EXPECT_EQ(answered.invocation_id, "7");
  ASSERT_NE(answered.result, nullptr);
  EXPECT_EQ(*answered.result, 42);
  EXPECT_FALSE(answered.error);

  const std::string with_null =
      without_separator(encode_completion_result("7", json::value(nullptr)));
  const message answered_null = must_decode(with_null);
  ASSERT_NE(answered_null.result, nullptr);
  EXPECT_TRUE(answered_null.result->is_null());

  const message without = must_decode(R"({"type":3,"invocationId":"7"})");
  EXPECT_EQ(without.result, nullptr);
  EXPECT_FALSE(without.error);

  const message failed = must_decode(R"({"type":3,"invocationId":"7","error":"no such room"})");
  EXPECT_EQ(failed.result, nullptr);
  EXPECT_EQ(failed.error, "no such room");
}

TEST(HubCodec, DecodesPingAndClose) {
  EXPECT_EQ(must_decode(R"({"type":6})").type, message_type::ping);
  const message plain = must_decode(R"({"type":7})");
  EXPECT_EQ(plain.type, message_type::close);
  EXPECT_FALSE(plain.error);
  EXPECT_FALSE(plain.allow_reconnect);
  const message full = must_decode(R"({"type":7,"error":"drain","allowReconnect":true})");
  EXPECT_EQ(full.error, "drain");
  EXPECT_TRUE(full.allow_reconnect);
}

TEST(HubCodec, PassesUnknownTypesOn) {
  for (const int number : {0, 10, 99, -1}) {
    const message decoded = must_decode("{\"type\":" + std::to_string(number) +
                                        ",\"invocationId\":\"1\",\"sequenceId\":3}");
    EXPECT_EQ(decoded.type, message_type::other);
    EXPECT_EQ(decoded.type_number, number);
    EXPECT_EQ(decoded.invocation_id, "");
  }
}

TEST(HubCodec, DecodesStreams) {
  const message call = must_decode(
      R"({"type":4,"invocationId":"7","target":"T","arguments":[1],"streamIds":["8"]})");
  EXPECT_EQ(call.type, message_type::stream_invocation);
  EXPECT_EQ(call.invocation_id, "7");
  EXPECT_EQ(call.target, "T");
  EXPECT_EQ(call.arguments->size(), 1U);
  EXPECT_TRUE(call.has_streams);
  const message upload = must_decode(R"({"type":1,"target":"T","arguments":[],"streamIds":["1"]})");
  EXPECT_TRUE(upload.has_streams);
  EXPECT_FALSE(must_decode(R"({"type":1,"target":"T","arguments":[],"streamIds":[]})").has_streams);
  EXPECT_FALSE(
      must_decode(R"({"type":1,"target":"T","arguments":[],"streamIds":null})").has_streams);
  const message item = must_decode(R"({"type":2,"invocationId":"8","item":null})");
  EXPECT_EQ(item.type, message_type::stream_item);
  EXPECT_EQ(item.invocation_id, "8");
  EXPECT_TRUE(item.item->is_null());
  const message cancel = must_decode(R"({"type":5,"invocationId":"7"})");
  EXPECT_EQ(cancel.type, message_type::cancel_invocation);
  EXPECT_EQ(cancel.invocation_id, "7");
}

TEST(HubCodec, AcksAndSequencesBothWays) {
  const std::uint64_t large = 9'000'000'000'000;
  EXPECT_EQ(encode_ack(0), "{\"type\":8,\"sequenceId\":0}\x1e");
  EXPECT_EQ(encode_sequence(1), "{\"type\":9,\"sequenceId\":1}\x1e");
  const message ack = must_decode(without_separator(encode_ack(large)));
  EXPECT_EQ(ack.type, message_type::ack);
  EXPECT_EQ(ack.sequence_id, large);
  const message sequence = must_decode(without_separator(encode_sequence(3)));
  EXPECT_EQ(sequence.type, message_type::sequence);
  EXPECT_EQ(sequence.sequence_id, 3U);
}

TEST(HubCodec, TracksWhatStatefulReconnectCounts) {
  for (int number = 1; number <= 10; ++number) {
    const message decoded =
        must_decode("{\"type\":" + std::to_string(number) +
                    R"(,"invocationId":"1","item":1,"target":"T","arguments":[],"sequenceId":1})");
    EXPECT_EQ(is_tracked(decoded.type), number <= 5) << number;
  }
}

TEST(HubCodec, IgnoresUnknownMembersAndOrder) {
  const message decoded =
      must_decode(R"({"headers":{"a":"b"},"arguments":[1],"streamIds":[],"target":"T",)"
                  R"("TYPE":7,"x":null,"type":1})");
  EXPECT_EQ(decoded.type, message_type::invocation);
  EXPECT_EQ(decoded.target, "T");
}

TEST(HubCodec, HandshakesBothWays) {
  const std::string request_record = without_separator(encode_handshake_request(2));
  const auto request = decode_handshake_request(request_record);
  ASSERT_TRUE(request);
  EXPECT_EQ(request->type, message_type::handshake_request);
  EXPECT_EQ(request->protocol, "json");
  EXPECT_EQ(request->version, 2);
  const auto accepted = decode_handshake_response("{}");
  ASSERT_TRUE(accepted);
  EXPECT_EQ(accepted->type, message_type::handshake_response);
  EXPECT_FALSE(accepted->error);
  const auto refused = decode_handshake_response(R"({"error":"unknown protocol"})");
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->error, "unknown protocol");
}

// ---- legal JSON that cannot be held

TEST(HubCodec, KnowsTheCallWhoseArgumentsCannotBeHeld) {
  const std::string deep(40, '[');
  const std::string deep_end(40, ']');
  for (const std::string& arguments :
       {std::string(R"(["x","a\ud83d"])"), std::string(R"(["\ude00b"])"),
        std::string(R"(["\ude00\ud83d"])"), std::string(R"(["\ud83d\n", "}]"])"),
        "[" + deep + "\"}\"" + deep_end + "]", std::string("[1e99999999999]")}) {
    const std::string record =
        R"( {"arguments" : )" + arguments + R"(,"type":1, "target":"Send","invocationId":"7"} )";
    const auto decoded = decode(record);
    ASSERT_TRUE(decoded.has_value()) << record;
    EXPECT_EQ(decoded->type, message_type::invocation);
    EXPECT_EQ(decoded->target, "Send");
    EXPECT_EQ(decoded->invocation_id, "7");
    EXPECT_TRUE(decoded->arguments->empty());
    EXPECT_FALSE(decoded->unusable.empty());
  }
}

TEST(HubCodec, WhatIsNoJsonIsNotSalvaged) {
  for (const std::string_view record :
       {R"({"type":1,"target":"\ud83d","arguments":[})", R"({"type":1,"arguments":["\ud83d"])",
        R"({"type":1,"arguments":["\ud83d"]}})", R"(["\ud83d"])", R"({"type":1,"a":"\ud83d",})"}) {
    EXPECT_FALSE(decode(record).has_value()) << record;
  }
}

TEST(HubCodec, TakesEveryTextThatJsonCanHold) {
  const auto decoded = decode(
      R"({"type":1,"target":"Send","arguments":["\u0000\u001e\u2028\ufeff\uffff\ud83d\ude00",1e400,{"a":1,"a":2}]})");
  ASSERT_TRUE(decoded.has_value());
  EXPECT_EQ(decoded->arguments->at(0).as_string(),
            boost::json::string_view("\0\x1e\u2028\ufeff\uffff\U0001f600", 15));
  EXPECT_EQ(decoded->unusable, "");
  EXPECT_EQ(decoded->arguments->at(2).at("a"), 2) << "the last of two equal keys counts";
}

// ---- errors

struct wrong_record {
  const char* record;
  decode_errc why;
};

TEST(HubCodec, NamesWhatIsWrong) {
  const wrong_record cases[] = {
      {"", decode_errc::not_json},
      {"{", decode_errc::not_json},
      {"{\"type\":6} x", decode_errc::not_json},
      {"{'type':6}", decode_errc::not_json},
      {"{\"type\":6,\"a\":\"\xff\"}", decode_errc::not_json},
      {"[]", decode_errc::not_an_object},
      {"6", decode_errc::not_an_object},
      {"null", decode_errc::not_an_object},
      {"{}", decode_errc::bad_type},
      {R"({"Type":6})", decode_errc::bad_type},
      {R"({"type":"6"})", decode_errc::bad_type},
      {R"({"type":6.5})", decode_errc::bad_type},
      {R"({"type":null})", decode_errc::bad_type},
      {R"({"type":99999999999})", decode_errc::bad_type},
      {R"({"type":99999999999999999999})", decode_errc::bad_type},
      {R"({"type":1,"arguments":[]})", decode_errc::missing_field},
      {R"({"type":1,"target":"T"})", decode_errc::missing_field},
      {R"({"type":1,"Target":"T","arguments":[]})", decode_errc::missing_field},
      {R"({"type":1,"target":7,"arguments":[]})", decode_errc::bad_field},
      {R"({"type":1,"target":"T","arguments":{}})", decode_errc::bad_field},
      {R"({"type":1,"target":"T","arguments":null})", decode_errc::bad_field},
      {R"({"type":1,"target":"T","arguments":[],"invocationId":7})", decode_errc::bad_field},
      {R"({"type":3})", decode_errc::missing_field},
      {R"({"type":3,"invocationId":7})", decode_errc::bad_field},
      {R"({"type":3,"invocationId":""})", decode_errc::bad_field},
      {R"({"type":3,"invocationId":"7","error":1})", decode_errc::bad_field},
      {R"({"type":3,"invocationId":"7","result":1,"error":"x"})", decode_errc::result_and_error},
      {R"({"type":3,"invocationId":"7","result":null,"error":"x"})", decode_errc::result_and_error},
      {R"({"type":1,"target":"T","arguments":[],"streamIds":1})", decode_errc::bad_field},
      {R"({"type":2,"invocationId":"7"})", decode_errc::missing_field},
      {R"({"type":2,"item":1})", decode_errc::missing_field},
      {R"({"type":4,"target":"T","arguments":[]})", decode_errc::missing_field},
      {R"({"type":4,"target":"T","arguments":[],"invocationId":""})", decode_errc::bad_field},
      {R"({"type":4,"invocationId":"7","arguments":[]})", decode_errc::missing_field},
      {R"({"type":5})", decode_errc::missing_field},
      {R"({"type":8})", decode_errc::missing_field},
      {R"({"type":8,"sequenceId":"1"})", decode_errc::bad_field},
      {R"({"type":8,"sequenceId":1.5})", decode_errc::bad_field},
      {R"({"type":9,"sequenceId":-1})", decode_errc::bad_field},
      {R"({"type":7,"error":[]})", decode_errc::bad_field},
      {R"({"type":7,"allowReconnect":"yes"})", decode_errc::bad_field},
  };
  for (const wrong_record& each : cases) {
    const auto decoded = decode(each.record);
    ASSERT_FALSE(decoded.has_value()) << each.record;
    EXPECT_EQ(decoded.error(), each.why) << each.record << ": " << describe(decoded.error());
  }
}

TEST(HubCodec, NamesWhatIsWrongWithAHandshake) {
  const wrong_record requests[] = {
      {"", decode_errc::not_json},
      {"[]", decode_errc::not_an_object},
      {"{}", decode_errc::missing_field},
      {R"({"protocol":"json"})", decode_errc::missing_field},
      {R"({"version":1})", decode_errc::missing_field},
      {R"({"protocol":1,"version":1})", decode_errc::bad_field},
      {R"({"protocol":"json","version":"1"})", decode_errc::bad_field},
      {R"({"type":6})", decode_errc::missing_field},
  };
  for (const wrong_record& each : requests) {
    const auto decoded = decode_handshake_request(each.record);
    ASSERT_FALSE(decoded.has_value()) << each.record;
    EXPECT_EQ(decoded.error(), each.why) << each.record;
  }
  const wrong_record responses[] = {
      {"x", decode_errc::not_json},
      {"[]", decode_errc::not_an_object},
      {R"({"error":7})", decode_errc::bad_field},
      {R"({"type":6})", decode_errc::bad_type},
  };
  for (const wrong_record& each : responses) {
    const auto decoded = decode_handshake_response(each.record);
    ASSERT_FALSE(decoded.has_value()) << each.record;
    EXPECT_EQ(decoded.error(), each.why) << each.record;
  }
}

TEST(HubCodec, EveryErrorHasItsOwnWords) {
  std::vector<std::string> words;
  for (const decode_errc why :
       {decode_errc::not_json, decode_errc::not_an_object, decode_errc::bad_type,
        decode_errc::missing_field, decode_errc::bad_field, decode_errc::result_and_error}) {
    words.emplace_back(describe(why));
  }
  std::sort(words.begin(), words.end());
  EXPECT_EQ(std::adjacent_find(words.begin(), words.end()), words.end());
}

TEST(HubCodec, DeepNestingIsAnErrorNotACrash) {
  const std::string deep = R"({"type":1,"target":"T","arguments":)" + std::string(100'000, '[');
  const auto decoded = decode(deep);
  ASSERT_FALSE(decoded.has_value());
  EXPECT_EQ(decoded.error(), decode_errc::not_json);
}

// ---- memory

TEST(HubCodec, ViewsSurviveMovingTheMessage) {
  message first = must_decode(
      R"({"type":1,"invocationId":"i","target":"T","arguments":["a rather long argument"]})");
  const message second = std::move(first);
  EXPECT_EQ(second.target, "T");
  EXPECT_EQ(second.invocation_id, "i");
  EXPECT_EQ(json::serialize(*second.arguments), R"(["a rather long argument"])");
}

// The caller's memory is enough: nothing comes from the heap, whatever the record is.
class counting_resource final : public json::memory_resource {
 public:
  std::size_t allocation_count = 0;

 private:
  void* do_allocate(std::size_t size, std::size_t /*alignment*/) override {
    ++allocation_count;
    return ::operator new(size);
  }
  void do_deallocate(void* memory, std::size_t, std::size_t) override { ::operator delete(memory); }
  bool do_is_equal(const json::memory_resource& other) const noexcept override {
    return this == &other;
  }
};

TEST(HubCodec, DocumentLivesInTheGivenMemory) {
  counting_resource upstream;
  std::array<unsigned char, 4096> bytes{};
  json::monotonic_resource memory(bytes.data(), bytes.size(), &upstream);
  const auto decoded = decode(R"({"type":1,"target":"Message",)"
                              R"("arguments":["room","cursor","id","some text of a message"]})",
                              &memory);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->document.storage().get(), &memory);
  EXPECT_EQ(decoded->arguments->storage().get(), &memory);
  const auto* at = reinterpret_cast<const unsigned char*>(decoded->arguments);
  EXPECT_TRUE(at >= bytes.data() && at < bytes.data() + bytes.size());
  EXPECT_EQ(upstream.allocation_count, 0U);
}

}  // namespace
}  // namespace ordeal::net::hub
