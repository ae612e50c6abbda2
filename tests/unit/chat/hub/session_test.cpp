// One client's connection against the hub: handshake, calls and their answers, limits, the end.
#include "reference-server/hub/session.h"

#include "tests/unit/chat/hub/hub_fixture.h"

namespace ordeal::chat::test {
namespace {

class Session : public hub_fixture {};

TEST_F(Session, RefusesAnotherProtocol) {
  start();
  client other = connect();
  tell(other, R"({"protocol":"messagepack","version":1})");
  EXPECT_EQ(news(other), lines{R"({"error":"only the protocol json is supported"})"});
  EXPECT_EQ(other.wire->close_code, 1002);
}

TEST_F(Session, RefusesAnotherVersion) {
  start();
  client other = connect();
  tell(other, R"({"protocol":"json","version":3})");
  EXPECT_EQ(news(other),
            lines{R"({"error":"only versions 1 and 2 of the protocol are supported"})"});
  EXPECT_EQ(other.wire->close_code, 1002);
}

TEST_F(Session, TakesHandshakeAndCallsFromOneFrame) {
  start();
  client eager = connect();
  tell(eager, R"({"protocol":"json","version":1})"
              "\x1e"
              R"({"type":1,"invocationId":"1","target":"Join","arguments":["a",null]})");
  EXPECT_EQ(news(eager), (lines{"{}", "1=log1:1-0"}));
}

TEST_F(Session, TakesARecordOverSeveralFrames) {
  start();
  client slow = connect_and_greet();
  slow.wire->receive(R"({"type":1,"invocationId":"1","tar)");
  poll();
  EXPECT_EQ(news(slow), lines{});
  tell(slow, R"(get":"Leave","arguments":["a"]})");
  EXPECT_EQ(news(slow), lines{"1="});
}

TEST_F(Session, AnswersASendWithItsCursor) {
  start();
  client sender = connect_and_greet();
  invoke(sender, "1", "Send", R"(["a","m1","hello"])");
  EXPECT_EQ(news(sender), lines{"1=log1:1-1"});
}

// Nobody knows its position yet: the answer says that it was taken, and no more.
TEST_F(Session, AnswersAnAcceptedSendWithoutACursor) {
  start();
  log.next_outcome.status = append_status::accepted;
  client sender = connect_and_greet();
  invoke(sender, "1", "Send", R"(["a","m1","hello"])");
  EXPECT_EQ(news(sender), lines{"1=-"});
  tell(sender, R"({"type":1,"target":"Send","arguments":["a","m2","hello"]})");
  EXPECT_EQ(news(sender), lines{});
  EXPECT_EQ(log.accepted.size(), 2U);
}

TEST_F(Session, WritesAtOnceWhatTheSocketTakes) {
  start();
  client sender = connect_and_greet();
  sender.wire->try_result = net::websocket::try_result::sent;
  invoke(sender, "1", "Send", R"(["a","m1","hello"])");
  invoke(sender, "2", "Send", R"(["a","m2","hello"])");
  EXPECT_EQ(news(sender), (lines{"1=log1:1-1", "2=log1:1-2"}));
}

TEST_F(Session, WritesTheRestBeforeAnythingElse) {
  start();
  client sender = connect_and_greet();
  sender.wire->try_result = net::websocket::try_result::partly;
  sender.wire->is_write_held = true;
  invoke(sender, "1", "Send", R"(["a","m1","hello"])");
  sender.wire->try_result = net::websocket::try_result::sent;
  invoke(sender, "2", "Send", R"(["a","m2","hello"])");
  EXPECT_EQ(news(sender), lines{}) << "the first answer is still being written";
  sender.wire->is_write_held = false;
  sender.wire->changed.notify_all();
  poll();
  EXPECT_EQ(news(sender), (lines{"1=log1:1-1", "2=log1:1-2"}));
}

TEST_F(Session, SaysWhetherAFailedSendMayBeRepeated) {
  start();
  client sender = connect_and_greet();
  log.next_outcome = {append_status::retry_later, {}, "Redis is away"};
  invoke(sender, "1", "Send", R"(["a","m1","hello"])");
  log.next_outcome = {append_status::refused, {}, "too large for the log"};
  invoke(sender, "2", "Send", R"(["a","m2","hello"])");
  invoke(sender, "3", "Shout", "[]");
  EXPECT_EQ(news(sender), (lines{"1!retry: Redis is away", "2!refused: too large for the log",
                                 "3!refused: unknown method, this hub has Join, Leave and Send"}));
}

TEST_F(Session, AnswersNothingToAnInvocationWithoutId) {
  start();
  client sender = connect_and_greet();
  tell(sender, R"({"type":1,"target":"Send","arguments":["a","m1","hello"]})");
  tell(sender, R"({"type":1,"target":"Shout","arguments":[]})");
  EXPECT_EQ(news(sender), lines{});
  EXPECT_EQ(log.accepted, lines{"hello"});
}

TEST_F(Session, AppendsInTheOrderOfTheInvocations) {
  start();
  client sender = connect_and_greet();
  log.is_append_held = true;
  std::string frame;
  lines texts;
  for (int i = 0; i < 20; ++i) {
    texts.push_back("t" + std::to_string(i));
    frame += R"({"type":1,"target":"Send","arguments":["a","m)" + std::to_string(i) + R"(",")" +
             texts.back() + "\"]}\x1e";
  }
  sender.wire->receive(frame);
  poll();
  EXPECT_EQ(log.accepted, texts);
}

