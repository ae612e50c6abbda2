// Goal: an id is one message of one sender: a key makes the same sender everywhere, and nothing else does.
#include "reference-server/hub/sender.h"

#include <gtest/gtest.h>

#include "tests/unit/chat/hub/hub_fixture.h"

namespace ordeal::chat::test {
namespace {

const std::string key = "0123456789abcdef";

TEST(Sender, IsWhoShowsTheKey) {
  EXPECT_EQ(sender_scope(key), sender_scope(key));
  EXPECT_NE(sender_scope(key), sender_scope(key + "0"));
  EXPECT_EQ(sender_scope(key).find(key.substr(0, 4)), std::string::npos)
      << "the log is read by others";
}

// Written into logs: another scope for the same key would take no repetition for one.
TEST(Sender, HasTheSameScopeInEveryVersion) {
  EXPECT_EQ(sender_scope(key), "kvvhhniqovvtt5b2");
}

TEST(Sender, WithoutAKeyIsTheSession) {
  EXPECT_NE(session_scope(), session_scope());
  EXPECT_NE(session_scope().front(), sender_scope(key).front()) << "nobody can claim another's";
}

TEST(Sender, KeysAreLongEnoughAndPlain) {
  EXPECT_EQ(sender_key_error(key), "");
  EXPECT_EQ(sender_key_error("Az09-._~Az09-._~"), "");
  EXPECT_EQ(sender_key_error(std::string(128, 'x')), "");
  EXPECT_NE(sender_key_error(std::string(129, 'x')), "");
  EXPECT_NE(sender_key_error("0123456789abcde"), "");
  EXPECT_NE(sender_key_error("0123456789abcde%20"), "") << "as it would be escaped, or not";
}

TEST(Sender, ClientsSeeTheirOwnIds) {
  const std::string scoped = scoped_id("k0", "m1");
  EXPECT_NE(scoped, "m1");
  EXPECT_EQ(own_id(scoped), "m1");
  EXPECT_EQ(own_id("m1"), "m1") << "of a log from before ids had a scope";
}

class SenderOfASession : public hub_fixture {
 protected:
  // Under which id the log gets a message that this client calls "m".
  std::string id_in_the_log(const std::string& query) {
    auto opened = connect(query);
    tell(opened, R"({"protocol":"json","version":1})");
    invoke(opened, "1", "Send", R"(["a","m","t"])");
    return log.accepted_ids.back();
  }
};

TEST_F(SenderOfASession, IsClaimedByItsQuery) {
  start();
  const std::string claimed = id_in_the_log("sender=" + key);
  EXPECT_EQ(claimed, scoped_id(sender_scope(key), "m"));
  EXPECT_EQ(id_in_the_log("x=1&sender=" + key), claimed) << "another connection";
  EXPECT_NE(id_in_the_log(""), id_in_the_log("")) << "nobody claims anything";
}

TEST_F(SenderOfASession, IsRefusedWithAKeyThatAnybodyMayGuess) {
  start();
  EXPECT_EQ(admitted("sender=" + key), 101U);
  EXPECT_EQ(admitted("sender=me"), 400U);
  EXPECT_EQ(admitted("sender="), 101U) << "as without";
  net::http_request request;
  request.method = "POST";
  request.path = "/chat/negotiate";
  request.query = "negotiateVersion=1&sender=me";
  EXPECT_EQ(hub->negotiate(request).status, 400U);
}

}  // namespace
}  // namespace ordeal::chat::test
