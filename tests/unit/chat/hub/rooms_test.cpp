#include "reference-server/hub/rooms.h"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>

namespace ordeal::chat {
namespace {

struct quiet_outlet final : outlet {
  using outlet::outlet;
  void flush() override {}
};

class Rooms : public testing::Test {
 protected:
  ~Rooms() override {
    for (outlet* out : {&first_, &second_}) flush_.forget(*out);
  }

  std::size_t deliver(const std::string& name, position at, std::string text,
                      std::optional<position> earlier = std::nullopt) {
    const room* const where = rooms_.find(name);
    entry read;
    read.at = at;
    read.earlier = earlier;
    const auto record = std::make_shared<const std::string>(std::move(text));
    return where == nullptr ? 0 : rooms_.deliver(*where, read, record, flush_);
  }
  static std::string taken(outlet& from) {
    std::vector<record_ptr> frame;
    from.queue.take(frame, 1'000);
    std::string joined;
    for (const auto& part : frame) joined += *part;
    return joined;
  }

  boost::asio::io_context io_;
  flusher flush_{io_.get_executor(), flush_pacing{}};
  room_table rooms_;
  quiet_outlet first_{100};
  quiet_outlet second_{100};
};

TEST_F(Rooms, DeliverToEveryMemberOfTheRoomOnly) {
  membership here(first_, "a");
  membership there(second_, "b");
  rooms_.enter(here);
  rooms_.enter(there);
  EXPECT_EQ(deliver("a", position{1, 1}, "x"), 1U);
  EXPECT_EQ(taken(first_), "x");
  EXPECT_EQ(taken(second_), "");
  EXPECT_TRUE(first_.is_dirty);
  EXPECT_FALSE(second_.is_dirty);
}

TEST_F(Rooms, ForgetARoomWithItsLastMember) {
  membership one(first_, "a");
  membership two(second_, "a");
  rooms_.enter(one);
  rooms_.enter(two);
  rooms_.leave(one);
  EXPECT_EQ(deliver("a", position{1, 1}, "x"), 1U);
  EXPECT_EQ(taken(second_), "x");
  rooms_.leave(two);
  rooms_.leave(two);
  EXPECT_EQ(rooms_.size(), 0U);
}

TEST_F(Rooms, SkipWhatTheClientHasAlready) {
  membership ahead(first_, "a");
  ahead.start(position{1, 7});
  rooms_.enter(ahead);
  EXPECT_EQ(deliver("a", position{1, 6}, "x"), 0U);
  EXPECT_EQ(deliver("a", position{1, 7}, "y"), 0U);
  EXPECT_EQ(deliver("a", position{1, 8}, "z"), 1U);
  EXPECT_EQ(deliver("a", position{2, 9}, "w"), 1U) << "the next epoch goes on";
  EXPECT_EQ(taken(first_), "zw");
}

// The client has seen 1-1 to 1-5; the log goes on from 1-2, and 1-3 comes again as 2-4.
TEST_F(Rooms, SkipWhatTheClientSawOnALostBranch) {
  membership member(first_, "a");
  member.start(position{1, 5});
  rooms_.enter(member);
  EXPECT_TRUE(member.leave_branch({1, 2}, {1, 5}));
  EXPECT_EQ(member.after(), (position{1, 2}));
  EXPECT_EQ(deliver("a", position{2, 3}, "new"), 1U);
  EXPECT_EQ(deliver("a", position{2, 4}, "again", position{1, 3}), 0U);
  EXPECT_EQ(deliver("a", position{2, 5}, "later", position{1, 6}), 1U)
      << "it lay behind what this client has seen";
  EXPECT_EQ(taken(first_), "newlater");
  EXPECT_EQ(member.after(), (position{2, 5}));
}

TEST_F(Rooms, AForkConcernsOnlyThoseWhoAreBeyondIt) {
  membership behind(first_, "a"), at_it(first_, "b"), ahead(second_, "c");
  behind.start(position{1, 1});
  at_it.start(position{1, 2});
  ahead.start(position{2, 1});
  for (membership* each : {&behind, &at_it, &ahead}) {
    const position before = each->after();
    EXPECT_FALSE(each->leave_branch({1, 2}, {1, 5}));
    EXPECT_EQ(each->after(), before);
  }
}

// Its cursor came from another node, which had read more of the branch than this one.
TEST_F(Rooms, AForkTakesBackAClientThatWasAheadOfTheNode) {
  membership ahead(first_, "a");
  ahead.start(position{1, 9});
  rooms_.enter(ahead);
  EXPECT_TRUE(ahead.leave_branch({1, 2}, {1, 5}));
  EXPECT_EQ(deliver("a", position{2, 3}, "x", position{1, 8}), 0U);
  EXPECT_EQ(deliver("a", position{2, 4}, "y"), 1U);
}

TEST_F(Rooms, AnotherLogTakesEverybodyBackToItsBeginning) {
  membership member(first_, "a");
  member.start(position{7, 50});
  rooms_.enter(member);
  EXPECT_TRUE(member.leave_branch({}, {7, 50}));
  EXPECT_EQ(deliver("a", position{1, 3}, "x"), 1U);
}

TEST_F(Rooms, WhatWasSeenIsForgottenWhenTheMemberStartsAnew) {
  membership member(first_, "a");
  member.start(position{1, 2}, position{1, 5});
  rooms_.enter(member);
  EXPECT_EQ(deliver("a", position{2, 3}, "x", position{1, 5}), 0U);
  member.start(position{2, 3});
  EXPECT_EQ(deliver("a", position{2, 4}, "y", position{1, 5}), 1U);
}

}  // namespace
}  // namespace ordeal::chat