TEST_F(Session, StopsReadingAtTheLimitOfSendsInFlight) {
  hub_limits limits;
  limits.sends_in_flight_max = 2;
  start(limits);
  client sender = connect_and_greet();
  log.is_append_held = true;
  for (const char* id : {"1", "2", "3", "4"}) invoke(sender, id, "Send", R"(["a","m","t"])");
  EXPECT_EQ(log.accepted.size(), 2U);
  EXPECT_EQ(sender.wire->inbox.size(), 1U) << "the reader holds the third, the fourth is not read";
  log.let_go();
  poll();
  EXPECT_EQ(log.accepted.size(), 4U);
  EXPECT_EQ(news(sender), (lines{"1=log1:1-1", "2=log1:1-2", "3=log1:1-3", "4=log1:1-4"}));
}

TEST_F(Session, AnswersRetryWhenTheOutboxStaysFull) {
  hub_limits limits;
  limits.congestion_wait_max = std::chrono::milliseconds(0);
  start(limits);
  client sender = connect_and_greet();
  log.is_full = true;
  invoke(sender, "1", "Send", R"(["a","m","t"])");
  EXPECT_EQ(news(sender),
            lines{"1!retry: the outbox of this node is full: send it again with the same id"});
  EXPECT_EQ(log.accepted.size(), 0U);
}

TEST_F(Session, LeavesTheAnswerToTheLogWhenRedisIsAway) {
  start();
  client sender = connect_and_greet();
  log.is_full = true;
  log.health().state = log_state::connecting;
  log.next_outcome = {append_status::retry_later, {}, "the outbox is full"};
  invoke(sender, "1", "Send", R"(["a","m","t"])");
  EXPECT_EQ(news(sender), lines{"1!retry: the outbox is full"});
}

TEST_F(Session, ClosesOnARecordItCannotRead) {
  start();
  client broken = connect_and_greet();
  tell(broken, "{nonsense");
  const auto seen = news(broken);
  ASSERT_EQ(seen.size(), 1U);
  EXPECT_EQ(seen.front().rfind("close(a record cannot be read: ", 0), 0U) << seen.front();
  EXPECT_EQ(broken.wire->close_code, 1002);
}

TEST_F(Session, RefusesOneCallThatCannotBeHeldAndLives) {
  start();
  client half = connect_and_greet();
  tell(half, R"({"type":1,"invocationId":"1","target":"Send","arguments":["a","m","x\ud83d"]})");
  EXPECT_EQ(
      news(half),
      lines{"1!refused: half of a surrogate pair (as \\ud83d alone) stands for no character"});
  EXPECT_EQ(hub->session_count(), 1U);
  EXPECT_EQ(log.accepted, lines{});
}

TEST_F(Session, RefusesStreamsInWords) {
  start();
  client streaming = connect_and_greet();
  const std::string why =
      "!refused: this hub has no streaming methods, use invoke with Join, Leave and Send";
  tell(streaming, R"({"type":4,"invocationId":"1","target":"Send","arguments":["a","m","t"]})");
  EXPECT_EQ(news(streaming), lines{"1" + why});
  tell(streaming, R"({"type":1,"invocationId":"2","target":"Send","arguments":["a","m"],)"
                  R"("streamIds":["3"]})");
  EXPECT_EQ(news(streaming), lines{"2" + why});
  tell(streaming, R"({"type":2,"invocationId":"3","item":"x"})");
  tell(streaming, R"({"type":3,"invocationId":"3"})");
  tell(streaming, R"({"type":5,"invocationId":"1"})");
  EXPECT_EQ(news(streaming), lines{}) << "the protocol has no answer to these";
  EXPECT_EQ(hub->session_count(), 1U);
  EXPECT_EQ(log.accepted, lines{});
}

