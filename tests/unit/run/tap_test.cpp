// Goal: what the tap of a link says about messages, for literal conversations with Redis, and what it must not say.
// Method: bytes in, sightings out; no socket.
#include "harness/run/tap.h"

#include <gtest/gtest.h>

#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

#include "harness/history/envelope.h"
#include "harness/run/envelope_finder.h"
#include "net/redis/connection.h"

namespace ordeal::test {
namespace {

using fault::link_way;
using harness::client_id;
using harness::message_id;
using harness::node_id;
using harness::room_id;
using harness::tap_point;
using harness::tapped;
using texts = std::vector<std::string>;

constexpr std::string_view nonce = "abcd0123";

message_id message(std::uint32_t seq) {
  return {client_id{2}, room_id{1}, seq};
}

// An envelope of this run with some padding.
std::string payload(std::uint32_t seq, std::size_t bytes = 96) {
  return harness::make_envelope(nonce, message(seq), harness::run_time(seq * 1'000), bytes);
}

std::string command(std::initializer_list<std::string_view> words) {
  net::redis::request made;
  made.add(words);
  return std::string(made.bytes());
}

std::string bulk(const std::string& text) {
  return "$" + std::to_string(text.size()) + "\r\n" + text + "\r\n";
}

// A node with a tap, and what it told since last asked: "to_redis 17". Bytes go in as one piece, or one by one.
class TapTest : public testing::TestWithParam<bool> {
 protected:
  TapTest() {
    harness::tap_outlet outlet;
    outlet.run_start = net::now();
    outlet.on_tapped = [this](std::vector<tapped> batch) {
      EXPECT_FALSE(batch.empty());
      ++batches_;
      for (const tapped& each : batch) take(each);
    };
    maker_ = harness::tap_of(node_id{1}, std::string(nonce), std::move(outlet));
    connect();
  }

  void connect() { tap_ = maker_(); }
  void up(const std::string& bytes) { feed(link_way::up, bytes); }
  void down(const std::string& bytes) { feed(link_way::down, bytes); }
  texts told() { return std::exchange(told_, {}); }

  std::size_t batches_ = 0;

 private:
  void feed(link_way way, const std::string& bytes) {
    if (!GetParam()) return tap_->on_bytes(way, bytes);
    for (const char& each : bytes) tap_->on_bytes(way, std::string_view(&each, 1));
  }
  void take(const tapped& what) {
    EXPECT_EQ(what.node, node_id{1});
    EXPECT_EQ(what.id.sender, client_id{2});
    EXPECT_EQ(what.id.room, room_id{1});
    EXPECT_GE(what.at.count(), 0);
    constexpr const char* names[] = {"to", "accepted", "refused", "from"};
    told_.push_back(std::string(names[static_cast<std::size_t>(what.where)]) + " " +
                    std::to_string(what.id.seq));
  }

  fault::tap_maker maker_;
  std::unique_ptr<fault::connection_tap> tap_;
  texts told_;
};
INSTANTIATE_TEST_SUITE_P(Pieces, TapTest, testing::Bool(), [](const auto& is_one_by_one) {
  return is_one_by_one.param ? "ByteByByte" : "Whole";
});

TEST_P(TapTest, FollowsAPublishedMessage) {
  up(command({"AUTH", "chat", "secret"}));
  down("+OK\r\n");
  up(command({"PUBLISH", "room", "{\"text\":\"" + payload(1) + "\"}"}));
  EXPECT_EQ(told(), texts({"to 1"}));
  down(":3\r\n");
  EXPECT_EQ(told(), texts({"accepted 1"}));
}

TEST_P(TapTest, SaysNothingBeforeARequestIsComplete) {
  const std::string bytes = command({"PUBLISH", "room", payload(1)});
  up(bytes.substr(0, bytes.size() - 1));
  EXPECT_EQ(told(), texts());
  up(bytes.substr(bytes.size() - 1));
  EXPECT_EQ(told(), texts({"to 1"}));
}

TEST_P(TapTest, PairsPipelinedRequestsWithTheirReplies) {
  up(command({"PING"}) + command({"XADD", "log", "*", "t", payload(1)}) + command({"PING"}) +
     command({"PING"}) + command({"XADD", "log", "*", "t", payload(2)}) + "publish room " +
     payload(3) + "\r\n" + command({"SET", "k", payload(4), "NX"}));
  EXPECT_EQ(told(), texts({"to 1", "to 2", "to 3", "to 4"}));
  down("+PONG\r\n" + bulk("1-1") + "+PONG\r\n");
  EXPECT_EQ(told(), texts({"accepted 1"}));
  down("+PONG\r\n-OOM command not allowed when used memory > 'maxmemory'.\r\n:0\r\n");
  EXPECT_EQ(told(), texts({"refused 2", "accepted 3"}));
  // A nil says neither.
  down("$-1\r\n");
  EXPECT_EQ(told(), texts());
}

TEST_P(TapTest, GivesABatchOneFate) {
  const auto batch = [](const std::string& first, const std::string& second) {
    return command({"EVALSHA", "f00d", "1", "log", "m", "1", "room", "c1", first, "m", "2", "room",
                    "c2", second});
  };
  up(batch(payload(1), payload(2)));
  down("*5\r\n+OK\r\n:10\r\n:1\r\n:9\r\n:10\r\n");
  EXPECT_EQ(told(), texts({"to 1", "to 2", "accepted 1", "accepted 2"}));
  up(batch(payload(3), payload(4)));
  down("-NOSCRIPT No matching script.\r\n");
  EXPECT_EQ(told(), texts({"to 3", "to 4", "refused 3", "refused 4"}));
  // Whose error it is among two cannot be told; of one it can.
  up(batch(payload(5), payload(6)) + batch(payload(7), "x"));
  down("*2\r\n+OK\r\n-ERR one of them\r\n*1\r\n-ERR it\r\n");
  EXPECT_EQ(told(), texts({"to 5", "to 6", "to 7", "refused 7"}));
}

TEST_P(TapTest, SeesWhatRedisSends) {
  up(command({"XREAD", "BLOCK", "1000", "STREAMS", "log", "0"}) +
     command({"HMGET", "meta", "top"}));
  down("*1\r\n*2\r\n" + bulk("log") + "*2\r\n*2\r\n" + bulk("1-1") + "*2\r\n" + bulk("t") +
       bulk(payload(1)) + "*2\r\n" + bulk("1-2") + "*2\r\n" + bulk("t"));
  EXPECT_EQ(told(), texts());
  down(bulk(payload(2, 4'000)) + "*1\r\n" + bulk("7"));
  EXPECT_EQ(told(), texts({"from 1", "from 2"}));
  // Read again: no news.
  up(command({"XRANGE", "log", "-", "+"}));
  down("*2\r\n" + bulk(payload(2)) + bulk(payload(3)));
  EXPECT_EQ(told(), texts({"from 3"}));
}

TEST(TapErrors, AreToldByTheirCode) {
  std::vector<std::string> codes;
  harness::tap_outlet outlet;
  outlet.on_tapped = [](const std::vector<tapped>&) {};
  outlet.on_error = [&](const harness::reason_heard& what) {
    EXPECT_EQ(what.kind, harness::reason_kind::redis_error);
    EXPECT_EQ(what.node, node_id{1});
    codes.push_back(std::to_string(what.count) + ' ' + what.text);
  };
  const auto tap = harness::tap_of(node_id{1}, std::string(nonce), outlet)();
  tap->on_bytes(fault::link_way::up, "*1\r\n$4\r\nPING\r\n");
  tap->on_bytes(fault::link_way::down, "-OOM command not allowed\r\n-NOSCRIPT No such\r\n+OK\r\n");
  EXPECT_EQ(codes, texts({"1 OOM"}));
  // A flood is told in one word for each piece of the stream.
  std::string flood = "-ERR first\r\n";
  for (int i = 0; i < 5'000; ++i) flood += "-OOM command not allowed\r\n";
  tap->on_bytes(fault::link_way::down, flood);
  EXPECT_EQ(codes, texts({"1 OOM", "1 ERR", "5000 OOM"}));
}

TEST_P(TapTest, AnErrorThatQuotesAMessageDeliversNothing) {
  up(command({"PUBLISHH", payload(1)}));
  down("-ERR unknown command 'PUBLISHH', with args beginning with: '" + payload(1) + "'\r\n");
  EXPECT_EQ(told(), texts({"to 1", "refused 1"}));
}

TEST_P(TapTest, KnowsPushesFromRepliesInSubscribedMode) {
  up(command({"SUBSCRIBE", "a", "b"}) + command({"PSUBSCRIBE", "c*"}));
  down("*3\r\n" + bulk("subscribe") + bulk("a") + ":1\r\n");
  down("*3\r\n" + bulk("message") + bulk("a") + bulk(payload(1)));
  down("*3\r\n" + bulk("subscribe") + bulk("b") + ":2\r\n" + "*3\r\n" + bulk("psubscribe") +
       bulk("c*") + ":3\r\n");
  up(command({"PING"}));
  down("*4\r\n" + bulk("pmessage") + bulk("c*") + bulk("c1") + bulk(payload(2)));
  down("*2\r\n" + bulk("pong") + bulk(""));
  EXPECT_EQ(told(), texts({"from 1", "from 2"}));
  // Refused there; the error must find its request.
  up(command({"PUBLISH", "a", payload(3)}));
  down("-ERR Can't execute 'publish': only (P|S)SUBSCRIBE are allowed in this context\r\n");
  EXPECT_EQ(told(), texts({"to 3", "refused 3"}));
  // Everything is confirmed one by one; then the connection is an ordinary one again.
  up(command({"UNSUBSCRIBE"}) + command({"PUNSUBSCRIBE"}) + command({"LRANGE", "l", "0", "1"}) +
     command({"PUBLISH", "a", payload(4)}));
  down("*3\r\n" + bulk("unsubscribe") + bulk("a") + ":2\r\n" + "*3\r\n" + bulk("unsubscribe") +
       bulk("b") + ":1\r\n" + "*3\r\n" + bulk("punsubscribe") + bulk("c*") + ":0\r\n");
  down("*1\r\n" + bulk("message"));
  EXPECT_EQ(told(), texts({"to 4"}));
  down(":1\r\n");
  EXPECT_EQ(told(), texts({"accepted 4"}));
}

TEST_P(TapTest, ARefusedSubscriptionIsAnsweredOnce) {
  up(command({"SUBSCRIBE", "a", "b"}) + command({"PUBLISH", "a", payload(1)}));
  down("-NOPERM no access to channels\r\n:1\r\n");
  EXPECT_EQ(told(), texts({"to 1", "accepted 1"}));
}

TEST_P(TapTest, EachChannelIsConfirmedBeforeTheNextAnswer) {
  up(command({"HELLO", "3"}) + command({"SUBSCRIBE", "a", "b"}) + command({"SUBSCRIBE", "c"}) +
     command({"PUBLISH", "a", payload(1)}));
  down("%1\r\n" + bulk("proto") + ":3\r\n");
  down(">3\r\n" + bulk("subscribe") + bulk("a") + ":1\r\n");
  down(">3\r\n" + bulk("subscribe") + bulk("b") + ":2\r\n");
  down("-NOPERM not this channel\r\n");
  EXPECT_EQ(told(), texts({"to 1"}));
  down(":1\r\n");
  EXPECT_EQ(told(), texts({"accepted 1"}));
}

TEST_P(TapTest, KnowsPushesOfRespThree) {
  up(command({"HELLO", "3"}) + command({"SUBSCRIBE", "a"}) + command({"PUBLISH", "a", payload(1)}) +
     command({"LRANGE", "l", "0", "2"}) + command({"PUBLISH", "a", payload(2)}));
  down("%1\r\n" + bulk("proto") + ":3\r\n");
  down(">3\r\n" + bulk("subscribe") + bulk("a") + ":1\r\n");
  down(">3\r\n" + bulk("message") + bulk("a") + bulk(payload(1)) + ":1\r\n");
  EXPECT_EQ(told(), texts({"to 1", "to 2", "from 1", "accepted 1"}));
  down("*1\r\n" + bulk("message") + "-NOPERM not this channel\r\n");
  EXPECT_EQ(told(), texts({"refused 2"}));
}

TEST_P(TapTest, QueuedIsNotAccepted) {
  up(command({"MULTI"}) + command({"XADD", "log", "*", "t", payload(1)}) + command({"INCR", "n"}) +
     command({"PUBLISH", "a", payload(2)}) + command({"EXEC"}));
  down("+OK\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n");
  EXPECT_EQ(told(), texts({"to 1", "to 2"}));
  down("*3\r\n" + bulk("1-1") + "-ERR value is not an integer\r\n-OOM no room\r\n");
  EXPECT_EQ(told(), texts({"accepted 1", "refused 2"}));
  // The connection is an ordinary one again.
  up(command({"PUBLISH", "a", payload(3)}));
  down(":0\r\n");
  EXPECT_EQ(told(), texts({"to 3", "accepted 3"}));
}

TEST_P(TapTest, ATransactionThatDidNotRunRefuses) {
  const std::string transaction =
      command({"MULTI"}) + command({"SET", "k", payload(1)}) + command({"EXEC"});
  up(command({"WATCH", "k"}) + transaction);
  down("+OK\r\n+OK\r\n+QUEUED\r\n*-1\r\n");
  EXPECT_EQ(told(), texts({"to 1", "refused 1"}));

  up(command({"MULTI"}) + command({"SET", "k", payload(2)}) + command({"SET", payload(3)}) +
     command({"EXEC"}));
  down("+OK\r\n+QUEUED\r\n-ERR wrong number of arguments\r\n-EXECABORT Transaction discarded\r\n");
  EXPECT_EQ(told(), texts({"to 2", "to 3", "refused 3", "refused 2"}));

  // Thrown away by the node itself: nobody refused it.
  up(command({"MULTI"}) + command({"SET", "k", payload(4)}) + command({"DISCARD"}) +
     command({"SET", "k", payload(5)}));
  down("+OK\r\n+QUEUED\r\n+OK\r\n+OK\r\n");
  EXPECT_EQ(told(), texts({"to 4", "to 5", "accepted 5"}));
}

TEST_P(TapTest, SaysNothingMoreOfAnswersThatCannotBePaired) {
  const std::vector<std::string> commands = {command({"MONITOR"}),
                                             command({"CLIENT", "REPLY", "OFF"}),
                                             command({"PSYNC", "?", "-1"}), "\"subscribe\" a\r\n"};
  std::uint32_t seq = 0;
  for (const std::string& each : commands) {
    connect();
    up(each + command({"PUBLISH", "a", payload(++seq)}));
    down("+OK\r\n+OK\r\n:1\r\n:1\r\n");
    EXPECT_EQ(told(), texts({"to " + std::to_string(seq)})) << each;
  }
  // What was not asked for.
  connect();
  down("-ERR max number of clients reached\r\n");
  up(command({"PUBLISH", "a", payload(90)}));
  down(":1\r\n");
  EXPECT_EQ(told(), texts({"to 90"}));
  // A subscription that is not confirmed.
  connect();
  up(command({"SUBSCRIBE", "a"}) + command({"PUBLISH", "a", payload(92)}));
  down("+OK\r\n:1\r\n");
  EXPECT_EQ(told(), texts({"to 92"}));
  // A transaction whose answers do not fit.
  connect();
  up(command({"MULTI"}) + command({"PUBLISH", "a", payload(91)}) + command({"EXEC"}));
  down("+OK\r\n+QUEUED\r\n*2\r\n:1\r\n:1\r\n");
  EXPECT_EQ(told(), texts({"to 91"}));
}

TEST_P(TapTest, SaysNothingOfWhatItCannotRead) {
  up(std::string("\x16\x03\x01\x02", 4) + command({"PUBLISH", "a", payload(1)}));
  down(std::string("\x16\x03\x03", 3) + bulk(payload(2)));
  EXPECT_EQ(told(), texts());
  // One direction alone: what the other one shows is still true, but answers are not.
  connect();
  up(command({"PUBLISH", "a", payload(3)}));
  down("what?\r\n:1\r\n");
  EXPECT_EQ(told(), texts({"to 3"}));
  up(command({"PUBLISH", "a", payload(4)}));
  EXPECT_EQ(told(), texts({"to 4"}));
}

TEST_P(TapTest, ANewConnectionBeginsAnew) {
  up(command({"PUBLISH", "a", payload(1)}) + "*2\r\n$7\r\nPUBL");
  connect();
  up(command({"PING"}) + command({"PUBLISH", "a", payload(1)}) +
     command({"PUBLISH", "a", payload(2)}));
  down("+PONG\r\n:1\r\n");
  // The first one was sent twice: told once.
  EXPECT_EQ(told(), texts({"to 1", "to 2", "accepted 1"}));
}

TEST_P(TapTest, OnlyIntactEnvelopesOfThisRunCount) {
  const std::string good = payload(1);
  std::string damaged = good;
  damaged[12] = 'x';
  const std::string foreign = harness::make_envelope("zzzz9999", message(1), {}, 96);
  up(command({"PUBLISH", "a", damaged}) + command({"PUBLISH", "a", foreign}) +
     command({"PUBLISH", "a", good.substr(0, 30)}) + command({"PUBLISH", "a", good.substr(30)}));
  EXPECT_EQ(told(), texts());
  up(command({"PUBLISH", "a", "o2.abcd0123.o2.o2.abcd0123" + good + good + payload(2)}));
  EXPECT_EQ(told(), texts({"to 1", "to 2"}));
}

TEST_P(TapTest, ManyRequestsWithoutAnAnswerAreTooMany) {
  std::string piece;
  for (std::uint32_t seq = 1; seq <= 1'000; ++seq) piece += command({"RPUSH", "l", payload(seq)});
  for (int i = 0; i < 70; ++i) up(piece);
  EXPECT_GE(told().size(), 1'000U);
  down(":1\r\n");
  EXPECT_EQ(told(), texts());
}

TEST(TapBatches, OneForEachPieceOfBytes) {
  std::size_t batches = 0, events = 0;
  harness::tap_outlet outlet;
  outlet.on_tapped = [&](const std::vector<tapped>& batch) {
    ++batches;
    events += batch.size();
  };
  const auto tap = harness::tap_of(node_id{0}, std::string(nonce), outlet)();
  std::string many, answers;
  for (std::uint32_t seq = 1; seq <= 100; ++seq) {
    many += command({"PUBLISH", "a", payload(seq)});
    answers += ":1\r\n";
  }
  tap->on_bytes(link_way::up, many);
  tap->on_bytes(link_way::down, answers);
  tap->on_bytes(link_way::down, "");
  EXPECT_EQ(batches, 2U);
  EXPECT_EQ(events, 200U);
}

TEST(EnvelopeFinder, FindsAcrossEverySplit) {
  const std::string text = "o2.abcd01" + payload(1) + "o" + payload(2) + " o2.";
  const std::vector<message_id> wanted = {message(1), message(2)};
  for (std::size_t i = 0; i <= text.size(); ++i) {
    for (std::size_t k = i; k <= text.size(); ++k) {
      harness::envelope_finder finder(nonce);
      std::vector<message_id> found;
      finder.feed("o2.abcd0123.1.1.", true, found);  // cut short: another string begins
      finder.feed(text.substr(0, i), true, found);
      finder.feed(text.substr(i, k - i), i == 0, found);
      finder.feed(text.substr(k), k == 0, found);
      EXPECT_EQ(found, wanted) << i << " " << k;
    }
  }
}

TEST(EnvelopeFinder, DoesNotJoinTwoStrings) {
  const std::string text = payload(1);
  std::size_t end_of_head = 0;
  for (int dots = 0; dots < 8; ++dots) end_of_head = text.find('.', end_of_head) + 1;
  for (std::size_t i = 1; i < end_of_head; ++i) {
    harness::envelope_finder finder(nonce);
    std::vector<message_id> found;
    finder.feed(text.substr(0, i), true, found);
    finder.feed(text.substr(i), true, found);
    EXPECT_EQ(found, std::vector<message_id>()) << i;
  }
}

}  // namespace
}  // namespace ordeal::test
