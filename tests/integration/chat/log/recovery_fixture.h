// Nodes behind gates, and what all their clients must have got in the end.
#pragma once

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "tests/integration/chat/log/log_nodes.h"
#include "tests/integration/chat/log/redis_gate.h"

namespace ordeal::test {

class Recovery : public LogNodes {
 protected:
  using nodes = std::vector<log_node*>;

  ~Recovery() override {
    for (const auto& gate : gates_) gate->close();
  }

  redis_gate& add_gate(const redis_server& server) {
    gates_.push_back(std::make_unique<redis_gate>(io_, server.port()));
    return *gates_.back();
  }
  static chat::log_options through(const redis_gate& gate, chat::log_options options) {
    options.redis.port = gate.port();
    return options;
  }
  log_node& add_ready_node(const redis_server& server, const redis_gate& gate) {
    return LogNodes::add_ready_node(through(gate, options_for(server)));
  }
  using LogNodes::add_ready_node;

  // Messages "<prefix>1" ... that are sent again until they are in the log, and are there.
  void send(const nodes& by, const std::string& prefix, int count) {
    std::vector<outcome_ptr> outcomes;
    for (int i = 1; i <= count; ++i) {
      sent_.insert(prefix + std::to_string(i));
      outcomes.push_back(append_surely(by, prefix + std::to_string(i)));
    }
    const auto is_done = [](const outcome_ptr& each) { return each->has_value(); };
    EXPECT_TRUE(until("all of " + prefix + " appended",
                      [&] { return std::ranges::all_of(outcomes, is_done); }));
    for (const auto& each : outcomes) {
      if (each->has_value()) {
        EXPECT_EQ((*each)->status, chat::append_status::appended) << (*each)->reason;
      }
    }
  }
  // One that nobody waits for.
  outcome_ptr start(log_node& by, const std::string& id) {
    sent_.insert(id);
    return append_surely({&by}, id);
  }

  static bool has_read(const log_node& node, const std::string& id) {
    const auto ids = node.ids();
    return std::ranges::find(ids, id) != ids.end();
  }
  bool until_all_read(const nodes& all) {
    const auto has_all = [this](const log_node* each) {
      const auto ids = each->ids();
      const std::set<std::string> got(ids.begin(), ids.end());
      return std::ranges::includes(got, sent_);
    };
    return until(
        "every message read by every node", [&] { return std::ranges::all_of(all, has_all); },
        std::chrono::seconds(30));
  }
  // Every client got every message once.
  void expect_all_once(const nodes& all) {
    EXPECT_TRUE(until_all_read(all));
    for (const log_node* node : all) {
      const auto ids = node->ids();
      std::map<std::string, int> count;
      for (const auto& id : ids) ++count[id];
      for (const auto& [id, times] : count) EXPECT_EQ(times, 1) << id << " was given twice";
      EXPECT_EQ(count.size(), sent_.size());
      EXPECT_TRUE(node->gaps.empty());
    }
  }
  // And in one order, with nothing taken back.
  void expect_all_once_in_order(const nodes& all) {
    expect_all_once(all);
    for (const log_node* node : all) {
      EXPECT_EQ(node->ids(), all.front()->ids());
      EXPECT_TRUE(node->forks.empty());
    }
  }
  bool until_ready(const nodes& all) {
    return until(
        "ready again", [&] { return std::ranges::all_of(all, &log_node::is_ready); },
        std::chrono::seconds(30));
  }
  static std::uint64_t repairs(const nodes& all) {
    std::uint64_t sum = 0;
    for (const log_node* each : all) sum += each->log->health().repairs;
    return sum;
  }

  // What an RDB file taken now would bring back.
  static void save(redis_server& server) { (void)server.command({"SAVE"}); }
  // Killed, and back with the latest saved state.
  static void roll_back(redis_server& server) {
    server.kill();
    server.start();
  }
  // Killed, and back empty.
  static void lose_everything(redis_server& server) {
    server.kill();
    std::filesystem::remove(server.directory() / "dump.rdb");
    server.start();
  }

  std::set<std::string> sent_;

 private:
  std::vector<std::unique_ptr<redis_gate>> gates_;
};

}  // namespace ordeal::test
