#include "harness/scenario/yaml_reader.h"
#include "harness/scenario/problem_list.h"

#include <gtest/gtest.h>

namespace ordeal::harness {
namespace {

std::string first_problem(const std::string& text) {
  const yaml_document document = read_yaml(text, "f.yaml");
  if (document.problems.empty()) return "none";
  const diagnostic& problem = document.problems.front();
  return problem.code + " " + std::to_string(problem.where.line) + ":" +
         std::to_string(problem.where.column) + " " + problem.message;
}

TEST(YamlReader, KeepsTextsAndPositions) {
  const yaml_document document = read_yaml("a: 010\nb:\n  - 'x'\n  - { c: yes }\nd:\n", "f.yaml");
  ASSERT_TRUE(document.problems.empty());
  const yaml_value& root = *document.root;
  ASSERT_EQ(root.members.size(), 3U);
  EXPECT_EQ(root.members[0].value.text, "010");
  EXPECT_FALSE(root.members[0].value.is_quoted);
  EXPECT_EQ(root.members[0].value.line, 1U);
  EXPECT_EQ(root.members[0].value.column, 4U);
  const yaml_value& list = root.members[1].value;
  ASSERT_EQ(list.items.size(), 2U);
  EXPECT_TRUE(list.items[0].is_quoted);
  EXPECT_EQ(list.items[0].length, 3U);
  EXPECT_EQ(list.items[1].find_member("c")->value.text, "yes");
  EXPECT_EQ(list.items[1].find_member("c")->value.line, 4U);
  EXPECT_EQ(root.members[2].value.kind, yaml_kind::null);
  EXPECT_EQ(root.members[2].value.line, 5U);
}

TEST(YamlReader, RefusesWhatYamlAllows) {
  EXPECT_EQ(first_problem("a: 1\nb: 2\na: 3\n"), "E103 3:1 key 'a' is given twice");
  EXPECT_EQ(first_problem("x: &x { a: 1 }\ny: { <<: *x }\n"),
            "E104 2:6 merge keys ('<<') are not accepted");
  EXPECT_EQ(first_problem("a: 1\n---\nb: 2\n"), "E104 3:1 a second document in the file");
  EXPECT_EQ(first_problem("a:\n\tb: 1\n"), "E104 2:1 a tab in the indentation");
  EXPECT_EQ(first_problem("a: !!int 5\n"), "E104 1:4 YAML tags are not accepted");
  EXPECT_EQ(first_problem("[a, b]: 1\n"), "E104 1:1 a key must be a word");
}

TEST(YamlReader, BoundsAliases) {
  EXPECT_EQ(first_problem("a: &a [1, 2]\nb: *a\n"), "none");
  EXPECT_EQ(first_problem("a: &a [*a]\n").substr(0, 4), "E104");
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int level = 1; level < 12; ++level) {
    const std::string before = "*a" + std::to_string(level - 1);
    bomb += "a" + std::to_string(level) + ": &a" + std::to_string(level) + " [" + before + ", " +
            before + ", " + before + ", " + before + "]\n";
  }
  EXPECT_NE(first_problem(bomb).find("the file holds too many values"), std::string::npos);
  EXPECT_NE(first_problem(std::string(40, '[') + std::string(40, ']')).find("nested too deeply"),
            std::string::npos);
}

TEST(YamlReader, RefusesWhatIsNoText) {
  EXPECT_EQ(first_problem("a: \xC3\xA9\nb: \xFF\n"), "E101 2:4 not a text file");
  EXPECT_EQ(first_problem(std::string("a: 1\0", 5)), "E101 1:5 not a text file");
  EXPECT_EQ(first_problem("\x1F\x8B\x08"), "E101 1:2 not a text file");
  EXPECT_EQ(first_problem("a: \xE2\x9C\x93\n"), "none");
}

TEST(YamlReader, ForeignTextDoesNotSteerTheTerminal) {
  const std::string text = "a: 1\n\x1b[31mb: [\n";
  const yaml_document document = read_yaml(text, "f.yaml");
  ASSERT_FALSE(document.problems.empty());
  const std::string shown = render_all(document.problems, text);
  EXPECT_EQ(shown.find('\x1b'), std::string::npos) << shown;
}

TEST(YamlReader, ReportsSyntaxWithItsPlace) {
  EXPECT_EQ(first_problem("a: [1, 2\nb: 3\n").substr(0, 4), "E101");
  EXPECT_EQ(first_problem("a: 'x\n"), "E101 1:4 not valid YAML: the quote is never closed");
  EXPECT_EQ(first_problem("a: \"x\\\"\nb: 1\n"),
            "E101 1:4 not valid YAML: the quote is never closed");
  EXPECT_EQ(first_problem("a: 'it''s'\nb: \"say \\\"x\\\"\"\nc: |\n  'x\n"), "none");
  EXPECT_EQ(first_problem("a: b: c\n").substr(0, 8), "E101 1:5");
  EXPECT_FALSE(read_yaml("", "f.yaml").root);
  EXPECT_FALSE(read_yaml("# only a comment\n", "f.yaml").root);
}

}  // namespace
}  // namespace ordeal::harness
