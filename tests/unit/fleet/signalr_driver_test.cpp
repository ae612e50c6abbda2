// The SignalR driver, fed by hand: whole records, records cut anywhere, and garbage.
#include "harness/drivers/signalr.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <stdexcept>

#include "tests/unit/fleet/recipe.h"

namespace ordeal::harness {
namespace {

const std::string end_of_record = "\x1e";

// What came out, as text: a test reads better than with variants.
std::string describe(const driver_event& what) {
  if (const auto* acked = std::get_if<driver_acked>(&what)) {
    const std::string kind = acked->is_error ? "error " : "ok ";
    const std::string_view text = acked->is_error ? acked->error : acked->cursor;
    return kind + std::to_string(acked->request) + " " + std::string(text);
  }
  if (const auto* got = std::get_if<driver_received>(&what)) {
    return "got " + std::string(got->payload) + " in " + std::string(got->room) + " at " +
           std::string(got->cursor);
  }
  if (const auto* reset = std::get_if<driver_reset>(&what))
    return "reset " + std::string(reset->room);
  if (const auto* closing = std::get_if<driver_closing>(&what)) {
    return "closing " + std::string(closing->reason);
  }
  if (const auto* broken = std::get_if<driver_broken>(&what)) return "broken " + broken->reason;
  return "ready";
}

class SignalrDriver : public testing::Test {
 protected:
  std::vector<std::string> feed(const std::string& frame) {
    std::vector<driver_event> events;
    driver_->on_message(frame, events);
    std::vector<std::string> texts;
    for (const driver_event& what : events) texts.push_back(describe(what));
    return texts;
  }
  std::vector<std::string> feed_record(const std::string& record) {
    return feed(record + end_of_record);
  }
  void shake_hands() { ASSERT_EQ(feed_record("{}"), texts({"ready"})); }

  static std::vector<std::string> texts(std::initializer_list<std::string> list) { return list; }

  static boost::json::object parse_record(const std::string& bytes) {
    EXPECT_EQ(bytes.back(), '\x1e');
    return boost::json::parse(std::string_view(bytes).substr(0, bytes.size() - 1)).as_object();
  }

  target target_ = make_reference_target();
  std::unique_ptr<driver> driver_ = make_driver(target_);
};

TEST_F(SignalrDriver, OpensWithTheHandshake) {
  EXPECT_EQ(driver_->path(), "/chat");
  EXPECT_EQ(parse_record(driver_->on_open()),
            parse_record("{\"protocol\":\"json\",\"version\":1}\x1e"));
  shake_hands();
}

TEST_F(SignalrDriver, RefusedHandshakeIsBroken) {
  EXPECT_EQ(feed_record(R"({"error":"no such protocol"})"),
            texts({"broken handshake refused: no such protocol"}));
}

TEST_F(SignalrDriver, FirstJoinSendsNullAndTakesTheCursorFromTheResult) {
  shake_hands();
  EXPECT_EQ(parse_record(driver_->join(7, "room-1", std::nullopt)),
            parse_record("{\"type\":1,\"target\":\"Join\",\"arguments\":[\"room-1\",null],"
                         "\"invocationId\":\"7\"}\x1e"));
  EXPECT_EQ(feed_record(R"({"type":3,"invocationId":"7","result":"log:1-5"})"),
            texts({"ok 7 log:1-5"}));
}

TEST_F(SignalrDriver, ResumeSendsTheCursor) {
  shake_hands();
  const auto sent = parse_record(driver_->join(8, "room-1", "log:1-5"));
  EXPECT_EQ(sent.at("arguments").as_array().at(1).as_string(), "log:1-5");
}

TEST_F(SignalrDriver, ResultOfAPublishIsNoCursorOfTheClient) {
  shake_hands();
  const auto sent = parse_record(driver_->publish(9, "room-1", "m-1", "text"));
  EXPECT_EQ(sent.at("target").as_string(), "Send");
  EXPECT_EQ(sent.at("arguments"), boost::json::parse(R"(["room-1","m-1","text"])"));
  EXPECT_EQ(feed_record(R"({"type":3,"invocationId":"9","result":"log:1-9"})"), texts({"ok 9 "}));
}

TEST_F(SignalrDriver, ErrorsComeBackWithTheirText) {
  shake_hands();
  EXPECT_EQ(feed_record(R"({"type":3,"invocationId":"9","error":"retry: no Redis"})"),
            texts({"error 9 retry: no Redis"}));
}

TEST_F(SignalrDriver, CallWithoutAckCarriesNoId) {
  target_.protocol.publish.has_ack = false;
  EXPECT_FALSE(parse_record(driver_->publish(9, "room-1", "m-1", "text")).contains("invocationId"));
}

TEST_F(SignalrDriver, SeveralRecordsInAFrameKeepTheirViewsAlive) {
  shake_hands();
  std::string frame;
  std::vector<std::string> expected;
  for (int index = 0; index < 40; ++index) {
    const std::string payload = "payload-" + std::string(200, 'x') + std::to_string(index);
    frame += R"({"type":1,"target":"Message","arguments":["room-1","c)" + std::to_string(index) +
             R"(","m",")" + payload + "\"]}" + end_of_record;
    expected.push_back("got " + payload + " in room-1 at c" + std::to_string(index));
  }
  // Memory that grew with every such frame would be gone long before the last one.
  for (int repeat = 0; repeat < 200; ++repeat) ASSERT_EQ(feed(frame), expected) << repeat;
}

TEST_F(SignalrDriver, RecordsCutAnywhereGiveTheSameEvents) {
  const std::string stream =
      "{}" + end_of_record + R"({"type":6})" + end_of_record +
      R"({"type":1,"target":"Message","arguments":["room-1","c1","m","text"]})" + end_of_record +
      R"({"type":3,"invocationId":"4","error":"refused: no"})" + end_of_record +
      R"({"type":1,"target":"Reset","arguments":["room-2","trimmed"]})" + end_of_record;
  const auto expected =
      texts({"ready", "got text in room-1 at c1", "error 4 refused: no", "reset room-2"});
  for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
    driver_ = make_driver(target_);
    auto events = feed(stream.substr(0, cut));
    for (auto& rest : feed(stream.substr(cut))) events.push_back(std::move(rest));
    EXPECT_EQ(events, expected) << "cut at " << cut;
  }
  driver_ = make_driver(target_);
  std::vector<std::string> events;
  for (const char byte : stream) {
    for (auto& one : feed(std::string(1, byte))) events.push_back(std::move(one));
  }
  EXPECT_EQ(events, expected) << "byte by byte";
}

