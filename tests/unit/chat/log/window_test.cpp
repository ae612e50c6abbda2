// Goal: what does not pass is asked for in halves until it does, is not tried again at once, and a
// link that has become good again is used.
#include "reference-server/log/window.h"

#include <gtest/gtest.h>

namespace ordeal::chat {
namespace {

void pass(window& of, int times) {
  for (int i = 0; i < times; ++i) of.on_passed();
}

TEST(Window, HalvesDownToTheLeastAndCountsWhatFailsThere) {
  window size(1, 512);
  EXPECT_EQ(size.size(), 512U);
  for (int i = 0; i < 9; ++i) size.on_failed(size.size());
  EXPECT_EQ(size.size(), 1U);
  EXPECT_EQ(size.failures_at_least(), 0U);
  size.on_failed(1);
  size.on_failed(1);
  EXPECT_EQ(size.failures_at_least(), 2U);
  size.on_passed();
  EXPECT_EQ(size.failures_at_least(), 0U);
}

TEST(Window, HalvesWhatWasTriedAndNotWhatWasAllowed) {
  window size(4, 1'000'000);
  size.on_failed(250'000);
  EXPECT_EQ(size.size(), 125'000U);
}

TEST(Window, GrowsAgainSlowlyWhereItFailed) {
  window size(1, 512);
  size.on_failed(64);
  ASSERT_EQ(size.size(), 32U);
  pass(size, 63);
  EXPECT_EQ(size.size(), 32U) << "twice as much has just failed";
  pass(size, 1);
  EXPECT_EQ(size.size(), 64U);
  pass(size, 10 * 64);
  EXPECT_EQ(size.size(), 512U);
}

}  // namespace
}  // namespace ordeal::chat
