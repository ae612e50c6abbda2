// Checkers against the oracle: twenty times the short form.
#include <gtest/gtest.h>

#include "tests/property/survey.h"

namespace ordeal::harness {
namespace {

TEST(CheckersPropertyLong, AgreeWithTheOracle) {
  EXPECT_EQ(survey_disagreements(100'000), "");
}

}  // namespace
}  // namespace ordeal::harness
