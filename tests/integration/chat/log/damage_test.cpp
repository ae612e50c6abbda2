// Goal: whatever somebody writes into a key of the log, the nodes put it right where they know better; else they say
// which key it is and what to do, once, and go on when that was done.
#include <map>

#include "tests/integration/chat/log/log_nodes.h"

namespace ordeal::test {
namespace {

using chat::append_status;
using chat::log_state;
using words = std::vector<std::string>;

class Damage : public LogNodes {
 protected:
  net::redis::reply redis(const words& command) {
    const std::vector<std::string_view> views(command.begin(), command.end());
    return server_.command(views);
  }
  bool are_ready() { return one_.is_ready() && two_.is_ready(); }
  void send(const std::string& id) {
    const auto outcome = append_surely({&one_, &two_}, id);
    ASSERT_TRUE(until("appended", [&] { return outcome->has_value(); }));
    sent_.push_back(id);
  }
  void expect_all_read() {
    EXPECT_TRUE(until("all read", [&] { return one_.ids() == sent_ && two_.ids() == sent_; }));
    for (const log_node* node : {&one_, &two_}) {
      EXPECT_TRUE(node->gaps.empty());
      EXPECT_TRUE(node->forks.empty());
    }
  }

  redis_server server_;
  log_node& one_ = add_ready_node(options_for(server_));
  log_node& two_ = add_ready_node(options_for(server_));
  words sent_;
};

TEST_F(Damage, NumbersThatNoNodeWroteArePutRight) {
  send("first");
  expect_all_read();
  const std::string huge = "18446744073709551615";
  const std::vector<words> damages{
      {"meta", "epoch", "junk"}, {"meta", "epoch", "0"},   {"meta", "epoch", huge},
      {"meta", "top", huge},     {"meta", "top", "junk"},  {"meta", "floor", "junk"},
      {"epochs", huge, "7"},     {"epochs", "junk", "x"},  {"seq", "ORIGIN", "junk"},
      {"meta", "bytes", "junk"}, {"meta", "counted", "x"}, {"meta", "state", "junk"}};
  for (words damage : damages) {
    const std::string what = damage[0] + " " + damage[1] + " " + damage[2];
    if (damage[1] == "ORIGIN") damage[1] = one_.read.back()->origin;
    const std::uint64_t before = one_.log->health().recoveries;
    ASSERT_FALSE(redis({"HSET", "{chat}:" + damage[0], damage[1], damage[2]})->is_error());
    // Who appends does not look at the epochs.
    if (damage[0] == "epochs") redis({"CLIENT", "KILL", "TYPE", "normal"});
    if (damage[1] == "bytes" || damage[1] == "counted") {
      ASSERT_TRUE(until("counted again", [&] {
        return redis({"HGET", "{chat}:meta", damage[1]})->text() != damage[2];
      })) << what;
    } else {
      ASSERT_TRUE(
          until("recovered", [&] { return one_.log->health().recoveries > before && are_ready(); }))
          << what << ": " << one_.log->health().reason;
      EXPECT_EQ(one_.log->health().recoveries, before + 1) << what;
    }
    send("after " + what);
  }
  expect_all_read();
}

TEST_F(Damage, AKeyOfAnotherTypeIsNamed) {
  send("first");
  for (const std::string key : {"meta", "epochs", "seq", "req", "log", "recovery"}) {
    const std::string name = "{chat}:" + key;
    redis({"DEL", name});
    ASSERT_FALSE(redis({"SET", name, "hello"})->is_error());
    // Who appends nothing but heartbeats does not come across a recovery.
    if (key == "recovery") redis({"CLIENT", "KILL", "TYPE", "normal"});
    ASSERT_TRUE(until("refuses", [&] {
      return one_.state() == log_state::refusing && two_.state() == log_state::refusing;
    })) << key;
    EXPECT_TRUE(one_.log->health().do_appends_fail && two_.log->health().do_appends_fail);
    ASSERT_TRUE(until("named", [&] {
      return one_.log->health().reason.find("the key " + name + " is of another type") !=
             std::string::npos;
    })) << one_.log->health().reason;
    EXPECT_NE(one_.log->health().reason.find("remove it (DEL)"), std::string::npos);
    redis({"DEL", name});
    ASSERT_TRUE(until("ready", [&] { return are_ready(); })) << key;
    send("after " + key);
  }
  expect_all_read();
}

// Nothing depends on them, so nobody has to do anything.
TEST_F(Damage, KeysThatMayBeLostAreMadeAgain) {
  send("first");
  const std::map<std::string, std::string> types{{"beats", "stream"}, {"heard", "hash"}};
  for (const auto& each : types) {
    const std::string& key = each.first;
    const std::string name = "{chat}:" + key;
    redis({"DEL", name});
    ASSERT_FALSE(redis({"SET", name, "hello"})->is_error());
    ASSERT_TRUE(until("made again", [&] {
      return redis({"TYPE", name})->text() == each.second;
    })) << key;
    ASSERT_TRUE(until("ready", [&] { return are_ready(); })) << key;
    send("after " + key);
  }
  expect_all_read();
  EXPECT_EQ(one_.log->health().recoveries + two_.log->health().recoveries, 0U);
}

TEST_F(Damage, HeartbeatsTakeNoPlaceInTheLog) {
  send("first");
  expect_all_read();
  const std::uint64_t top = one_.log->health().top_index;
  const std::size_t held = one_.log->health().replay_entries;
  ASSERT_TRUE(until("20 heartbeats", [&] {
    return redis({"XLEN", "{chat}:beats"})->integer() >= 20;
  }));
  EXPECT_EQ(one_.log->health().top_index, top);
  EXPECT_EQ(two_.log->health().top_index, top);
  EXPECT_EQ(one_.log->health().replay_entries, held);
  EXPECT_EQ(redis({"XLEN", "{chat}:log"})->integer(), static_cast<std::int64_t>(top));
}

// An operator's restore, a foreign write: what the log calls a repetition is acknowledged only where it is.
TEST_F(Damage, AWatermarkThatIsTooHighAcknowledgesNothing) {
  send("first");
  expect_all_read();
  const std::string origin = one_.read.back()->origin;
  for (const std::string by : {"1", "1000"}) {
    const auto all = redis({"HKEYS", "{chat}:seq"});
    for (std::size_t i = 0; i < all->size(); ++i) {
      const std::string name(all.view()[i].text());
      if (!name.empty()) redis({"HINCRBY", "{chat}:seq", name, by});
    }
    const auto one = append(one_, "one " + by);
    const auto another = append(one_, "another " + by);
    ASSERT_TRUE(until("answered", [&] { return one->has_value() && another->has_value(); }));
    EXPECT_EQ((*one)->status, append_status::appended) << (*one)->reason;
    EXPECT_EQ((*another)->status, append_status::appended) << (*another)->reason;
    sent_.insert(sent_.end(), {"one " + by, "another " + by});
    ASSERT_TRUE(until("ready", [&] { return are_ready(); }));
    expect_all_read();
  }
  EXPECT_EQ(one_.log->health().renamings, 2U);
  EXPECT_EQ(one_.read.back()->origin, origin + "+2");
  // What is sent again is known by its id, under any name.
  const auto again = append(one_, "first");
  ASSERT_TRUE(until("answered", [&] { return again->has_value(); }));
  EXPECT_EQ((*again)->at, one_.read.front()->at);
}

// It looks like one of ours, and nothing could come behind it.
TEST_F(Damage, AnEntryAtTheEndOfAllIdsIsForeign) {
  send("first");
  const std::string id = "18446744073709551615-18446744073709551615";
  ASSERT_FALSE(redis({"XADD", "{chat}:log", id, "k", "m", "o", "x", "s", "1", "r", "room", "c",
                      "id", "t", "text"})
                   ->is_error());
  ASSERT_TRUE(until("refuses", [&] {
    return one_.state() == log_state::refusing && two_.state() == log_state::refusing;
  }));
  EXPECT_NE(one_.log->health().reason.find("XDEL, id " + id), std::string::npos);
  redis({"XDEL", "{chat}:log", id});
  ASSERT_TRUE(until("ready", [&] { return are_ready(); }));
  send("after");
  expect_all_read();
}

}  // namespace
}  // namespace ordeal::test
