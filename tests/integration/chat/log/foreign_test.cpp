// Goal: what somebody writes into the stream by hand is named with its remedy, and when it is gone
// the nodes go on by themselves; meanwhile they wait and do not go round in a circle.
#include "tests/integration/chat/log/log_nodes.h"

namespace ordeal::test {
namespace {

using chat::append_status;
using chat::log_state;

class Foreign : public LogNodes {
 protected:
  bool until_all(std::string_view what, const std::function<bool(const log_node&)>& is_true) {
    return until(what, [&] { return is_true(one_) && is_true(two_); });
  }
  // Looks of nodes that Redis answered with an error.
  long failed_looks() {
    const auto stats = server_.command({"INFO", "commandstats"});
    const std::string text(stats->text());
    const std::string_view word = "failed_calls=";
    const auto line = text.find("cmdstat_eval:");
    const auto from = line == std::string::npos ? line : text.find(word, line);
    return from == std::string::npos ? 0 : std::stol(text.substr(from + word.size()));
  }

  redis_server server_;
  log_node& one_ = add_ready_node(options_for(server_));
  log_node& two_ = add_ready_node(options_for(server_));
};

TEST_F(Foreign, AnEntryByHandIsNamedAndItsRemovalHeals) {
  int number = 0;
  for (const char* id : {"*", "18446744073709551615-18446744073709551615"}) {
    append_now(one_, "before " + std::to_string(number));
    const std::string added(server_.command({"XADD", "{chat}:log", id, "hello", "world"})->text());
    ASSERT_TRUE(until_all(
        "refuses", [](const log_node& node) { return node.state() == log_state::refusing; }));
    EXPECT_NE(one_.log->health().reason.find("XDEL, id " + added), std::string::npos)
        << one_.log->health().reason;
    ASSERT_EQ(server_.command({"XDEL", "{chat}:log", added})->integer(), 1);
    ASSERT_TRUE(until_all("ready", [](const log_node& node) { return node.is_ready(); }));
    const auto after = append_now(two_, "after " + std::to_string(number++));
    EXPECT_EQ(after.status, append_status::appended) << after.reason;
  }
  const std::vector<std::string> all{"before 0", "after 0", "before 1", "after 1"};
  EXPECT_TRUE(until_all("all read", [&](const log_node& node) { return node.ids() == all; }));
  for (const log_node* node : {&one_, &two_}) {
    EXPECT_TRUE(node->forks.empty());
    EXPECT_TRUE(node->gaps.empty());
    EXPECT_EQ(node->log->health().recoveries, 0U) << "nothing was lost";
  }
}

TEST_F(Foreign, ARefusalIsSaidOnce) {
  ASSERT_FALSE(server_.command({"DEL", "{chat}:req"})->is_error());
  ASSERT_FALSE(server_.command({"SET", "{chat}:req", "hello"})->is_error());
  const auto waiting = append(one_, "id");
  ASSERT_TRUE(until("refuses", [&] { return one_.state() == log_state::refusing; }));
  EXPECT_NE(one_.log->health().reason.find("WRONGTYPE"), std::string::npos);
  // The append is refused first, then the look at the log, which knows the key.
  ASSERT_TRUE(until(
      "named", [&] { return one_.log->health().reason.find("{chat}:req") != std::string::npos; }));
  const int changes = one_.state_changes;
  const long failed = failed_looks();
  ASSERT_TRUE(until("tried again", [&] { return failed_looks() > failed + 5; }));
  EXPECT_EQ(one_.state(), log_state::refusing);
  EXPECT_EQ(one_.state_changes, changes) << "each change is a line in the log file";
  ASSERT_FALSE(server_.command({"DEL", "{chat}:req"})->is_error());
  ASSERT_TRUE(until_all("ready", [](const log_node& node) { return node.is_ready(); }));
  EXPECT_TRUE(until_all(
      "read", [](const log_node& node) { return node.ids() == std::vector<std::string>{"id"}; }));
}

}  // namespace
}  // namespace ordeal::test
