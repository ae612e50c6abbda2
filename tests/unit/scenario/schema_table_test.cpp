#include "harness/scenario/schema_table.h"

#include <gtest/gtest.h>

#include <set>

#include "harness/scenario/checked_document.h"
#include "harness/scenario/glossary.h"
#include "harness/target/target_schema.h"

namespace ordeal::harness {
namespace {

// Every row can be reached, says what it is, and its default is a value of its own type.
void check_rows(schema rows) {
  std::set<std::string_view> paths;
  for (const schema_row& row : rows) {
    EXPECT_TRUE(paths.insert(row.path).second) << row.path << " is there twice";
    EXPECT_TRUE(row.doc.ends_with('.')) << row.path;
    EXPECT_FALSE(row.is_required && !row.default_text.empty())
        << row.path << " is required and has a default";
    EXPECT_FALSE(row.type == value_type::enumeration && row.allowed.empty()) << row.path;
    if (row.type == value_type::list) {
      EXPECT_TRUE(find_row(rows, std::string(row.path) + "[]")) << row.path;
    }
    if (row.type == value_type::free_map) {
      EXPECT_TRUE(find_row(rows, std::string(row.path) + ".*")) << row.path;
    }
    const std::size_t dot = row.path.rfind('.');
    if (dot != std::string_view::npos && !row.path.ends_with('*')) {
      EXPECT_TRUE(find_row(rows, row.path.substr(0, dot))) << row.path;
    }
  }
  yaml_value empty;
  empty.kind = yaml_kind::map;
  problem_list problems;
  check_options options;
  options.value_of = [](const std::string&) { return std::optional<std::string>(); };
  check_document(empty, rows, options, problems);
  for (const diagnostic& problem : problems.sorted())
    EXPECT_EQ(problem.code, "E106") << problem.message;  // no bad default
}

TEST(SchemaTable, ScenarioRowsAreSound) {
  check_rows(scenario_schema());
}
TEST(SchemaTable, TargetRowsAreSound) {
  check_rows(target_schema());
}

TEST(SchemaTable, KnowsChildrenOfMapsListsAndFreeMaps) {
  const auto names = [](schema rows, std::string_view path) {
    std::set<std::string> keys;
    for (const schema_row* row : children_of(rows, path)) keys.emplace(key_of(*row));
    return keys;
  };
  EXPECT_EQ(names(scenario_schema(), "target"), (std::set<std::string>{"limits", "name", "nodes"}));
  EXPECT_EQ(names(scenario_schema(), "phases[]"),
            (std::set<std::string>{"name", "duration", "publish"}));
  EXPECT_EQ(names(scenario_schema(), "secrets.*"),
            (std::set<std::string>{"from_env", "from_file"}));
  EXPECT_TRUE(names(scenario_schema(), "").contains("faults"));
  EXPECT_FALSE(names(scenario_schema(), "").contains("faults[]"));
}

TEST(Glossary, HasAMetricForEveryFinding) {
  EXPECT_EQ(finding_entries().size(), 13U);
  for (const glossary_entry& finding : finding_entries())
    EXPECT_TRUE(find_metric(finding.name)) << finding.name;
}

}  // namespace
}  // namespace ordeal::harness
