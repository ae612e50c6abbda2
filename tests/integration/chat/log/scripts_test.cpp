// Goal: the scripts alone, against a real Redis: every answer they can give, and the keys they
// leave behind.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "reference-server/log/scripts.h"
#include "tests/support/redis_server.h"

namespace ordeal::test {
namespace {

using chat::scripts::adopt;
using chat::scripts::append;
using chat::scripts::attach;
using chat::scripts::create;
using words = std::vector<std::string>;

class LogScripts : public testing::Test {
 protected:
  net::redis::reply run(std::string_view script, words keys, const words& arguments) {
    words all{"EVAL", std::string(script), std::to_string(keys.size())};
    all.insert(all.end(), keys.begin(), keys.end());
    all.insert(all.end(), arguments.begin(), arguments.end());
    const std::vector<std::string_view> views(all.begin(), all.end());
    return server_.command(views);
  }
  std::int64_t make_log() {
    return run(create, {"meta", "epochs", "seq", "req", "log"}, {"log1", "life1", "maker"})
        .view()
        .integer();
  }
  struct message {
    std::string seq, id, text = "text";
  };
  // The answer's elements from the second on, joined by commas.
  std::string add(std::string origin, const std::vector<message>& messages,
                  std::string life = "life1", std::string epoch = "1",
                  std::string retained = "1000000") {
    words arguments{"log1", epoch, life, origin, retained};
    for (const message& each : messages) {
      for (const std::string& word :
           {std::string("m"), each.seq, std::string("room"), each.id, each.text}) {
        arguments.push_back(word);
      }
    }
    const auto answer = run(append, {"meta", "seq", "req", "log"}, arguments);
    if (answer->is_error()) return std::string(answer->text());
    std::string result(answer.view()[0].text());
    for (std::size_t i = 1; i < answer->size(); ++i) {
      const auto each = answer.view()[i];
      result +=
          ',' + (each.is_integer() ? std::to_string(each.integer()) : std::string(each.text()));
    }
    return result;
  }
  std::string meta(std::string_view field) {
    return std::string(server_.command({"HGET", "meta", field}).view().text());
  }
  redis_server server_;
};

TEST_F(LogScripts, CreateMakesALogWithABarrierOnce) {
  EXPECT_EQ(make_log(), 1);
  EXPECT_EQ(make_log(), 0);
  EXPECT_EQ(meta("log_id"), "log1");
  EXPECT_EQ(meta("top"), "1");
  EXPECT_EQ(server_.command({"XLEN", "log"})->integer(), 1);
}

TEST_F(LogScripts, CreateLeavesRemainsAlone) {
  server_.command({"HSET", "seq", "somebody", "7"});
  EXPECT_EQ(make_log(), 0);
  EXPECT_EQ(server_.command({"EXISTS", "meta", "log"})->integer(), 0);
}

TEST_F(LogScripts, AppendNumbersDensely) {
  make_log();
  EXPECT_EQ(add("a", {{"1", "x"}, {"2", "y"}}), "OK,3,1,2,3");
  EXPECT_EQ(add("b", {{"1", "z"}}), "OK,4,1,4");
  EXPECT_EQ(meta("top"), "4");
  EXPECT_EQ(server_.command({"HGET", "seq", "a"})->text(), "2");
  EXPECT_EQ(server_.command({"HGET", "req", "z"})->text(), "1-4");
}

TEST_F(LogScripts, AppendKnowsUsedSeqs) {
  make_log();
  add("a", {{"1", "x"}, {"2", "y"}});
  EXPECT_EQ(add("a", {{"1", "x"}, {"2", "y"}, {"3", "z"}}), "OK,4,1,DUP 1-2,DUP 1-3,4");
  server_.command({"HDEL", "req", "x"});
  EXPECT_EQ(add("a", {{"1", "x"}}), "OK,4,1,DUP ");
}

TEST_F(LogScripts, AppendStopsAtAGap) {
  make_log();
  EXPECT_EQ(add("a", {{"1", "x"}, {"3", "z"}, {"4", "w"}}), "OK,2,1,2,GAP 1");
  EXPECT_EQ(add("a", {{"5", "v"}}), "OK,2,1,GAP 1");
  EXPECT_EQ(server_.command({"XLEN", "log"})->integer(), 2);
}

TEST_F(LogScripts, AppendUsesUpTheSeqOfAKnownClientId) {
  make_log();
  add("a", {{"1", "x"}});
  EXPECT_EQ(add("b", {{"1", "x"}, {"2", "y"}, {"3", "y"}}), "OK,3,1,DUPCLIENT 1-2,3,DUPCLIENT 1-3");
  EXPECT_EQ(server_.command({"HGET", "seq", "b"})->text(), "3");
  EXPECT_EQ(server_.command({"XLEN", "log"})->integer(), 3);
}

// Acknowledged as a repetition, the second message would be lost without a word.
TEST_F(LogScripts, AppendRefusesAnotherMessageUnderAKnownClientId) {
  make_log();
  add("a", {{"1", "x", "one"}});
  EXPECT_EQ(add("b", {{"1", "x", "two"}, {"2", "y", "three"}}), "OK,3,1,CONFLICT,3");
  EXPECT_EQ(add("b", {{"1", "x", "two"}}), "OK,3,1,CONFLICT") << "also when the answer was lost";
  EXPECT_EQ(add("b", {{"3", "x", "one"}}), "OK,3,1,DUPCLIENT 1-2");
  EXPECT_EQ(server_.command({"XLEN", "log"})->integer(), 3);
}

TEST_F(LogScripts, HeartbeatsHaveNoPlaceInTheSequence) {
  make_log();
  EXPECT_EQ(add("a", {{"0", ""}, {"1", "x"}, {"0", ""}}), "OK,4,1,2,3,4");
  EXPECT_EQ(server_.command({"HGET", "seq", "a"})->text(), "1");
  EXPECT_EQ(server_.command({"HLEN", "req"})->integer(), 1);
}

TEST_F(LogScripts, AppendIsStaleInAnotherLifeEpochOrState) {
  EXPECT_EQ(add("a", {{"1", "x"}}), "STALE");
  make_log();
  EXPECT_EQ(add("a", {{"1", "x"}}, "life2"), "STALE");
  EXPECT_EQ(add("a", {{"1", "x"}}, "life1", "2"), "STALE");
  server_.command({"HSET", "meta", "log_id", "log2"});
  EXPECT_EQ(add("a", {{"1", "x"}}), "STALE");
  server_.command({"HSET", "meta", "log_id", "log1", "state", "recovering"});
  EXPECT_EQ(add("a", {{"1", "x"}}), "STALE");
  EXPECT_EQ(server_.command({"XLEN", "log"})->integer(), 1);
  EXPECT_EQ(server_.command({"EXISTS", "seq"})->integer(), 0);
}

TEST_F(LogScripts, NumbersStayWholeAboveFourteenDigits) {
  make_log();
  server_.command({"XADD", "log", "1-9007199254740000", "k", "b", "o", "", "s", "0", "r", "", "c",
                   "", "t", ""});
  server_.command({"XTRIM", "log", "MAXLEN", "=", "1"});
  server_.command({"HSET", "meta", "top", "9007199254740000", "floor", "9007199254740000"});
  server_.command({"HSET", "seq", "a", "123456789012345"});
  EXPECT_EQ(add("a", {{"123456789012346", "x"}}),
            "OK,9007199254740001,9007199254740000,9007199254740001");
  EXPECT_EQ(meta("top"), "9007199254740001");
  EXPECT_EQ(server_.command({"HGET", "seq", "a"})->text(), "123456789012346");
  EXPECT_EQ(server_.command({"HGET", "req", "x"})->text(), "1-9007199254740001");
}

TEST_F(LogScripts, TrimmingForgetsClientIdsAndRaisesTheFloor) {
  make_log();
  std::vector<message> batch;
  for (int i = 1; i <= 250; ++i) batch.push_back({std::to_string(i), "id" + std::to_string(i)});
  EXPECT_TRUE(add("a", batch, "life1", "1", "100").starts_with("OK,251,152,"));
  EXPECT_EQ(meta("floor"), "152");
  EXPECT_EQ(server_.command({"XLEN", "log"})->integer(), 100);
  EXPECT_EQ(server_.command({"HLEN", "req"})->integer(), 100);
  const auto oldest = server_.command({"XRANGE", "log", "-", "+", "COUNT", "1"});
  EXPECT_EQ(oldest.view()[0][0].text(), "1-152");
  // Entry 152 is message 151: remembered; message 150 is forgotten, so its id is new again.
  EXPECT_EQ(add("b", {{"1", "id151"}, {"2", "id150"}}, "life1", "1", "100"),
            "OK,252,152,DUPCLIENT 1-152,252");
}

TEST_F(LogScripts, AttachTellsAllAndChangesNothing) {
  const words keys{"meta", "epochs", "seq", "req", "log"};
  const auto nothing = run(attach, keys, {"a", ""});
  EXPECT_TRUE(nothing.view()[0][0].is_nil());
  EXPECT_EQ(nothing.view()[1].integer(), 0);
  EXPECT_EQ(server_.command({"DBSIZE"})->integer(), 0);
  make_log();
  add("a", {{"1", "x"}, {"2", "y"}});
  const auto found = run(attach, keys, {"a", "1-2"});
  EXPECT_EQ(found.view()[0][0].text(), "log1");
  EXPECT_EQ(found.view()[0][4].text(), "3");
  EXPECT_EQ(found.view()[1].integer(), 4);
  EXPECT_EQ(found.view()[2].text(), "2");
  EXPECT_EQ(found.view()[3][0][0].text(), "1-3");
  EXPECT_EQ(found.view()[4][0][0].text(), "1-2");
  const auto absent = run(attach, keys, {"b", "1-9"});
  EXPECT_EQ(absent.view()[2].text(), "0");
  EXPECT_EQ(absent.view()[4].size(), 0U);
}

TEST_F(LogScripts, AdoptIsACompareAndSet) {
  make_log();
  EXPECT_EQ(run(adopt, {"meta"}, {"log1", "life0", "1", "life2"})->integer(), 0);
  EXPECT_EQ(run(adopt, {"meta"}, {"log0", "life1", "1", "life2"})->integer(), 0);
  EXPECT_EQ(run(adopt, {"meta"}, {"log1", "life1", "2", "life2"})->integer(), 0);
  EXPECT_EQ(meta("incarnation"), "life1");
  EXPECT_EQ(run(adopt, {"meta"}, {"log1", "life1", "1", "life2"})->integer(), 1);
  EXPECT_EQ(meta("incarnation"), "life2");
}

}  // namespace
}  // namespace ordeal::test
