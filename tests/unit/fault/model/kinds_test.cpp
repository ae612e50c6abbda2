// The registry: complete, sorted, explained; and the checks that span several keys.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "fault-injection/fault.h"

namespace ordeal::fault {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(FaultKinds, AreAllThereAndSorted) {
  std::vector<std::string> names;
  for (const fault_kind& kind : kinds()) names.push_back(kind.name);
  EXPECT_THAT(names, ElementsAre("link_bandwidth", "link_blackhole", "link_latency", "link_refuse",
                                 "link_reset", "node_kill", "node_pause", "redis_kill",
                                 "redis_password", "redis_pause", "redis_stop"));
}

TEST(FaultKinds, CanBeExplainedAndMade) {
  for (const fault_kind& kind : kinds()) {
    EXPECT_GT(kind.doc.size(), 80U) << kind.name;
    EXPECT_TRUE(kind.make) << kind.name;
    std::set<std::string> seen;
    for (const parameter& each : kind.parameters) {
      EXPECT_TRUE(seen.insert(each.name).second) << kind.name << ": " << each.name << " twice";
      EXPECT_FALSE(each.doc.empty()) << kind.name << ": " << each.name;
    }
  }
}

TEST(FaultKinds, AreFoundByName) {
  ASSERT_NE(find_kind("redis_kill"), nullptr);
  EXPECT_EQ(find_kind("redis_kill")->name, "redis_kill");
  EXPECT_EQ(find_kind("redis_kil"), nullptr);
  EXPECT_EQ(find_kind(""), nullptr);
}

TEST(RedisPasswordKind, RevokeNeedsADurationAndRotateHasNone) {
  const fault_kind* const kind = find_kind("redis_password");
  ASSERT_TRUE(kind != nullptr && kind->validate);
  fault_spec spec;
  spec.with = {{"change", "revoke"}, {"kick", "true"}, {"tell_nodes_after", "1000000000"}};
  EXPECT_EQ(kind->validate(spec), "redis_password with change: revoke needs `for`");
  spec.held = std::chrono::seconds(1);
  EXPECT_EQ(kind->validate(spec), "");
  spec.with["change"] = "rotate";
  EXPECT_THAT(kind->validate(spec), HasSubstr("tell_nodes_after"));
  spec.held.reset();
  EXPECT_EQ(kind->validate(spec), "");
}

}  // namespace
}  // namespace ordeal::fault
