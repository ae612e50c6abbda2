// A client's place in a room: when it is joined, and which cursor the next join carries.
#include "harness/fleet/membership.h"

#include <gtest/gtest.h>

namespace ordeal::harness {
namespace {

const net::time_point now = net::time_point(std::chrono::seconds(100));

membership make_member(bool can_resume = true) {
  return membership(room_id{1}, can_resume);
}

TEST(Membership, FirstJoinHasNoCursor) {
  auto member = make_member();
  EXPECT_EQ(member.begin_join(5, now), std::nullopt);
  EXPECT_FALSE(member.is_resume());
  EXPECT_TRUE(member.is_joining());
  EXPECT_TRUE(member.awaits(5));
  EXPECT_FALSE(member.awaits(6));
  member.confirm("c1");
  EXPECT_TRUE(member.is_joined());
  EXPECT_FALSE(member.awaits(5));
}

TEST(Membership, ResumesFromTheJoinsCursorOrTheLatestMessage) {
  auto member = make_member();
  member.begin_join(1, now);
  member.confirm("c1");
  member.on_disconnect();
  EXPECT_FALSE(member.is_joined());
  EXPECT_EQ(member.begin_join(2, now), "c1");
  EXPECT_TRUE(member.is_resume());
  member.confirm("c9");
  member.on_message("c2");
  member.on_disconnect();
  EXPECT_EQ(member.begin_join(3, now), "c2");
}

// The server registered the client at c9, what lies between is still under way: taking c9 would
// skip it.
TEST(Membership, AnswerToAResumeDoesNotMoveTheCursor) {
  auto member = make_member();
  member.begin_join(1, now);
  member.confirm("c1");
  member.on_disconnect();
  member.begin_join(2, now);
  member.confirm("c9");
  member.on_disconnect();
  EXPECT_EQ(member.begin_join(3, now), "c1");
}

TEST(Membership, MessagesThatOvertakeTheAnswerKeepTheirCursor) {
  auto member = make_member();
  member.begin_join(1, now);
  member.on_message("c2");
  member.confirm("c1");
  member.on_disconnect();
  EXPECT_EQ(member.begin_join(2, now), "c2");
}

TEST(Membership, AfterAResetTheNextCursorCounts) {
  auto member = make_member();
  member.begin_join(1, now);
  member.confirm("old");
  member.on_disconnect();
  member.begin_join(2, now);
  member.on_reset();
  member.confirm("new");
  member.on_disconnect();
  EXPECT_EQ(member.begin_join(3, now), "new");
}

TEST(Membership, CutOffRightAfterAResetItAsksAgain) {
  auto member = make_member();
  member.begin_join(1, now);
  member.confirm("old");
  member.on_reset();
  member.on_disconnect();
  EXPECT_EQ(member.begin_join(2, now), "old");
}

TEST(Membership, WithoutResumeEveryJoinIsPlain) {
  auto member = make_member(false);
  member.begin_join(1, now);
  member.confirm("c1");
  member.on_message("c2");
  member.on_disconnect();
  EXPECT_EQ(member.begin_join(2, now), std::nullopt);
  EXPECT_FALSE(member.is_resume());
}

TEST(Membership, EmptyCursorsChangeNothing) {
  auto member = make_member();
  member.begin_join(1, now);
  member.confirm("c1");
  member.on_message("");
  member.on_disconnect();
  EXPECT_EQ(member.begin_join(2, now), "c1");
}

}  // namespace
}  // namespace ordeal::harness
