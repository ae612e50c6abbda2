// The records of the hub's own: their exact bytes, which clients of every language read.
#include "reference-server/hub/records.h"

#include <gtest/gtest.h>

#include "reference-server/hub/reset_reason.h"

namespace ordeal::chat {
namespace {

lost_range range(std::optional<position> after, std::optional<position> upto) {
  lost_range lost;
  lost.log_id = "log1";
  lost.after = after;
  lost.upto = upto;
  return lost;
}

TEST(Records, AResetNamesTheRangeAsCursors) {
  EXPECT_EQ(reset_record("room", "why", range(position{1, 4}, position{2, 9})),
            "{\"type\":1,\"target\":\"Reset\",\"arguments\":[\"room\",\"why\",\"log1:1-4\","
            "\"log1:2-9\"]}\x1e");
}

TEST(Records, AnEndThatNobodyKnowsIsNull) {
  EXPECT_EQ(
      reset_record("room", "why", range(position{1, 4}, std::nullopt)),
      "{\"type\":1,\"target\":\"Reset\",\"arguments\":[\"room\",\"why\",\"log1:1-4\",null]}\x1e");
  EXPECT_EQ(reset_record("room", "why", lost_range()),
            "{\"type\":1,\"target\":\"Reset\",\"arguments\":[\"room\",\"why\",null,null]}\x1e");
}

TEST(Records, AForkIsToldInTheSameWay) {
  EXPECT_EQ(fork_record("room", "why", range(position{1, 4}, position{1, 9})),
            "{\"type\":1,\"target\":\"Fork\",\"arguments\":[\"room\",\"why\",\"log1:1-4\","
            "\"log1:1-9\"]}\x1e");
}

TEST(Records, AMessageCarriesItsPlaceOfNow) {
  entry message;
  message.at = {2, 9};
  message.room = "room";
  message.client_message_id = "m1";
  message.text = "hello";
  message.earlier = position{1, 4};
  EXPECT_EQ(message_record(message, "log1"),
            "{\"type\":1,\"target\":\"Message\",\"arguments\":[\"room\",\"log1:2-9\",\"m1\","
            "\"hello\"]}\x1e");
}

TEST(ResetReason, IsOneForEachStatusThatForcesAReset) {
  EXPECT_EQ(reason_of(range_status::trimmed).cause, reset_cause::trimmed);
  EXPECT_EQ(reason_of(range_status::forked).cause, reset_cause::fork);
  EXPECT_EQ(reason_of(range_status::future).cause, reset_cause::future);
  EXPECT_EQ(reason_of(range_status::unknown_log).cause, reset_cause::unknown_log);
}

TEST(Records, AreCountedOnceForAsLongAsAnybodyHasThem) {
  record_ledger ledger(10'000);
  record_ptr one = ledger.keep(std::string(5'000, 'x'));
  const std::size_t bytes_of_one = ledger.bytes();
  EXPECT_GE(bytes_of_one, 5'000U);
  EXPECT_LT(bytes_of_one, 6'000U);
  record_ptr same = one;
  EXPECT_EQ(ledger.bytes(), bytes_of_one);
  EXPECT_FALSE(ledger.is_full());
  const record_ptr other = ledger.keep(std::string(6'000, 'x'));
  EXPECT_TRUE(ledger.is_full());
  one.reset();
  EXPECT_TRUE(ledger.is_full());
  same.reset();
  EXPECT_FALSE(ledger.is_full());
}

}  // namespace
}  // namespace ordeal::chat
