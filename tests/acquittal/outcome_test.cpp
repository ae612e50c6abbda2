#include "tests/acquittal/outcome.h"

#include <gtest/gtest.h>

namespace ordeal::acquittal {
namespace {

std::string summary(const std::string& verdict, const std::string& check, int lost = 0,
                    int delivered = 10) {
  return R"({"verdict":")" + verdict +
         R"(","why":"because","totals":{"obligations":10,"delivered":)" +
         std::to_string(delivered) + R"(},"findings":{"lost":)" + std::to_string(lost) +
         R"(,"late":0},"checks":[{"id":"delivery","verdict":"pass"},{"id":"generator","verdict":")" +
         check + R"("}]})";
}

TEST(Outcome, PassIsAPass) {
  const outcome found = classify(0, summary("pass", "pass"));
  EXPECT_EQ(found.result, standing::passed) << found.why;
  EXPECT_EQ(classify(0, summary("pass", "skipped")).result, standing::passed);
}

TEST(Outcome, FindingFailsWhateverTheVerdict) {
  EXPECT_EQ(classify(0, summary("pass", "pass", 1)).result, standing::failed);
  EXPECT_EQ(classify(5, summary("inconclusive", "inconclusive", 1)).result, standing::failed);
  EXPECT_NE(classify(1, summary("fail", "pass", 2)).why.find("2 lost"), std::string::npos);
}

TEST(Outcome, InconclusiveNamesTheChecks) {
  const outcome found = classify(5, summary("inconclusive", "inconclusive"));
  EXPECT_EQ(found.result, standing::inconclusive);
  EXPECT_EQ(found.reasons, std::vector<std::string>{"generator"});
  EXPECT_NE(found.why.find("because"), std::string::npos);
}

TEST(Outcome, ContradictionsFail) {
  EXPECT_EQ(classify(0, summary("pass", "inconclusive")).result, standing::failed);
  EXPECT_EQ(classify(0, summary("fail", "fail")).result, standing::failed);
  EXPECT_EQ(classify(1, summary("pass", "pass")).result, standing::failed);
  EXPECT_EQ(classify(0, summary("pass", "pass", 0, 9)).result, standing::failed);
}

TEST(Outcome, WithoutAnEndOrASummaryThereIsNoPass) {
  EXPECT_EQ(classify(std::nullopt, summary("pass", "pass")).result, standing::failed);
  EXPECT_EQ(classify(0, "").result, standing::failed);
  EXPECT_EQ(classify(0, "{").result, standing::failed);
  EXPECT_EQ(classify(0, "{}").result, standing::failed);
  EXPECT_EQ(classify(6, "").why, "exit code 6 and no summary.json");
}

}  // namespace
}  // namespace ordeal::acquittal
