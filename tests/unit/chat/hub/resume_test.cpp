// Stateful reconnect as a client sees it: its socket breaks, the next one with the same id goes on where it was.
#include "reference-server/hub/session.h"

#include <algorithm>
#include <functional>

#include "tests/unit/chat/hub/hub_fixture.h"

namespace ordeal::chat::test {
namespace {

class Resume : public hub_fixture {
 protected:
  // Negotiated and greeted, in room a.
  client connect_resumable(const std::string& position = "log1:1-0") {
    token = negotiated_token("negotiateVersion=1&useStatefulReconnect=true");
    client opened = connect("id=" + token, R"({"protocol":"json","version":2})");
    invoke(opened, "0", "Join", R"(["a",null])");
    EXPECT_EQ(news(opened), (lines{"{}", "0=" + position}));
    return opened;
  }
  client reconnect() {
    EXPECT_EQ(admitted("id=" + token), 101U);
    return connect("id=" + token);
  }
  void sequence(client& from, int id) {
    tell(from, R"({"type":9,"sequenceId":)" + std::to_string(id) + "}");
  }
  void ack(client& from, int id) {
    tell(from, R"({"type":8,"sequenceId":)" + std::to_string(id) + "}");
  }
  void cut(client& away) {
    away.wire->hang_up();
    poll();
  }
  // Lets the hub look at its clients.
  void watch_until(const std::function<bool()>& condition) {
    const auto deadline = net::now() + std::chrono::seconds(10);
    while (!condition() && net::now() < deadline) {
      io().restart();
      io().run_one_for(std::chrono::milliseconds(50));
    }
    EXPECT_TRUE(condition());
  }

