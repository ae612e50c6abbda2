// Goal: the same trouble is counted as one, whatever it quotes; neither secrets nor what steers a terminal get through.
#include "harness/history/reason_text.h"

#include <gtest/gtest.h>

namespace ordeal::harness {
namespace {

TEST(ReasonText, FoldsWhatDiffersFromTimeToTime) {
  EXPECT_EQ(reason_text("client-17 waited 231 ms for room-4"), "client-# waited # ms for room-#");
  EXPECT_EQ(reason_text("id 3f2504e0-4f89-11d3-9a0c-0305e82c3301"), "id #");
  EXPECT_EQ(reason_text("key abcd2efghijk3lmnop is held"), "key # is held");
  EXPECT_EQ(reason_text("2026-11-27T19:12:33.123Z lost 127.0.0.1:6379"),
            "#-#-#:#:#.#Z lost #.#.#.#:#");
  EXPECT_EQ(reason_text("StackExchange.Redis.RedisConnectionException"),
            "StackExchange.Redis.RedisConnectionException");
}

TEST(ReasonText, KeepsCodes) {
  EXPECT_EQ(reason_text("/chat answers HTTP 503"), "/chat answers HTTP 503");
  EXPECT_EQ(reason_text("closed (1006) with code 1011, exit code 3"),
            "closed (1006) with code 1011, exit code 3");
  EXPECT_EQ(reason_text("OOM command not allowed when used memory > 'maxmemory'."),
            "OOM command not allowed when used memory > 'maxmemory'.");
}

TEST(ReasonText, IsOneShortLineThatSteersNothing) {
  EXPECT_EQ(reason_text("  a\r\n\tb  \x1b[2Jc"), "a b \\u{1b}[#Jc");
  EXPECT_EQ(reason_text(" \n"), "(no text)");
  std::string letters;
  for (int i = 0; i < 5'000; ++i) letters += "ab ";
  EXPECT_LT(reason_text(letters).size(), 300U);
  EXPECT_EQ(reason_text("\xff"), "\xEF\xBF\xBD");
}

TEST(ReasonText, Masks) {
  const std::vector<std::string> secrets{"hunter2", ""};
  EXPECT_EQ(reason_text("AUTH chat hunter2 failed", secrets), "AUTH chat *** failed");
  EXPECT_EQ(reason_text("redis://chat:swordfish@host:1/0 is away"),
            "redis://chat:***@host:#/# is away");
  EXPECT_EQ(reason_text("login with password=swordfish, user=chat"),
            "login with password=***, user=chat");
  EXPECT_EQ(reason_text(R"({"token":"swordfish","n":1})"), R"({"token":"***","n":#})");
  EXPECT_EQ(reason_text("Authorization: Bearer swordfish"), "Authorization: Bearer ***");
  EXPECT_EQ(reason_text("WRONGPASS invalid username-password pair or user is disabled."),
            "WRONGPASS invalid username-password pair or user is disabled.");
}

TEST(ReasonText, NormalisingTwiceChangesNothing) {
  const std::string raw =
      "password=x redis://u:p@h:6379 HTTP 503 (1006) client-3 \x1b[0m deadbeef01 after 12 ms\n";
  const std::string once = reason_text(raw);
  EXPECT_EQ(reason_text(once), once);
  const std::string cut = reason_text(std::string(200, 'a') + " " + raw + std::string(900, 'z'));
  EXPECT_EQ(reason_text(cut), cut);
}

TEST(ReasonText, NumberOfTextsIsBounded) {
  reason_bounds bounds;
  std::set<std::string> texts;
  for (int i = 0; i < 500; ++i)
    texts.insert(bounds.admit(reason_kind::send_refused, "text " + std::to_string(i)));
  EXPECT_EQ(texts.size(), reason_bounds::texts_max + 1);
  EXPECT_EQ(bounds.admit(reason_kind::send_refused, "text 3"), "text 3");
  EXPECT_EQ(bounds.admit(reason_kind::join_refused, "text 400"), "text 400") << "of another kind";
}

TEST(ReasonBounds, TakeEveryKind) {
  reason_bounds bounds;
  for (std::size_t kind = 0; kind < reason_kind_count; ++kind)
    EXPECT_EQ(bounds.admit(reason_kind(kind), "text"), "text") << kind;
}

TEST(ReasonText, TroubleIsKnownByItsWords) {
  EXPECT_TRUE(speaks_of_trouble("level=ERROR connection refused"));
  EXPECT_TRUE(speaks_of_trouble("System.TimeoutException: timed out"));
  EXPECT_FALSE(speaks_of_trouble("listening on port 3"));
}

}  // namespace
}  // namespace ordeal::harness