TEST_F(Session, IgnoresTypesOfLaterVersions) {
  start();
  client newer = connect_and_greet();
  for (const char* record : {R"({"type":8,"sequenceId":7})", R"({"type":9,"sequenceId":7})",
                             R"({"type":10})", R"({"type":99,"target":1})"}) {
    tell(newer, record);
  }
  EXPECT_EQ(news(newer), lines{});
  EXPECT_EQ(hub->session_count(), 1U);
}

TEST_F(Session, RefusesTooManyJoinsAtOnce) {
  hub_limits limits;
  limits.rooms_per_client_max = 1;
  start(limits);
  log.publish("a", "m1", "x");
  client eager = connect_and_greet();
  log.is_range_held = true;
  for (const char* id : {"1", "2", "3"}) invoke(eager, id, "Join", R"(["a","log1:1-0"])");
  EXPECT_EQ(news(eager), lines{"3!retry: 2 Joins of this client are unanswered, wait for them"});
  log.let_go();
  poll();
  invoke(eager, "4", "Join", R"(["a",null])");
  EXPECT_EQ(news(eager).back(), "4=log1:1-1");
}

TEST_F(Session, IgnoresPings) {
  start();
  client idle = connect_and_greet();
  tell(idle, R"({"type":6})");
  EXPECT_EQ(news(idle), lines{});
  EXPECT_EQ(hub->session_count(), 1U);
}

TEST_F(Session, EndsWhenTheClientSaysSo) {
  start();
  client leaving = connect_and_greet();
  tell(leaving, R"({"type":7})");
  EXPECT_EQ(leaving.wire->close_code, 1000);
  EXPECT_EQ(hub->session_count(), 0U);
}

TEST_F(Session, ASendOfAClientThatIsGoneStaysAccepted) {
  start();
  client sender = connect_and_greet();
  log.is_append_held = true;
  invoke(sender, "1", "Send", R"(["a","m","t"])");
  sender.wire->hang_up();
  poll();
  EXPECT_EQ(hub->session_count(), 0U);
  EXPECT_EQ(log.accepted, lines{"t"});
}

TEST_F(Session, DrainAnswersWhatIsOnItsWayThenSaysGoodbye) {
  start();
  client busy = connect_and_greet();
  client idle = connect_and_greet();
  log.is_append_held = true;
  invoke(busy, "1", "Send", R"(["a","m","t"])");
  tasks().spawn("drain", hub->drain(net::now() + std::chrono::seconds(10)));
  poll();
  EXPECT_EQ(news(idle), lines{"close(the server is shutting down,reconnect)"});
  EXPECT_EQ(idle.wire->close_code, 1001);
  EXPECT_EQ(news(busy), lines{});
  invoke(busy, "2", "Send", R"(["a","m2","t"])");
  log.let_go();
  poll();
  EXPECT_EQ(news(busy), (lines{"1=log1:1-1", "close(the server is shutting down,reconnect)"}));
  EXPECT_EQ(log.accepted.size(), 1U) << "a draining node takes no more";
  EXPECT_EQ(hub->session_count(), 0U);
}

TEST_F(Session, EndsAlsoWhenNobodyFlushesAnyMore) {
  start();
  tasks().spawn("drain", hub->drain(net::now()));
  poll();
  hub->stop();
  poll();
  client late = connect();  // admitted before the drain, upgraded behind it
  EXPECT_EQ(hub->session_count(), 1U);
  late.wire->hang_up();
  poll();
  EXPECT_EQ(hub->session_count(), 0U);
}

TEST_F(Session, DrainAbortsWhatDoesNotEnd) {
  start();
  client busy = connect_and_greet();
  log.is_append_held = true;
  invoke(busy, "1", "Send", R"(["a","m","t"])");
  tasks().spawn("drain", hub->drain(net::now()));
  poll();
  EXPECT_EQ(hub->session_count(), 0U);
}

}  // namespace
}  // namespace ordeal::chat::test
