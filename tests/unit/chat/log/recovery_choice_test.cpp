// Goal: reports survive the way through Redis, bad ones are told apart, and all nodes choose the
// same actor from the same reports.
#include <gtest/gtest.h>

#include "reference-server/log/recovery.h"
#include "tests/unit/chat/log/entries.h"

namespace ordeal::chat {
namespace {

report report_of(std::string log_id, position last, std::uint64_t low,
                 std::vector<std::string> members = {}) {
  report result;
  result.log_id = std::move(log_id);
  result.last = last;
  result.low = low;
  result.members = std::move(members);
  return result;
}

TEST(Report, HasOneText) {
  report what = report_of("log1", {2, 40}, 12, {"b", "c"});
  what.marks = {{"a", 7}, {"b", 18'446'744'073'709'551'615U}};
  EXPECT_EQ(format_report(what), "log1 2-40 12 b,c a=7,b=18446744073709551615");
  EXPECT_EQ(format_report(report()), "- 0-0 0 - -");
}

TEST(Report, SurvivesTheRoundTrip) {
  const auto full = parse_report("log1 2-40 12 b,c a=7,b=9");
  ASSERT_TRUE(full);
  EXPECT_EQ(full->log_id, "log1");
  EXPECT_EQ(full->last, (position{2, 40}));
  EXPECT_EQ(full->low, 12U);
  EXPECT_EQ(full->members, (std::vector<std::string>{"b", "c"}));
  EXPECT_EQ(full->marks, (std::map<std::string, std::uint64_t>{{"a", 7}, {"b", 9}}));
  EXPECT_TRUE(full->has_history());
  const auto empty = parse_report("- 0-0 0 - -");
  ASSERT_TRUE(empty);
  EXPECT_EQ(empty->log_id, "");
  EXPECT_TRUE(empty->members.empty());
  EXPECT_TRUE(empty->marks.empty());
  EXPECT_FALSE(empty->has_history());
}

TEST(Report, RefusesWhatIsNotOne) {
  for (const char* text : {"",
                           " ",
                           "-",
                           "- 0-0 0 -",
                           "- 0-0 0 - - -",
                           "log1 2 12 - -",
                           "log1 2-x 12 - -",
                           "log1 2-40 x - -",
                           "log1 2-40 -1 - -",
                           "log1 2-40 12 - a",
                           "log1 2-40 12 - a=",
                           "log1 2-40 12 - a=x",
                           "log1 2-40 12 - a=1,b",
                           "log1 2-40 12 - a=1,,b=2",
                           "log1 2-40 12 - a=18446744073709551616",
                           "log1 2-40 12 b c a=1",
                           "log1 2-40 12 b,, a=1",
                           "log1 2-40 12 ,b a=1",
                           "log1 2-40 12 b =1",
                           "log1\n2-40\n12\n-\n-"})
    EXPECT_FALSE(parse_report(text)) << "'" << text << "'";
}

// Every cut and every changed byte of a good report is either refused or read as something whose own
// text reads the same.
TEST(Report, BrokenTextsAreRefusedOrReadTheSameAgain) {
  const std::string good = "log1 2-40 12 b,c a=7,b=9";
  std::vector<std::string> broken;
  for (std::size_t length = 0; length < good.size(); ++length)
    broken.push_back(good.substr(0, length));
  for (std::size_t at = 0; at < good.size(); ++at) {
    for (const char c : {' ', ',', '=', '-', '0', 'x', '\0', '\xff'}) {
      broken.push_back(good);
      broken.back()[at] = c;
    }
  }
  for (const std::string& text : broken) {
    const auto parsed = parse_report(text);
    if (!parsed) continue;
    const auto again = parse_report(format_report(*parsed));
    ASSERT_TRUE(again) << "'" << text << "'";
    EXPECT_EQ(format_report(*again), format_report(*parsed)) << "'" << text << "'";
    EXPECT_EQ(again->last, parsed->last);
  }
}

TEST(Round, BelongsToOneIncarnation) {
  EXPECT_EQ(make_round("a.1", "life"), "a.1@life");
  EXPECT_TRUE(is_round_of("a.1@life", "life"));
  for (const char* other : {"", "life", "a.1", "a.1@", "a.1@lif", "a.1@life2", "a.1@other"})
    EXPECT_FALSE(is_round_of(other, "life")) << other;
}

class Choice : public testing::Test {
 protected:
  choice choose() const {
    patience waited;
    waited.is_grace_over = is_grace_over_;
    waited.is_boot_over = is_boot_over_;
    return choose_actor(reports_, waited);
  }
  reports_by_origin reports_;
  bool is_grace_over_ = false;
  bool is_boot_over_ = false;
};

TEST_F(Choice, IsNobodyWithoutReports) {
  is_grace_over_ = is_boot_over_ = true;
  EXPECT_EQ(choose().actor, "");
}

TEST_F(Choice, IsTheOneWhoHasReadMost) {
  reports_["a"] = report_of("log1", {1, 20}, 1);
  reports_["b"] = report_of("log1", {1, 30}, 25);
  reports_["c"] = report_of("log1", {1, 10}, 1);
  EXPECT_EQ(choose().actor, "b");
}

TEST_F(Choice, PrefersTheLaterTermOverTheHigherIndex) {
  reports_["a"] = report_of("log1", {1'000'001, 90}, 1);
  reports_["b"] = report_of("log1", {2'000'005, 30}, 1);
  EXPECT_EQ(choose().actor, "b");
}

// Two recoveries that knew nothing of each other: the longer branch loses less.
TEST_F(Choice, WithinATermPrefersTheHigherIndex) {
  reports_["a"] = report_of("log1", {2'000'001, 90}, 1);
  reports_["b"] = report_of("log1", {2'900'000, 30}, 1);
  EXPECT_EQ(choose().actor, "a");
}

TEST_F(Choice, OfEqualsIsTheOneWhoHoldsMost) {
  reports_["a"] = report_of("log1", {1, 30}, 9);
  reports_["b"] = report_of("log1", {1, 30}, 4);
  reports_["c"] = report_of("log1", {1, 30}, 8);
  EXPECT_EQ(choose().actor, "b");
}

TEST_F(Choice, OfEqualsInAllIsTheFirstByName) {
  for (const char* name : {"c", "a", "b"}) reports_[name] = report_of("log1", {1, 30}, 4);
  EXPECT_EQ(choose().actor, "a");
}

TEST_F(Choice, WaitsForKnownMembersUntilTheGraceIsOver) {
  reports_["a"] = report_of("log1", {1, 30}, 4, {"b", "d"});
  reports_["b"] = report_of("log1", {1, 20}, 4, {"a", "c"});
  EXPECT_EQ(choose().actor, "");
  EXPECT_EQ(choose().missing, (std::vector<std::string>{"c", "d"}));
  is_boot_over_ = true;
  EXPECT_EQ(choose().actor, "") << "the boot grace is for others";
  is_grace_over_ = true;
  EXPECT_EQ(choose().actor, "a");
  EXPECT_EQ(choose().missing, (std::vector<std::string>{"c", "d"})) << "it is said who was missing";
}

TEST_F(Choice, DoesNotWaitWhenAllWereHeard) {
  reports_["a"] = report_of("log1", {1, 30}, 4, {"b"});
  reports_["b"] = report_of("log1", {1, 20}, 4, {"a"});
  EXPECT_EQ(choose().actor, "a");
  EXPECT_TRUE(choose().missing.empty());
}

// docs/log-protocol.md, H10: nobody begins a log at once.
TEST_F(Choice, OfNodesWithoutHistoryIsTheFirstAfterTheBootGrace) {
  reports_["b"] = report();
  reports_["a"] = report();
  EXPECT_EQ(choose().actor, "");
  is_grace_over_ = true;
  EXPECT_EQ(choose().actor, "");
  is_boot_over_ = true;
  EXPECT_EQ(choose().actor, "a");
}

TEST_F(Choice, IsNeverAJoinerBesideANodeWithHistory) {
  reports_["a"] = report();
  reports_["b"] = report_of("log1", {1, 2}, 1);
  EXPECT_EQ(choose().actor, "b") << "no boot grace is needed";
  is_grace_over_ = is_boot_over_ = true;
  EXPECT_EQ(choose().actor, "b");
}

}  // namespace
}  // namespace ordeal::chat
