// The fleet against a fake hub on loopback: a history that is complete and honest, through drops,
// refusals and silence.
#include <gmock/gmock.h>

#include <map>
#include <set>

#include "tests/integration/fleet/stage.h"
#include "tests/support/run_coro.h"

namespace ordeal::test {
namespace {

using namespace harness;
using testing::HasSubstr;

using script = asio::awaitable<void> (*)(stage&);

void run_script(script steps, const std::function<void(stage&)>& prepare = {}) {
  asio::io_context io{1};
  stage on(io);
  if (prepare) prepare(on);
  on.start();
  run_coro(io, steps(on));
}

// ---- without trouble

asio::awaitable<void> quiet_run(stage& on) {
  const bool is_joined = co_await on.clients->connect_all(enough);
  EXPECT_TRUE(is_joined);
  const fleet_status joined = on.clients->status();
  EXPECT_EQ(joined.connected, 30U);
  EXPECT_EQ(joined.joined, 36U);
  EXPECT_EQ(joined.joins_wanted, 36U);
  EXPECT_EQ(on.hub.session_count(), 30U);

  co_await on.publish_until(300);
  co_await on.drain();
  EXPECT_EQ(on.clients->status().sends_pending, 0U);
  co_await on.stop();

  on.expect_complete();
  EXPECT_EQ(on.history.outcomes()[outcome::ok], on.hub.log().size());
  EXPECT_EQ(on.history.count<generator_lag>(), on.history.count<send_invoked>());
  EXPECT_EQ(on.clients->status().connected, 0U);
  for (const auto& left : on.history.all<client_disconnected>()) EXPECT_TRUE(left.was_planned);
  for (const auto& join : on.history.all<join_confirmed>()) EXPECT_FALSE(join.is_resume);
  for (const auto& entry : on.hub.log()) EXPECT_EQ(entry.text.size(), 128U);
}

TEST(Fleet, QuietRunIsCompleteAndWellFormed) {
  run_script(quiet_run);
}

asio::awaitable<void> probe(stage& on) {
  co_await on.clients->connect_all(enough);
  on.clients->send_probes();
  co_await on.drain();
  co_await on.stop();
  on.expect_complete();
  std::set<std::pair<node_id, room_id>> probed;
  for (const auto& sent : on.history.all<send_invoked>()) {
    EXPECT_TRUE(probed.insert(std::pair(sent.node, sent.id.room)).second) << "twice";
  }
  EXPECT_EQ(probed.size(), 12U);  // 3 nodes, 4 rooms
}

TEST(Fleet, ProbesGoFromEveryNodeIntoEveryRoomOnce) {
  run_script(probe);
}

// ---- connections are lost

asio::awaitable<void> drop_twice(stage& on) {
  co_await on.clients->connect_all(enough);
  for (std::size_t count = 100; count <= 300; count += 100) {
    on.hub.next.swallowed_acks = 5;
    co_await on.publish_until(count);
    co_await on.wait_for_swallowed_acks();
    co_await on.wait_for_joins();
    on.hub.drop_connections();
  }
  co_await on.drain();
  co_await on.stop();

  on.expect_complete();
  EXPECT_EQ(on.history.outcomes()[outcome::ok], on.hub.log().size());
  EXPECT_EQ(on.history.outcomes().size(), 1U) << "everything is known in the end";
  EXPECT_GE(on.hub.repeated_sends(), 15U) << "with the same ids";
  EXPECT_GE(on.hub.resumes(), 2 * 36U);
  std::size_t resumed = 0;
  for (const auto& join : on.history.all<join_confirmed>()) resumed += join.is_resume ? 1 : 0;
  EXPECT_GE(on.unplanned_ends(), 60U);
  EXPECT_GE(resumed, 72U);
}

TEST(Fleet, DroppedConnectionsResumeAndRepeatWhatWasNotAnswered) {
  run_script(drop_twice);
}

asio::awaitable<void> publish_while_away(stage& on) {
  co_await on.clients->connect_all(enough);
  on.hub.next.join_errors = 100;
  on.hub.drop_connections();
  co_await on.publish_until(100);
  EXPECT_GT(on.clients->status().sends_pending, 0U);
  co_await on.drain();
  co_await on.stop();
  on.expect_complete();
  EXPECT_EQ(on.history.outcomes()[outcome::ok], on.history.count<send_invoked>());
  EXPECT_THAT(on.clients->status().latest_problem, HasSubstr("join refused: refused: full"));
}

TEST(Fleet, SendsOfThoseWhoAreAwayWaitForThem) {
  run_script(publish_while_away);
}

asio::awaitable<void> lose_a_node(stage& on) {
  co_await on.clients->connect_all(enough);
  on.hub.shut_node(1);
  std::function<bool()> is_moved = [&on] {
    const auto status = on.clients->status();
    std::size_t lost = 0;
    for (const auto& left : on.history.all<client_disconnected>())
      lost += left.node == node_id{1} ? 1 : 0;
    return lost == 10 && status.joined == status.joins_wanted;
  };
  co_await on.wait_for("moved", std::move(is_moved));
  co_await on.publish_until(50);
  co_await on.drain();
  co_await on.stop();
  on.expect_complete();
  for (const auto& sent : on.history.all<send_invoked>()) EXPECT_NE(sent.node, node_id{1});
}

TEST(Fleet, ClientsMoveToAnotherNodeWhereTheScenarioSaysSo) {
  run_script(lose_a_node, [](stage& on) { on.what.scenario.load.reconnect_anywhere = true; });
}

// Of node 1, for its first client in each room.
void add_deputies(stage& on) {
  on.what.scenario.load.reconnect_anywhere = true;
  for (const std::size_t first : {1U, 4U, 7U, 10U}) {
    client_plan deputy = on.what.clients[first];
    deputy.id = client_id(on.what.clients.size() + on.what.deputies.size());
    deputy.deputy_of = client_id(first);
    on.what.deputies.push_back(deputy);
  }
}

std::size_t joins_of_deputies(const stage& on) {
  const auto all = on.history.all<join_confirmed>();
  return static_cast<std::size_t>(std::count_if(
      all.begin(), all.end(), [](const auto& join) { return index_of(join.client) >= 30; }));
}

asio::awaitable<void> lose_a_node_for_a_while(stage& on) {
  co_await on.clients->connect_all(enough);
  co_await on.publish_until(50);
  EXPECT_EQ(joins_of_deputies(on), 0U);
  on.hub.shut_node(1);
  std::function<bool()> is_moved = [&on] { return on.hub.session_count() == 30; };
  co_await on.wait_for("moved", std::move(is_moved));
  on.hub.open_node(1);
  std::function<bool()> are_there = [&on] { return joins_of_deputies(on) == 5; };
  co_await on.wait_for("deputies joined", std::move(are_there));
  const auto arrived = on.history.events().size();
  co_await on.publish_until(400);
  const auto probed = on.history.events().size();
  on.clients->send_probes();
  co_await on.drain();
  co_await on.stop();
  on.expect_complete();

  std::map<client_id, std::size_t> sends;
  std::set<std::pair<node_id, room_id>> through;
  for (std::size_t i = arrived; i < on.history.events().size(); ++i) {
    const auto* sent = std::get_if<send_invoked>(&on.history.events()[i]);
    if (sent == nullptr) continue;
    if (i < probed) ++sends[sent->id.sender];
    if (i >= probed) through.emplace(sent->node, sent->id.room);
    if (index_of(sent->id.sender) < 30) continue;
    EXPECT_EQ(sent->node, node_id{1});
  }
  EXPECT_EQ(through.size(), 12U) << "every node is probed in every room";
  for (std::size_t d = 0; d < 4; ++d) {
    EXPECT_GT(sends[client_id(30 + d)], 0U);
    EXPECT_EQ(sends[*on.what.deputies[d].deputy_of], 0U) << "the deputy speaks in its place";
  }
  EXPECT_GT(sends[client_id{13}], 0U) << "others who moved go on to speak where they are";
}

TEST(Fleet, ANodeThatAllHaveLeftGetsDeputies) {
  run_script(lose_a_node_for_a_while, add_deputies);
}

asio::awaitable<void> drop_and_return(stage& on) {
  co_await on.clients->connect_all(enough);
  on.hub.drop_connections();
  co_await on.wait_for_joins();
  co_await on.publish_until(50);
  co_await on.drain();
  co_await on.stop();
  on.expect_complete();
  EXPECT_EQ(joins_of_deputies(on), 0U);
}

TEST(Fleet, NobodyNeedsADeputyWhoReturns) {
  run_script(drop_and_return, [](stage& on) {
    add_deputies(on);
    on.what.scenario.load.reconnect_anywhere = false;
  });
}

asio::awaitable<void> lose_the_cursors(stage& on) {
  co_await on.clients->connect_all(enough);
  co_await on.publish_until(50);
  co_await on.drain();
  on.hub.forget_cursors();
  on.hub.say_goodbye("draining");
  std::function<bool()> is_told = [&on] {
    return on.history.count<reset_received>() > 0 && on.hub.session_count() == 30 &&
           on.history.count<join_confirmed>() == 72;
  };
  co_await on.wait_for("told", std::move(is_told));
  co_await on.stop();
  on.history.expect_well_formed();
}

TEST(Fleet, ResetsAreRecordedAndAClosedClientComesBack) {
  run_script(lose_the_cursors);
}

asio::awaitable<void> reset_without_end(stage& on) {
  co_await on.clients->connect_all(enough);
  on.hub.reset_everybody(500);
  co_await on.publish_until(50);
  co_await on.drain();
  co_await on.stop();
  on.history.expect_well_formed();
  // Ten a second and room at most, and the latest is never missing; 18,000 came.
  EXPECT_GE(on.history.count<reset_received>(), 2 * 36U);
  EXPECT_LT(on.history.count<reset_received>(), 18'000U / 4);
}

TEST(Fleet, FloodOfResetsDoesNotFillTheHistory) {
  run_script(reset_without_end);
}

// ---- answers that are no

asio::awaitable<void> answer_retry(stage& on) {
  co_await on.clients->connect_all(enough);
  on.hub.next.send_error = "retry: not now";
  on.hub.next.send_errors = 80;
  co_await on.publish_until(200);
  co_await on.drain();
  co_await on.stop();
  on.expect_complete();
  EXPECT_EQ(on.unplanned_ends(), 0U);
  EXPECT_EQ(on.history.outcomes()[outcome::ok], on.history.count<send_invoked>());
  std::uint32_t attempts = 0;
  for (const auto& settled : on.history.all<send_settled>()) attempts += settled.attempts;
  EXPECT_EQ(attempts, on.history.count<send_settled>() + 80);
  // Nobody overtook a message that was being retried.
  std::map<std::pair<client_id, room_id>, std::uint32_t> latest;
  for (const auto& got : on.history.all<delivered>()) {
    if (got.client != got.id.sender) continue;
    EXPECT_EQ(got.id.seq, ++latest[std::pair(got.id.sender, got.id.room)]);
  }
}

TEST(Fleet, RetryAnswersAreRepeatedInOrder) {
  run_script(answer_retry);
}

asio::awaitable<void> answer_no(stage& on) {
  co_await on.clients->connect_all(enough);
  on.hub.next.send_error = "refused: too long";
  on.hub.next.send_errors = 7;
  co_await on.publish_until(50);
  co_await on.clients->settle(enough);
  on.hub.next.send_error = "An unexpected error occurred";
  on.hub.next.send_errors = 5;
  co_await on.publish_until(100);
  co_await on.drain();
  co_await on.stop();
  on.expect_complete();
  EXPECT_EQ(on.history.outcomes()[outcome::fail], 7U);
  EXPECT_EQ(on.history.outcomes()[outcome::info], 5U);
  std::map<std::string, int> refusals;
  for (const auto& heard : on.history.all<harness::reason_heard>()) {
    if (heard.kind == harness::reason_kind::send_refused) ++refusals[heard.text];
  }
  EXPECT_EQ(refusals, (std::map<std::string, int>{{"An unexpected error occurred", 5},
                                                  {"refused: too long", 7}}));
  EXPECT_EQ(on.history.outcomes()[outcome::ok], on.hub.log().size());
}

TEST(Fleet, RefusedIsFailAndAnythingElseIsUnknown) {
  run_script(answer_no);
}

asio::awaitable<void> answer_nothing(stage& on) {
  co_await on.clients->connect_all(enough);
  on.hub.next.swallowed_acks = 3;
  co_await on.publish_until(50);
  co_await on.drain();
  co_await on.stop();
  on.expect_complete();
  EXPECT_EQ(on.hub.repeated_sends(), 0U);
  EXPECT_EQ(on.unplanned_ends(), 0U) << "a person's client stays";
  EXPECT_EQ(on.history.outcomes()[outcome::info], 3U);
  std::map<client_id, std::uint32_t> unanswered;
  for (const auto& settled : on.history.all<send_settled>()) {
    EXPECT_EQ(settled.was_unanswered, settled.result == outcome::info);
    if (settled.was_unanswered) unanswered[settled.id.sender] = settled.id.seq;
  }
  std::size_t later = 0;
  for (const auto& settled : on.history.all<send_settled>()) {
    const auto found = unanswered.find(settled.id.sender);
    if (found != unanswered.end() && settled.id.seq > found->second) ++later;
  }
  EXPECT_GT(later, 0U) << "their lanes go on";
}

TEST(Fleet, WhoGetsNoAnswerStaysAndGoesOn) {
  run_script(answer_nothing, [](stage& on) { on.what.scenario.load.answer_timeout = 200ms; });
}

asio::awaitable<void> hear_nothing(stage& on) {
  co_await on.clients->connect_all(enough);
  std::function<bool()> has_left = [&on] { return on.unplanned_ends() >= 30; };
  co_await on.wait_for("everybody left", std::move(has_left));
  co_await on.stop();
  on.history.expect_well_formed();
  for (const auto& end : on.history.all<client_disconnected>()) {
    const cut_cause expected = end.was_planned ? cut_cause::none : cut_cause::silent;
    EXPECT_EQ(end.cut, expected);
  }
}

TEST(Fleet, WhoHearsNothingLeavesAndSaysWhy) {
  run_script(hear_nothing, [](stage& on) { on.what.scenario.load.silence_timeout = 300ms; });
}

asio::awaitable<void> settle_early(stage& on) {
  co_await on.clients->connect_all(enough);
  on.hub.next.swallowed_acks = 1'000;
  co_await on.publish_until(40);
  co_await on.clients->settle(50ms);
  EXPECT_EQ(on.clients->status().sends_pending, 0U);
  EXPECT_EQ(on.history.outcomes()[outcome::info], on.history.count<send_invoked>());
  co_await on.stop();
  on.history.expect_well_formed();
}

TEST(Fleet, SettleGivesUpAtItsLimit) {
  run_script(settle_early);
}

// ---- a protocol whose sends may not be repeated

void use_plain_sends(stage& on) {
  call_template& publish = on.what.target.protocol.publish;
  publish.name = "Say";
  publish.arguments = {"${room}", "${payload}"};
}

asio::awaitable<void> lose_answers_for_good(stage& on) {
  co_await on.clients->connect_all(enough);
  on.hub.next.swallowed_acks = 6;
  co_await on.publish_until(60);
  co_await on.wait_for_swallowed_acks();
  on.hub.drop_connections();
  co_await on.publish_until(120);
  co_await on.drain();
  co_await on.stop();
  on.expect_complete();
  EXPECT_GE(on.history.outcomes()[outcome::info], 6U);
  for (const auto& settled : on.history.all<send_settled>()) EXPECT_LE(settled.attempts, 1U);
}

TEST(Fleet, SendsThatMayNotBeRepeatedBecomeUnknown) {
  run_script(lose_answers_for_good, use_plain_sends);
}

asio::awaitable<void> stand_in(stage& on) {
  on.hub.shut_node(0);
  on.hub.shut_node(1);
  std::function<bool()> is_third_node_joined = [&on] {
    return on.history.count<join_confirmed>() == 12;
  };
  const bool is_joined = co_await on.clients->connect_all(100ms);
  EXPECT_FALSE(is_joined);
  co_await on.wait_for("third node joined", std::move(is_third_node_joined));
  co_await on.publish_until(60);
  co_await on.clients->settle(enough);
  co_await on.stop();
  on.history.expect_well_formed();
  EXPECT_EQ(on.history.outcomes()[outcome::ok], on.history.count<send_invoked>());
  for (const auto& sent : on.history.all<send_invoked>()) EXPECT_EQ(sent.node, node_id{2});
  for (const auto& lag : on.history.all<generator_lag>()) EXPECT_FALSE(lag.was_skipped);
}

TEST(Fleet, SomebodyElseSendsForThoseWhoAreAway) {
  run_script(stand_in, use_plain_sends);
}

asio::awaitable<void> speak_to_nobody(stage& on) {
  on.hub.stop();
  co_await on.clients->connect_all(1ms);
  on.clients->start_publishing();
  std::function<bool()> is_skipped = [&on] { return on.history.count<generator_lag>() >= 20; };
  co_await on.wait_for("skipped", std::move(is_skipped));
  co_await on.stop();
  EXPECT_EQ(on.history.count<send_invoked>(), 0U);
  for (const auto& lag : on.history.all<generator_lag>()) {
    EXPECT_TRUE(lag.was_skipped);
    EXPECT_EQ(lag.reason, skip_reason::away);
  }
}

TEST(Fleet, SendsThatNobodyCouldMakeAreRecordedAsSkipped) {
  run_script(speak_to_nobody, use_plain_sends);
}

asio::awaitable<void> publish_without_answers(stage& on) {
  co_await on.clients->connect_all(enough);
  co_await on.publish_until(60);
  EXPECT_EQ(on.clients->status().sends_pending, 0U) << "settled when they leave";
  std::function<bool()> is_logged = [&on] {
    return on.hub.log().size() == on.history.count<send_invoked>();
  };
  co_await on.wait_for("logged", std::move(is_logged));
  co_await on.drain();
  co_await on.stop();
  on.expect_complete();
  EXPECT_EQ(on.history.outcomes()[outcome::info], on.history.count<send_invoked>());
  EXPECT_EQ(on.unplanned_ends(), 0U);
}

TEST(Fleet, SendsWithoutAnswersAreUnknown) {
  run_script(publish_without_answers,
             [](stage& on) { on.what.target.protocol.publish.has_ack = false; });
}

// ---- stopping

asio::awaitable<void> stop_in_the_middle(stage& on) {
  co_await on.clients->connect_all(enough);
  on.hub.next.swallowed_acks = 10;
  co_await on.publish_until(50);
  on.clients->start_publishing();
  co_await on.stop();
  co_await on.clients->stop();  // again: nothing to do
  on.history.expect_well_formed();
  EXPECT_EQ(on.clients->status().connected, 0U);
  EXPECT_EQ(on.clients->status().joined, 0U);
}

TEST(Fleet, StopSettlesEverythingAndLeavesNothing) {
  run_script(stop_in_the_middle);
}

asio::awaitable<void> stop_before_anybody_answered(stage& on) {
  on.hub.next.is_wordless = true;
  const bool is_joined = co_await on.clients->connect_all(100ms);
  EXPECT_FALSE(is_joined);
  const auto begin = net::now();
  co_await on.stop();
  EXPECT_LT(net::now() - begin, 3s) << "the handshake's own limit is longer";
  on.history.expect_well_formed();
}

TEST(Fleet, StopDoesNotWaitForAHandshake) {
  run_script(stop_before_anybody_answered, [](stage& on) { on.options.join_timeout = 30s; });
}

asio::awaitable<void> stop_while_connecting(stage& on) {
  const bool is_joined = co_await on.clients->connect_all(100ms);
  EXPECT_FALSE(is_joined);
  const auto begin = net::now();
  co_await on.stop();
  EXPECT_LT(net::now() - begin, 5s);
  EXPECT_EQ(on.history.count<client_connected>(), 0U);
}

// The kernel completes the TCP connection, nobody ever answers the upgrade.
TEST(Fleet, StopDoesNotWaitForAConnection) {
  asio::io_context somewhere;
  const asio::ip::tcp::endpoint any_port(asio::ip::address_v4::loopback(), 0);
  asio::ip::tcp::acceptor silent(somewhere, any_port);
  run_script(stop_while_connecting, [&silent](stage& on) {
    on.options.join_timeout = 30s;
    for (auto& url : on.options.node_urls) url.port = silent.local_endpoint().port();
  });
}

asio::awaitable<void> stop_unused(stage& on) {
  co_await on.stop();
  EXPECT_TRUE(on.history.events().empty());
}

TEST(Fleet, UnusedFleetStopsAtOnce) {
  run_script(stop_unused);
}

}  // namespace
}  // namespace ordeal::test
