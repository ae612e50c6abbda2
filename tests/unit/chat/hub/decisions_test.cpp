// The small pure decisions: keepalive, negotiated ids, query parameters.
#include <gtest/gtest.h>

#include "reference-server/hub/chat_hub.h"
#include "reference-server/hub/connection_budget.h"
#include "reference-server/hub/keepalive.h"
#include "reference-server/hub/negotiated_ids.h"

namespace ordeal::chat {
namespace {

using std::chrono::seconds;

TEST(Keepalive, ClosesAClientThatNeverShakesHands) {
  const hub_limits limits;
  keepalive_state state;
  EXPECT_EQ(due_action(state, limits, state.opened + seconds(14)), keepalive_action::none);
  EXPECT_EQ(due_action(state, limits, state.opened + seconds(15)),
            keepalive_action::handshake_timeout);
}

TEST(Keepalive, PingsAnIdleConnectionAndClosesASilentOne) {
  const hub_limits limits;
  keepalive_state state;
  state.has_handshaken = true;
  EXPECT_EQ(due_action(state, limits, state.sent + seconds(14)), keepalive_action::none);
  EXPECT_EQ(due_action(state, limits, state.sent + seconds(15)), keepalive_action::ping);
  EXPECT_EQ(due_action(state, limits, state.received + seconds(30)), keepalive_action::silent);
}

TEST(Keepalive, DoesNotCallAClientSilentWhoseSocketIsNotRead) {
  const hub_limits limits;
  keepalive_state state;
  state.has_handshaken = true;
  state.is_reading = false;
  EXPECT_EQ(due_action(state, limits, state.received + seconds(300)), keepalive_action::ping);
}

TEST(NegotiatedIds, OpenOneConnectionEach) {
  negotiated_ids ids;
  const net::time_point start{};
  ids.add("t", start + seconds(60), false);
  EXPECT_EQ(ids.find("t"), negotiated_ids::state::free);
  EXPECT_TRUE(ids.claim("t"));
  EXPECT_FALSE(ids.claim("t"));
  EXPECT_EQ(ids.find("t"), negotiated_ids::state::in_use);
  ids.expire(start + seconds(3'600));
  EXPECT_EQ(ids.find("t"), negotiated_ids::state::in_use);
  ids.release("t");
  EXPECT_EQ(ids.find("t"), negotiated_ids::state::unknown);
}

TEST(NegotiatedIds, ExpireUnclaimed) {
  negotiated_ids ids;
  const net::time_point start{};
  ids.add("t", start + seconds(60), false);
  ids.expire(start + seconds(59));
  EXPECT_EQ(ids.size(), 1U);
  ids.expire(start + seconds(60));
  EXPECT_EQ(ids.size(), 0U);
}

TEST(NegotiatedIds, OldestFreeOneMakesRoom) {
  negotiated_ids ids;
  const net::time_point later = net::time_point{} + seconds(60);
  for (const char* token : {"used", "old", "new"}) ids.add(token, later, false);
  EXPECT_TRUE(ids.claim("used"));
  EXPECT_TRUE(ids.drop_oldest());
  EXPECT_EQ(ids.find("old"), negotiated_ids::state::unknown);
  EXPECT_EQ(ids.find("new"), negotiated_ids::state::free);
  EXPECT_TRUE(ids.drop_oldest());
  EXPECT_FALSE(ids.drop_oldest()) << "who is connected stays";
  EXPECT_EQ(ids.find("used"), negotiated_ids::state::in_use);
}

TEST(ConnectionBudget, LeavesTheConfiguredLimitsWhereThereIsRoom) {
  hub_limits limits;
  EXPECT_TRUE(fit_into_descriptors(limits, 1U << 20U, 12));
  EXPECT_EQ(limits.connections_max, hub_limits().connections_max);
  EXPECT_EQ(limits.descriptors_limit, 0U);
}

TEST(ConnectionBudget, KeepsAReserveForRedisAndProbes) {
  for (std::size_t limit = 12 + reserved_descriptors + 8; limit < 3'000; ++limit) {
    hub_limits limits;
    ASSERT_TRUE(fit_into_descriptors(limits, limit, 12));
    ASSERT_LE(limits.connections_max + limits.probes_max + reserved_descriptors + 12, limit);
    ASSERT_GE(limits.connections_max, 4U);
    ASSERT_GE(limits.probes_max, 2U);
    ASSERT_EQ(limits.descriptors_limit, limit);
  }
}

TEST(ConnectionBudget, SaysWhenThereIsRoomForNobody) {
  hub_limits limits;
  EXPECT_FALSE(fit_into_descriptors(limits, 12 + reserved_descriptors + 7, 12));
}

TEST(QueryParameter, FindsWholeNamesOnly) {
  EXPECT_EQ(query_parameter("id=abc&x=1", "id"), "abc");
  EXPECT_EQ(query_parameter("xid=no&id=yes", "id"), "yes");
  EXPECT_EQ(query_parameter("id", "id"), "");
  EXPECT_EQ(query_parameter("", "id"), "");
}

}  // namespace
}  // namespace ordeal::chat
