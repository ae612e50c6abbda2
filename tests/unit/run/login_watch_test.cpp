#include "harness/run/login_watch.h"

#include <gtest/gtest.h>

namespace ordeal::harness {
namespace {

using std::chrono::milliseconds;

constexpr node_id first{0}, second{1};

reason_heard refusal(milliseconds at, const std::string& code) {
  return {at, first, reason_kind::redis_error, 1, code};
}

TEST(LoginWatch, ToldWhenItLasts) {
  login_watch watch;
  watch.on(refusal(milliseconds(0), "NOAUTH"));
  watch.on(refusal(milliseconds(500), "WRONGPASS"));
  EXPECT_EQ(watch.trouble(first, milliseconds(600)), "") << "twice may be a first try";
  watch.on(refusal(milliseconds(1'000), "WRONGPASS"));
  EXPECT_EQ(watch.trouble(first, milliseconds(1'100)), "") << "not for long yet";
  watch.on(refusal(milliseconds(1'600), "NOAUTH"));
  EXPECT_TRUE(watch.trouble(first, milliseconds(1'700))
                  .starts_with("Redis answers WRONGPASS to node-1: the user or the password"));
  EXPECT_EQ(watch.trouble(second, milliseconds(1'700)), "");
  EXPECT_EQ(watch.trouble(first, milliseconds(9'000)), "") << "it has found its way";
}

TEST(LoginWatch, OtherErrorsAreNoRefusals) {
  login_watch watch;
  for (int i = 0; i < 10; ++i) watch.on(refusal(milliseconds(400 * i), "OOM"));
  EXPECT_EQ(watch.trouble(first, milliseconds(4'000)), "");
  for (int i = 0; i < 10; ++i) watch.on(refusal(milliseconds(400 * i), "NOAUTH"));
  EXPECT_TRUE(watch.trouble(first, milliseconds(4'000)).starts_with("Redis answers NOAUTH"));
}

}  // namespace
}  // namespace ordeal::harness
