// Checkers against the oracle: what every change has to pass.
#include <gtest/gtest.h>

#include "tests/property/survey.h"

namespace ordeal::harness {
namespace {

TEST(CheckersProperty, AgreeWithTheOracle) {
  EXPECT_EQ(survey_disagreements(5'000), "");
}

}  // namespace
}  // namespace ordeal::harness
