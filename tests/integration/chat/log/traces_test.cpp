// Goal: what starts and recoveries leave in Redis is bounded, by the retention and not by their number; and who may
// still repeat a message is not forgotten.
#include "tests/integration/chat/log/script_runner.h"

namespace ordeal::test {
namespace {

class Traces : public script_runner {
 protected:
  // As many entries of an origin as make those before it leave the log.
  void fill(const std::string& origin, int from = 1) {
    std::vector<message> batch;
    for (int i = 0; i < 200; ++i) {
      const std::string seq = std::to_string(from + i);
      std::string id = origin;
      id += "/" + seq;
      batch.push_back({seq, std::move(id)});
    }
    append_words how = to_append(origin);
    how.epoch = ask({"HGET", "meta", "epoch"});
    how.retained = "50";
    ASSERT_TRUE(append(how, batch).starts_with("OK,"));
  }
  std::string beat(const std::string& origin) {
    append_words how = to_append(origin);
    how.beat = "1 1-1 1";
    return append(how, {});
  }
  void start(const std::string& origin) {
    std::string id = origin;
    id += "/1";
    ASSERT_TRUE(append(to_append(origin), {{"1", std::move(id)}}).starts_with("OK,"));
  }
  void recover(int epoch) {
    make_round();
    commit_words how;
    how.tail = ask({"HGET", "meta", "epoch"}) + "-" + ask({"HGET", "meta", "top"});
    how.epoch = std::to_string(epoch);
    how.replaces = "0";
    const auto known = redis({"HGETALL", "epochs"});
    for (std::size_t i = 0; i < known->size(); ++i) {
      if (known.view()[i / 2 * 2].text() != "0") how.epochs.emplace_back(known.view()[i].text());
    }
    ASSERT_EQ(commit(a_claim(), how), "0");
  }
  int size_of(const char* key) { return std::stoi(ask({"HLEN", key})); }
};

TEST_F(Traces, AnOriginThatHasSentNothingLeavesNone) {
  make_log();
  EXPECT_TRUE(beat("a").starts_with("OK,"));
  EXPECT_EQ(ask({"HKEYS", "seq"}), "") << "the sign of the key itself";
  EXPECT_EQ(ask({"EXISTS", "heard"}), "0");
}

TEST_F(Traces, OriginsGoWithTheirEntries) {
  make_log();
  for (int i = 100; i < 200; ++i) start("o" + std::to_string(i));
  EXPECT_EQ(size_of("seq"), 101) << "all of them have entries in the log";
  fill("a");
  start("b");
  EXPECT_EQ(size_of("seq"), 33) << "the newest, and the sign of the key";
  EXPECT_EQ(size_of("heard"), 32);
  EXPECT_EQ(ask({"HMGET", "seq", "a", "b", "o199", "o170", "o169"}), "200,1,1,1,-");
}

// Its heartbeats are heard: it may repeat what it has in its outbox.
TEST_F(Traces, AnOriginThatIsHeardOfStays) {
  make_log();
  start("idle");
  start("a");
  for (int i = 100; i < 200; ++i) start("o" + std::to_string(i));
  fill("a", 2);
  ASSERT_TRUE(beat("idle").starts_with("OK,"));
  start("b");
  EXPECT_EQ(size_of("seq"), 33);
  EXPECT_TRUE(append(to_append("idle"), {{"1", "idle/1"}}).ends_with(",DUP ")) << "trimmed, known";
}

TEST_F(Traces, LossOfWhatWasHeardForgetsNobody) {
  make_log();
  start("a");
  for (int i = 100; i < 200; ++i) start("o" + std::to_string(i));
  fill("a", 2);
  redis({"DEL", "heard"});
  redis({"SET", "heard", "something else"});
  start("b");
  EXPECT_EQ(size_of("seq"), 103);
  fill("c");
  start("d");
  EXPECT_EQ(size_of("seq"), 33) << "a retention later";
}

TEST_F(Traces, EpochsGoWithTheirEntries) {
  make_log();
  for (int epoch = 2; epoch <= 101; ++epoch) recover(epoch);
  EXPECT_EQ(size_of("epochs"), 102) << "each has its barrier in the log";
  append_words how = to_append();
  how.epoch = "101";
  ASSERT_TRUE(append(how, {{"1", "x"}}).starts_with("OK,"));
  fill("a", 2);
  EXPECT_EQ(size_of("epochs"), 33) << "the newest, and the sign of the key";
  EXPECT_EQ(ask({"HMGET", "epochs", "101", "70", "69"}), "101,70,-");
  recover(102);
  EXPECT_EQ(size_of("epochs"), 33);
}

}  // namespace
}  // namespace ordeal::test
