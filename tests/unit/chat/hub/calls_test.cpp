#include "reference-server/hub/calls.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>

namespace ordeal::chat {
namespace {

call parse(std::string_view target, std::string_view arguments) {
  const boost::json::value list =
      boost::json::parse(boost::json::string_view(arguments.data(), arguments.size()));
  net::hub::message invocation;
  invocation.type = net::hub::message_type::invocation;
  invocation.target = target;
  invocation.arguments = &list.as_array();
  return parse_call(invocation, hub_limits{});
}

std::string error_of(std::string_view target, std::string_view arguments) {
  const call parsed = parse(target, arguments);
  const auto* const refused = std::get_if<refused_call>(&parsed);
  return refused == nullptr ? "accepted" : refused->error;
}

TEST(Calls, AcceptTheThreeMethods) {
  const auto join = std::get<join_call>(parse("Join", R"(["lobby",null])"));
  EXPECT_EQ(join.room, "lobby");
  EXPECT_FALSE(join.cursor.has_value());
  EXPECT_EQ(std::get<join_call>(parse("Join", R"(["lobby","a:1-2"])")).cursor, "a:1-2");
  EXPECT_EQ(std::get<leave_call>(parse("Leave", R"(["lobby"])")).room, "lobby");
  const auto sent = std::get<send_call>(parse("Send", R"(["lobby","m1","hello"])"));
  EXPECT_EQ(sent.room + sent.client_message_id + sent.text, "lobbym1hello");
}

TEST(Calls, RefuseWhatIsNoMethod) {
  EXPECT_EQ(error_of("send", "[]"), "refused: unknown method, this hub has Join, Leave and Send");
  EXPECT_EQ(error_of("Join", R"(["lobby"])"), "refused: Join takes (room, cursor or null)");
  EXPECT_EQ(error_of("Leave", "[]"), "refused: Leave takes (room)");
  EXPECT_EQ(error_of("Send", R"(["lobby","m1"])"),
            "refused: Send takes (room, clientMessageId, text)");
}

TEST(Calls, RefuseArgumentsOfTheWrongKind) {
  EXPECT_EQ(error_of("Join", "[5,null]"), "refused: room must be a string");
  EXPECT_EQ(error_of("Join", R"(["lobby",5])"), "refused: cursor must be a string or null");
  EXPECT_EQ(error_of("Send", R"(["lobby",1,"x"])"), "refused: clientMessageId must be a string");
  EXPECT_EQ(error_of("Send", R"(["lobby","m1",{}])"), "refused: text must be a string");
}

TEST(Calls, KeepTheLimits) {
  const std::string room(200, 'r');
  const std::string text(65'536, 't');
  EXPECT_EQ(error_of("Leave", R"([")" + room + R"("])"), "accepted");
  EXPECT_EQ(error_of("Leave", R"([")" + room + R"(r"])"),
            "refused: room has 201 bytes, at most 200 are allowed");
  EXPECT_EQ(error_of("Leave", R"([""])"), "refused: room is empty");
  EXPECT_EQ(error_of("Leave", R"(["a\nb"])"), "refused: room contains control characters");
  EXPECT_EQ(error_of("Send", R"(["a","","x"])"), "refused: clientMessageId is empty");
  EXPECT_EQ(error_of("Send", R"(["a","m",")" + text + R"("])"), "accepted");
  EXPECT_EQ(error_of("Send", R"(["a","m",")" + text + R"(t"])"),
            "refused: text has 65537 bytes, at most 65536 are allowed");
  EXPECT_EQ(error_of("Send", R"(["a","m",""])"), "accepted") << "an empty text is a message";
}

}  // namespace
}  // namespace ordeal::chat
