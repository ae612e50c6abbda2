#include "harness/scenario/spelling.h"

#include <gtest/gtest.h>

namespace ordeal::harness {
namespace {

TEST(Spelling, CountsEdits) {
  EXPECT_EQ(edit_distance("duration", "duration"), 0U);
  EXPECT_EQ(edit_distance("duraton", "duration"), 1U);
  EXPECT_EQ(edit_distance("druation", "duration"), 1U);  // a swap
  EXPECT_EQ(edit_distance("Duration", "duration"), 0U);  // letter case is ignored
  EXPECT_EQ(edit_distance("", "abc"), 3U);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
}

TEST(Spelling, SuggestsTheNearestWordOnly) {
  const std::vector<std::string> known{"at", "for", "kind", "name", "target", "with"};
  EXPECT_EQ(did_you_mean("knid", known), "did you mean 'kind'?");
  EXPECT_EQ(did_you_mean("targte", known), "did you mean 'target'?");
  EXPECT_EQ(did_you_mean("zzzzz", known), "");
  EXPECT_EQ(did_you_mean("x", known), "");  // nothing of it would be kept
  EXPECT_EQ(did_you_mean("xy", known), "");
  EXPECT_EQ(did_you_mean("redis_pasword_chg", {"redis_password"}),
            "did you mean 'redis_password'?");  // a third of the length
}

}  // namespace
}  // namespace ordeal::harness
