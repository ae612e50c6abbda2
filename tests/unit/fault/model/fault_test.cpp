// Names for people and reports, and canonical values.
#include "fault-injection/fault.h"

#include <gtest/gtest.h>

namespace ordeal::fault {
namespace {

TEST(FaultNames, StatesAndClasses) {
  EXPECT_STREQ(name_of(fault_state::planned), "planned");
  EXPECT_STREQ(name_of(fault_state::failed), "failed");
  EXPECT_STREQ(name_of(fault_class::server_admin), "server_admin");
  EXPECT_STREQ(name_of(fault_class::link), "link");
}

TEST(FaultSpec, ReadsCanonicalValues) {
  fault_spec spec;
  spec.with = {{"kick", "true"}, {"latency", "1500000"}, {"change", "rotate"}};
  EXPECT_TRUE(spec.flag("kick"));
  EXPECT_EQ(spec.duration("latency"), std::chrono::microseconds(1500));
  EXPECT_EQ(spec.text("change"), "rotate");
}

TEST(FaultSpecDeathTest, DurationThatIsNotCanonicalIsABug) {
  fault_spec spec;
  spec.with = {{"latency", "1s"}};
  EXPECT_DEATH(spec.duration("latency"), "assertion failed");
}

}  // namespace
}  // namespace ordeal::fault