  std::string token;
};

TEST_F(Resume, SendsAgainWhatWasNotAcknowledged) {
  start();
  client before = connect_resumable();
  log.publish("a", "m1", "x");
  log.publish("a", "m2", "y");
  poll();
  EXPECT_EQ(news(before).size(), 2U);
  ack(before, 2);
  cut(before);
  EXPECT_EQ(hub->waiting_count(), 1U);
  log.publish("a", "m3", "z");
  poll();

  client after = reconnect();
  EXPECT_EQ(hub->session_count(), 1U);
  EXPECT_EQ(hub->waiting_count(), 0U);
  EXPECT_EQ(news(after),
            (lines{"sequence(3)", "Message(a,log1:1-2,m2,y)", "Message(a,log1:1-3,m3,z)"}));
  sequence(after, 2);
  log.publish("a", "m4", "live");
  poll();
  EXPECT_EQ(news(after), lines{"Message(a,log1:1-4,m4,live)"});
  EXPECT_EQ(hub->counters().resumed, 1U);
}

TEST_F(Resume, NamesTheNextRecordWhenNothingIsUnacknowledged) {
  start();
  client before = connect_resumable();
  ack(before, 1);
  cut(before);
  client after = reconnect();
  EXPECT_EQ(news(after), lines{"sequence(2)"});
}

TEST_F(Resume, TakesARepeatedSendOnce) {
  start();
  client before = connect_resumable();
  invoke(before, "1", "Send", R"(["a","m1","x"])");
  cut(before);
  client after = reconnect();
  invoke(after, "9", "Send", R"(["a","m9","before the Sequence"])");
  sequence(after, 1);
  invoke(after, "0", "Join", R"(["a",null])");
  invoke(after, "1", "Send", R"(["a","m1","x"])");
  invoke(after, "2", "Send", R"(["a","m2","y"])");
  EXPECT_EQ(log.accepted, (lines{"x", "y"}));
}

TEST_F(Resume, AnswersASendThatWasOnItsWay) {
  start();
  client before = connect_resumable();
  log.is_append_held = true;
  invoke(before, "1", "Send", R"(["a","m1","x"])");
  cut(before);
  EXPECT_EQ(hub->session_count(), 1U);
  log.let_go();
  poll();
  ASSERT_EQ(hub->waiting_count(), 1U);
  client after = reconnect();
  EXPECT_EQ(news(after),
            (lines{"sequence(1)", "0=log1:1-0", "Message(a,log1:1-1,m1,x)", "1=log1:1-1"}));
}

TEST_F(Resume, GoesOnWithAReplay) {
  start();
  for (const char* id : {"m1", "m2", "m3"}) log.publish("b", id, "x");
  client before = connect_resumable("log1:1-3");
  log.is_range_held = true;
  invoke(before, "1", "Join", R"(["b","log1:1-1"])");
  cut(before);
  log.let_go();
  poll();
  client after = reconnect();
  sequence(after, 3);
  EXPECT_EQ(news(after), (lines{"sequence(1)", "0=log1:1-3", "1=log1:1-1",
                                "Message(b,log1:1-2,m2,x)", "Message(b,log1:1-3,m3,x)"}));
}

TEST_F(Resume, ReplacesASocketThatIsStillAlive) {
  start();
  client before = connect_resumable();
  client after = reconnect();
  EXPECT_EQ(hub->counters().resumed, 1U);
  EXPECT_TRUE(before.wire->is_gone);
  EXPECT_EQ(news(before), lines{}) << "without a word: the client is the same";
  EXPECT_EQ(hub->session_count(), 1U);
  EXPECT_EQ(news(after), (lines{"sequence(1)", "0=log1:1-0"}));
  client third = reconnect();
  EXPECT_TRUE(after.wire->is_gone);
  EXPECT_EQ(news(third), (lines{"sequence(1)", "0=log1:1-0"}));
}

TEST_F(Resume, AFrameThatWasBeingWrittenIsSentAgain) {
  start();
  client before = connect_resumable();
  before.wire->is_write_held = true;
  log.publish("a", "m1", "x");
  poll();
  log.publish("a", "m2", "y");
  poll();
  cut(before);
  EXPECT_EQ(news(before), lines{});
  client after = reconnect();
  EXPECT_EQ(news(after), (lines{"sequence(1)", "0=log1:1-0", "Message(a,log1:1-1,m1,x)",
                                "Message(a,log1:1-2,m2,y)"}));
}

// Method: Sends up to the limit are unanswered, so the old socket is not read when the new one comes.
TEST_F(Resume, TakesOverFromASocketThatIsNotRead) {
  hub_limits limits;
  limits.sends_in_flight_max = 1;
  start(limits);
  client before = connect_resumable();
  log.is_append_held = true;
  for (const char* id : {"1", "2", "3"}) invoke(before, id, "Send", R"(["a","m","t"])");
  client after = reconnect();
  EXPECT_EQ(news(after), (lines{"sequence(1)", "0=log1:1-0"}));
  sequence(after, 3);
  log.let_go();
  poll();
  invoke(after, "2", "Send", R"(["a","m","t"])");
  EXPECT_EQ(log.accepted.size(), 2U) << "the second is new, the former socket's is not taken";
}

TEST_F(Resume, WaitsForAClientThatFellSilent) {
  hub_limits limits;
  limits.ping_interval = std::chrono::milliseconds(10);
  limits.client_timeout = std::chrono::milliseconds(20);
  start(limits);
  client silent = connect_resumable();
  watch_until([this] { return hub->waiting_count() == 1; });
  EXPECT_TRUE(silent.wire->is_gone);
  client after = reconnect();
  EXPECT_EQ(news(after).front(), "sequence(1)");
}

TEST_F(Resume, EndsWhenTheSequenceDoesNotCome) {
  hub_limits limits;
  limits.handshake_timeout = std::chrono::milliseconds(20);
  start(limits);
  client before = connect_resumable();
  cut(before);
  client after = reconnect();
  watch_until([this] { return hub->session_count() == 0; });
  EXPECT_EQ(news(after).back(), "close(no Sequence in time)");
}

TEST_F(Resume, AcknowledgesWhatItProcessed) {
  hub_limits limits;
  limits.ack_interval = std::chrono::milliseconds(1);
  limits.ping_interval = std::chrono::milliseconds(40);
  limits.client_timeout = std::chrono::seconds(60);
  start(limits);
  client opened = connect_resumable();
  invoke(opened, "1", "Leave", R"(["a"])");
  lines seen;
  const auto has_ack = [&] {
    for (auto& line : news(opened)) seen.push_back(line);
    return std::find(seen.begin(), seen.end(), "ack(2)") != seen.end();
  };
  watch_until(has_ack);
}

TEST_F(Resume, AcknowledgesEarlyWhenTheClientsBufferFills) {
  start();
  client opened = connect_resumable();
  invoke(opened, "1", "Send", R"(["a","m1",")" + std::string(30'000, 'x') + R"("])");
  const auto seen = news(opened);
  EXPECT_NE(std::find(seen.begin(), seen.end(), "ack(2)"), seen.end());
}

TEST_F(Resume, HoldsBackAboveTheBufferUntilAnAck) {
  hub_limits limits;
  limits.reconnect_buffer_bytes_max = 300;
  start(limits);
  client opened = connect_resumable();
  for (const char* id : {"m1", "m2", "m3", "m4"}) {
    log.publish("a", id, std::string(100, 'x'));
    poll();
  }
  EXPECT_EQ(news(opened).size(), 2U) << "the last one may exceed it: a long record must pass";
  ack(opened, 2);
  EXPECT_EQ(news(opened).size(), 1U);
  ack(opened, 4);
  EXPECT_EQ(news(opened).size(), 1U);
}

TEST_F(Resume, OverflowWhileItWaitsEndsTheSession) {
  hub_limits limits;
  limits.out_queue_bytes_max = 1'000;
  start(limits);
  client away = connect_resumable();
  cut(away);
  for (int i = 0; i < 20; ++i) log.publish("a", "m" + std::to_string(i), std::string(100, 'x'));
  poll();
  EXPECT_EQ(hub->session_count(), 0U);
  EXPECT_EQ(hub->counters().ends[end_cause::slow], 1U);
  EXPECT_EQ(admitted("id=" + token), 404U);
}

TEST_F(Resume, ForgetsAClientThatStaysAway) {
  hub_limits limits;
  limits.reconnect_timeout = std::chrono::milliseconds(20);
  start(limits);
  client away = connect_resumable();
  cut(away);
  watch_until([this] { return hub->session_count() == 0; });
  EXPECT_EQ(hub->counters().ends[end_cause::lost], 1U);
  EXPECT_EQ(admitted("id=" + token), 404U);
}

TEST_F(Resume, WaitsForSoManyOnly) {
  hub_limits limits;
  limits.reconnect_sessions_max = 1;
  start(limits);
  client first = connect_resumable();
  const std::string first_token = token;
  client second = connect_resumable();
  cut(first);
  cut(second);
  EXPECT_EQ(hub->session_count(), 1U);
  EXPECT_EQ(admitted("id=" + token), 404U);
  EXPECT_EQ(admitted("id=" + first_token), 101U);
}

TEST_F(Resume, KeepsSoManyBytesForAllWhoAreAway) {
  hub_limits limits;
  limits.reconnect_bytes_max = 3'000;
  limits.ping_interval = std::chrono::milliseconds(40);
  limits.client_timeout = std::chrono::seconds(60);
  start(limits);
  client first = connect_resumable();
  const std::string first_token = token;
  client second = connect_resumable();
  cut(first);
  cut(second);
  for (int i = 0; i < 20; ++i) log.publish("a", "m" + std::to_string(i), std::string(50, 'x'));
  watch_until([this] { return hub->session_count() == 1; });
  EXPECT_EQ(admitted("id=" + first_token), 404U) << "the one that has been away for longer";
  EXPECT_EQ(admitted("id=" + token), 101U);
}

TEST_F(Resume, ASequenceFromTheFutureIsFatal) {
  start();
  client before = connect_resumable();
  cut(before);
  client after = reconnect();
  news(after);
  sequence(after, 3);
  EXPECT_EQ(news(after),
            lines{"close(Sequence 3 is ahead of what was received, or comes unasked)"});
  EXPECT_EQ(after.wire->close_code, 1002);
  EXPECT_EQ(admitted("id=" + token), 404U);
}

TEST_F(Resume, AnAckFromTheFutureIsFatal) {
  start();
  client opened = connect_resumable();
  ack(opened, 2);
  EXPECT_EQ(news(opened), lines{"close(Ack 2 is ahead of what was sent)"});
  EXPECT_EQ(hub->session_count(), 0U);
}

TEST_F(Resume, AClientThatSaysGoodbyeIsNotWaitedFor) {
  start();
  client polite = connect_resumable();
  tell(polite, R"({"type":7})");
  EXPECT_EQ(hub->session_count(), 0U);
  client orderly = connect_resumable();
  orderly.wire->peer_close_code = 1000;
  cut(orderly);
  EXPECT_EQ(hub->session_count(), 0U);
}

TEST_F(Resume, DrainDropsThoseWhoAreAwayAtOnce) {
  start();
  client away = connect_resumable();
  log.is_append_held = true;
  invoke(away, "1", "Send", R"(["a","m1","x"])");
  cut(away);
  EXPECT_EQ(hub->waiting_count(), 1U);
  tasks().spawn("drain", hub->drain(net::now() + std::chrono::seconds(10)));
  poll();
  EXPECT_EQ(hub->session_count(), 0U);
  EXPECT_EQ(admitted("id=" + token), 404U);
}

// Else the client would take the queue's records for those that it is missing.
TEST_F(Resume, AGoodbyeComesBehindWhatIsSentAgain) {
  hub_limits limits;
  limits.frame_bytes_max = 1;  // one record a frame
  start(limits);
  client before = connect_resumable();
  log.publish("a", "m1", "x");
  poll();
  cut(before);
  log.publish("a", "m2", "y");
  poll();
  hold_writes = true;
  client after = reconnect();
  tasks().spawn("drain", hub->drain(net::now() + std::chrono::seconds(10)));
  poll();
  after.wire->let_write();
  poll();
  EXPECT_EQ(news(after),
            (lines{"sequence(1)", "0=log1:1-0", "Message(a,log1:1-1,m1,x)",
                   "Message(a,log1:1-2,m2,y)", "close(the server is shutting down,reconnect)"}));
}

TEST_F(Resume, DrainTellsThoseWhoAreThere) {
  start();
  client there = connect_resumable();
  tasks().spawn("drain", hub->drain(net::now() + std::chrono::seconds(10)));
  poll();
  EXPECT_EQ(news(there), lines{"close(the server is shutting down,reconnect)"});
  EXPECT_EQ(hub->session_count(), 0U);
}

TEST_F(Resume, AFaultOfTheServerEndsThatSessionAlone) {
  start();
  client victim = connect_resumable();
  client witness = connect_and_greet();
  log.is_append_broken = true;
  invoke(victim, "1", "Send", R"(["a","m1","x"])");
  EXPECT_EQ(hub->session_count(), 1U);
  EXPECT_TRUE(victim.wire->is_gone);
  EXPECT_EQ(admitted("id=" + token), 404U);
  log.is_append_broken = false;
  invoke(witness, "1", "Send", R"(["a","m1","x"])");
  EXPECT_EQ(news(witness), lines{"1=log1:1-1"});
}

// Admitted while the session was waited for, upgraded when it was not any more.
TEST_F(Resume, ASocketThatComesTooLateIsClosed) {
  hub_limits limits;
  limits.reconnect_timeout = std::chrono::milliseconds(1);
  start(limits);
  client before = connect_resumable();
  cut(before);
  watch_until([this] { return hub->session_count() == 0; });
  client late = connect("id=" + token);
  EXPECT_TRUE(late.wire->is_gone);
  EXPECT_EQ(hub->session_count(), 0U);
}

TEST_F(Resume, OneWhoDidNotAskEndsWithItsSocket) {
  start();
  token = negotiated_token("negotiateVersion=1");
  client plain = connect("id=" + token);
  tell(plain, R"({"protocol":"json","version":2})");
  EXPECT_EQ(admitted("id=" + token), 409U);
  cut(plain);
  EXPECT_EQ(hub->session_count(), 0U);
  EXPECT_EQ(admitted("id=" + token), 404U);
}

TEST_F(Resume, VersionOneHasNoStatefulReconnect) {
  start();
  token = negotiated_token("negotiateVersion=1&useStatefulReconnect=true");
  client old = connect("id=" + token);
  tell(old, R"({"protocol":"json","version":1})");
  EXPECT_EQ(news(old), lines{"{}"});
  cut(old);
  EXPECT_EQ(hub->session_count(), 0U);
}

TEST_F(Resume, ABrokenSocketWithoutHandshakeLeavesNothing) {
  start();
  token = negotiated_token("negotiateVersion=1&useStatefulReconnect=true");
  client mute = connect("id=" + token);
  cut(mute);
  EXPECT_EQ(hub->session_count(), 0U);
}

}  // namespace
}  // namespace ordeal::chat::test
