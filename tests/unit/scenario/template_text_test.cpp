#include "harness/scenario/template_text.h"

#include <gtest/gtest.h>

namespace ordeal::harness {
namespace {

std::optional<std::string> lookup(const std::string& name) {
  if (name == "nodes") return "3";
  if (name == "empty") return "";
  return {};
}

TEST(TemplateText, FillsInVariables) {
  EXPECT_EQ(expand_template("${nodes}", lookup).text, "3");
  EXPECT_EQ(expand_template("a-${nodes}-${nodes}b", lookup).text, "a-3-3b");
  EXPECT_EQ(expand_template("${missing:-7}", lookup).text, "7");
  EXPECT_EQ(expand_template("${missing:-}", lookup).text, "");
  EXPECT_EQ(expand_template("${nodes:-7}", lookup).text, "3");
  EXPECT_EQ(expand_template("x${empty}y", lookup).text, "xy");
  EXPECT_EQ(expand_template("$${nodes} costs $5", lookup).text, "${nodes} costs $5");
  EXPECT_FALSE(expand_template("plain", lookup).has_variables);
  EXPECT_FALSE(expand_template("$${nodes}", lookup).has_variables);
}

TEST(TemplateText, NamesWhatHasNoValue) {
  const expansion result = expand_template("${a}${nodes}${b}", lookup);
  EXPECT_EQ(result.unknown, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(result.text, "3");
}

TEST(TemplateText, RefusesWhatIsMalformed) {
  EXPECT_EQ(expand_template("${nodes", lookup).problem, "has a '${' without its '}'");
  EXPECT_EQ(expand_template("${}", lookup).problem, "has no variable name in '${}'");
  EXPECT_EQ(expand_template("${a b}", lookup).problem, "has no variable name in '${a b}'");
  EXPECT_EQ(expand_template("${nodes", lookup).text, "${nodes");
}

}  // namespace
}  // namespace ordeal::harness
