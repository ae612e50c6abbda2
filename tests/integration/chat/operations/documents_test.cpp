// docs/looking-inside.md and docs/metrics.md say what is so. Method: run every command of the one
// against a real Redis with a real node, and compare the other with what a node exposes.
#include <algorithm>
#include <map>
#include <sstream>

#include "tests/integration/chat/operations/documents.h"
#include "tests/integration/chat/operations/operations.h"

namespace ordeal::test {
namespace {

class Documents : public Operations {
 protected:
  Documents() : Operations(with_password()) {}

  // Runs a block of shell in the folder with the password; its output.
  std::string shell(const std::string& block) {
    const auto directory = scratch.path() / ("block-" + std::to_string(++blocks_));
    std::filesystem::create_directory(directory);
    const std::string script = "cd '" + scratch.path().string() + "'\n" + block;
    command bash({"bash", "-euo", "pipefail", "-c", script}, directory, environment());
    const auto is_over = [&bash] { return bash.wait(milliseconds(0)).has_value(); };
    EXPECT_TRUE(until(is_over, seconds(30))) << block;
    EXPECT_EQ(bash.wait(seconds(1)), 0) << block << bash.out() << bash.err();
    heard(bash.out());
    return bash.out();
  }

  std::map<std::string, std::string> environment() const {
    return {{"REDISCLI_AUTH", redis.connection().auth.password}};
  }

 private:
  int blocks_ = 0;
};

TEST_F(Documents, LookingInsideHasNoCommandThatFails) {
  const chat_process& node = start_node();
  ASSERT_TRUE(is_ready(node));
  const auto blocks = code_blocks(document("docs/looking-inside.md"), "sh");
  ASSERT_GE(blocks.size(), 8U);
  for (const std::string& block : blocks) {
    const std::string here = replaced(replaced(block, "6390", std::to_string(redis.port())), "8081",
                                      std::to_string(node.endpoint().port()));
    EXPECT_EQ(here.find("export"), std::string::npos) << "each block stands alone: " << block;
    const std::string output = shell(here);
    EXPECT_NE(output, "") << block;
    for (const char* error : {"ERR", "WRONGTYPE", "NOPERM", "NOAUTH", "(error)"})
      EXPECT_EQ(output.find(error), std::string::npos) << block << output;
  }
  // The last block has taken the log away; the node puts it back.
  EXPECT_TRUE(is_ready(node));
}

// What the page says of keys and fields is complete: nobody finds in Redis what it does not explain.
TEST_F(Documents, LookingInsideExplainsEveryKeyAndField) {
  const chat_process& node = start_node();
  ASSERT_TRUE(is_ready(node));
  const std::string page = document("docs/looking-inside.md");
  const auto keys = redis.command({"KEYS", "*"});
  EXPECT_GE(keys.view().size(), 5U);
  for (std::size_t i = 0; i < keys.view().size(); ++i) {
    const std::string key(keys.view()[i].text());
    EXPECT_NE(page.find("`" + key + "`"), std::string::npos) << key;
  }
  const auto fields = redis.command({"HKEYS", "{chat}:meta"});
  for (std::size_t i = 0; i < fields.view().size(); ++i) {
    const std::string field(fields.view()[i].text());
    EXPECT_NE(page.find("`" + field + "`"), std::string::npos) << field;
  }
}

// "# HELP name text" and "# TYPE name type" of an exposition as rows of the table.
std::vector<std::string> rows_of(const std::string& exposition) {
  std::map<std::string, std::string> help;
  std::map<std::string, std::vector<std::string>> labels;
  std::map<std::string, std::string> type;
  std::istringstream lines(exposition);
  for (std::string line; std::getline(lines, line);) {
    const auto words = words_of(line);
    if (line.starts_with("# HELP ")) {
      help[words[2]] = line.substr(8 + words[2].size());
    } else if (line.starts_with("# TYPE ")) {
      type[words[2]] = words[3];
    } else if (const auto brace = line.find('{'); brace != std::string::npos) {
      const std::string name = line.substr(0, brace);
      const std::string pair = line.substr(brace + 1, line.find('}') - brace - 1);
      labels[name].push_back(pair);
    }
  }
  std::vector<std::string> rows;
  for (const auto& [name, text] : help) {
    std::string row = "| `" + name + "` | " + type[name] + " | ";
    auto& pairs = labels[name];
    std::ranges::sort(pairs);  // the exposition has them in no order
    if (!pairs.empty()) row += pairs.front().substr(0, pairs.front().find('='));
    const bool has_values = pairs.size() > 1;
    for (std::size_t i = 0; has_values && i < pairs.size(); ++i) {
      const auto quote = pairs[i].find('"');
      row += (i == 0 ? ": " : ", ") + pairs[i].substr(quote + 1, pairs[i].size() - quote - 2);
    }
    rows.push_back(row + " | " + text.substr(0, text.find_last_not_of(' ') + 1) + " |");
  }
  return rows;
}

TEST_F(Documents, TheTableOfMetricsIsWhatANodeExposes) {
  const chat_process& node = start_node();
  ASSERT_TRUE(is_ready(node));
  const std::string table = document("docs/metrics.md");
  std::vector<std::string> listed;
  std::istringstream lines(table);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("| `ordeal_chat_")) listed.push_back(line);
  }
  std::string expected;
  auto rows = rows_of(get(node, "/metrics").body);
  std::ranges::sort(rows);
  for (const std::string& row : rows) expected += row + "\n";
  std::ranges::sort(listed);
  EXPECT_EQ(listed, rows) << "the table should read:\n" << expected;
}

// A scrape right after the start has every series that will ever be there: 0 is not "no data".
TEST_F(Documents, EverySeriesExistsFromTheStart) {
  const chat_process& node = start_node();
  ASSERT_TRUE(is_ready(node));
  for (const char* sample :
       {"ordeal_chat_log_state{state=\"recovering\"}", "ordeal_chat_log_forks_total",
        "ordeal_chat_log_gaps_total", "ordeal_chat_resets_total{cause=\"fork\"}",
        "ordeal_chat_connections_closed_total{cause=\"slow\"}",
        "ordeal_chat_call_failures_total{reason=\"retry_log\"}",
        "ordeal_chat_log_undelivered_entries", "ordeal_chat_outbox_undecided_entries",
        "ordeal_chat_log_known_nodes"})
    EXPECT_EQ(metric(node, sample), 0) << sample;
  EXPECT_EQ(metric(node, "ordeal_chat_log_state{state=\"open\"}"), 1);
  EXPECT_GE(metric(node, "ordeal_chat_replay_entries"), 1) << "the barrier";
  EXPECT_GE(metric(node, "ordeal_chat_replay_oldest_index"), 1);
  EXPECT_GE(metric(node, "ordeal_chat_log_epoch"), 1);
}

}  // namespace
}  // namespace ordeal::test