TEST_F(SignalrDriver, OtherTalkOfTheServerIsIgnored) {
  shake_hands();
  EXPECT_TRUE(feed_record(R"({"type":6})").empty());
  EXPECT_TRUE(feed_record(R"({"type":1,"target":"UserJoined","arguments":[]})").empty());
  EXPECT_TRUE(feed_record(R"({"type":2,"invocationId":"1","item":3})").empty());
  EXPECT_TRUE(driver_->take_replies().empty());
}

TEST_F(SignalrDriver, CloseEndsTheConversation) {
  shake_hands();
  const std::string close = R"({"type":7,"error":"draining","allowReconnect":true})";
  EXPECT_EQ(feed_record(close), texts({"closing draining"}));
  EXPECT_TRUE(
      feed_record(R"({"type":1,"target":"Message","arguments":["r","c","m","t"]})").empty());
}

TEST_F(SignalrDriver, GarbageIsBrokenWithAReason) {
  const std::string records[] = {
      "not json",
      "[]",
      R"({"type":1,"target":"Message"})",
      R"({"type":1,"target":"Message","arguments":["room","c","m"]})",
      R"({"type":1,"target":"Message","arguments":["room","c","m",5]})",
      R"({"type":1,"target":"Message","arguments":[1,"c","m","t"]})",
      R"({"type":1,"target":"Reset","arguments":[]})",
      R"({"type":3,"invocationId":"x7"})",
      R"({"type":3,"invocationId":"7","result":1,"error":"e"})",
  };
  for (const std::string& record : records) {
    driver_ = make_driver(target_);
    shake_hands();
    const auto events = feed_record(record);
    ASSERT_EQ(events.size(), 1U) << record;
    EXPECT_EQ(events[0].substr(0, 7), "broken ") << record;
    EXPECT_GT(events[0].size(), 12U) << record;
  }
}

TEST_F(SignalrDriver, CursorThatIsNoStringIsBroken) {
  shake_hands();
  driver_->join(7, "room-1", std::nullopt);
  EXPECT_EQ(feed_record(R"({"type":3,"invocationId":"7","result":5})"),
            texts({"broken Join: its result, the cursor, is no string"}));
}

TEST_F(SignalrDriver, EndlessRecordIsBroken) {
  shake_hands();
  const std::string chunk(300'000, 'x');
  std::vector<std::string> events;
  for (int count = 0; count < 10 && events.empty(); ++count) events = feed(chunk);
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].substr(0, 15), "broken a record");
}

TEST(Drivers, UnknownNameIsRefused) {
  target of = make_reference_target();
  of.driver = "telepathy";
  EXPECT_THROW(make_driver(of), std::invalid_argument);
  for (const std::string& name : driver_names()) {
    of.driver = name;
    EXPECT_NE(make_driver(of), nullptr);
  }
}

}  // namespace
}  // namespace ordeal::harness
