#include "harness/scenario/plan.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "harness/scenario/terms.h"

namespace ordeal::harness {
namespace {

using namespace std::chrono_literals;

scenario example() {
  scenario from;
  from.name = "example";
  from.nodes = 3;
  from.load.rooms = 4;
  from.load.clients_per_node = 8;
  from.load.rooms_each = 2;
  from.load.send_period = 5ms;
  from.phases = {{"warmup", 3s}, {"steady", 30s}};
  fault_recipe late, early;
  late.name = "late";
  late.phase = "steady";
  late.offset = 10s;
  late.held = 2s;
  late.kind = "redis_kill";
  early.name = "early";
  early.phase = "warmup";
  early.offset = 1s;
  early.kind = "redis_kill";
  from.faults = {late, early};
  return from;
}

plan planned(scenario from, std::uint64_t seed = 42) {
  return make_plan(std::move(from), target{}, seed, "abcdefgh");
}

TEST(Plan, SpreadsClientsOverNodesAndRoomsOverBoth) {
  const plan made = planned(example());
  ASSERT_EQ(made.clients.size(), 24U);
  std::map<node_id, std::size_t> per_node;
  std::map<std::pair<node_id, room_id>, std::size_t> members;
  for (std::size_t index = 0; index < made.clients.size(); ++index) {
    const client_plan& client = made.clients[index];
    EXPECT_EQ(index_of(client.id), index);
    EXPECT_EQ(std::set<room_id>(client.rooms.begin(), client.rooms.end()).size(), 2U);
    EXPECT_LT(client.connect_at, 1s);
    ++per_node[client.home];
    for (const room_id room : client.rooms) ++members[{client.home, room}];
  }
  ASSERT_EQ(per_node.size(), 3U);
  for (const auto& [node, count] : per_node) EXPECT_EQ(count, 8U);
  ASSERT_EQ(members.size(), 12U);  // every room on every node
  for (const auto& [where, count] : members) EXPECT_EQ(count, 4U);
  EXPECT_EQ(made.room_names.at(0), "abcdefgh-room-1");
}

TEST(Plan, LeavesNoRoomEmptyWhenClientsAreFew) {
  scenario from = example();
  from.load.clients_per_node = 2;
  from.load.rooms = 6;
  from.load.rooms_each = 1;
  std::set<room_id> rooms;
  for (const client_plan& client : planned(from).clients)
    rooms.insert(client.rooms.begin(), client.rooms.end());
  EXPECT_EQ(rooms.size(), 6U);
}

TEST(Plan, HasADeputyForTheFirstOfEachRoomOnEachNode) {
  scenario from = example();
  EXPECT_TRUE(planned(from).deputies.empty()) << "clients come back to their node";
  from.load.reconnect_anywhere = true;
  const plan made = planned(from);
  ASSERT_EQ(made.deputies.size(), 6U) << "two rooms each, four rooms, three nodes";
  std::set<std::pair<node_id, room_id>> covered;
  for (std::size_t d = 0; d < made.deputies.size(); ++d) {
    const client_plan& deputy = made.deputies[d];
    EXPECT_EQ(index_of(deputy.id), made.clients.size() + d);
    EXPECT_EQ(deputy.rooms, made.clients[index_of(*deputy.deputy_of)].rooms);
    EXPECT_EQ(deputy.home, made.clients[index_of(*deputy.deputy_of)].home);
    for (const room_id room : deputy.rooms) covered.emplace(deputy.home, room);
  }
  EXPECT_EQ(covered.size(), 12U);
  EXPECT_EQ(expect_totals(made).deliveries, expect_totals(planned(example())).deliveries);

  const terms judged = parse_terms(to_json(terms_of(made)));
  EXPECT_EQ(judged.client_count(), 24U);
  ASSERT_EQ(judged.clients.size(), 30U);
  EXPECT_FALSE(judged.clients[23].is_deputy);
  EXPECT_TRUE(judged.clients[24].is_deputy);

  from.nodes = 1;
  EXPECT_TRUE(planned(from).deputies.empty()) << "there is nowhere else to go";
}

TEST(Plan, PlacesPhasesAndFaultsInTime) {
  const plan made = planned(example());
  ASSERT_EQ(made.phases.size(), 2U);
  EXPECT_EQ(made.phases[1].begins, 3s);
  EXPECT_EQ(made.phases[1].ends, 33s);
  EXPECT_EQ(made.publishing_ends, 33s);
  ASSERT_EQ(made.faults.size(), 2U);
  EXPECT_EQ(made.faults[0].name, "early");
  EXPECT_EQ(made.faults[0].at, 1s);
  EXPECT_EQ(made.faults[1].at, 13s);
  EXPECT_EQ(made.faults[1].held, 2s);
}

TEST(Plan, IsTheSameForTheSameSeed) {
  const plan a = planned(example()), b = planned(example()), c = planned(example(), 43);
  EXPECT_EQ(render_json(a), render_json(b));
  send_schedule first(a), second(b), other(c);
  bool is_other_different = false;
  for (int index = 0; index < 1000; ++index) {
    const auto x = first.next(), y = second.next(), z = other.next();
    ASSERT_EQ(x.at, y.at);
    ASSERT_EQ(x.client, y.client);
    ASSERT_EQ(x.room, y.room);
    is_other_different = is_other_different || x.client != z.client;
  }
  EXPECT_TRUE(is_other_different);
}

TEST(SendSchedule, IsEvenAndFair) {
  const plan made = planned(example());
  send_schedule schedule(made);
  std::map<std::pair<client_id, room_id>, int> sends;
  const int rounds = 10, pairs = 48;
  for (int index = 0; index < rounds * pairs; ++index) {
    const auto send = schedule.next();
    EXPECT_EQ(send.at, index * 5ms);
    const auto& rooms = made.clients.at(index_of(send.client)).rooms;
    EXPECT_NE(std::find(rooms.begin(), rooms.end(), send.room), rooms.end());
    ++sends[{send.client, send.room}];
  }
  ASSERT_EQ(sends.size(), static_cast<std::size_t>(pairs));
  for (const auto& [who, count] : sends) EXPECT_EQ(count, rounds);
}

TEST(SendSchedule, PoissonKeepsTheRateWithUnevenGaps) {
  scenario from = example();
  from.load.arrival = arrival_kind::poisson;
  const plan made = planned(from);
  send_schedule schedule(made);
  run_time last{};
  double longest = 0, shortest = 1;
  const int count = 20'000;
  for (int index = 0; index < count; ++index) {
    const run_time at = schedule.next().at;
    EXPECT_GE(at, last);
    const double gap = std::chrono::duration<double>(at - last).count();
    longest = std::max(longest, gap);
    if (index > 0) shortest = std::min(shortest, gap);
    last = at;
  }
  EXPECT_NEAR(std::chrono::duration<double>(last).count() / count, 0.005, 0.0002);
  EXPECT_GT(longest, 0.02);
  EXPECT_LT(shortest, 0.0005);
}

TEST(SendSchedule, FollowsTheRatesOfThePhases) {
  scenario from = example();
  from.faults.clear();
  from.phases = {
      {"quiet", 2s, 0s}, {"usual", 1s}, {"burst", 1s, 1ms}, {"still", 3s, 0s}, {"drip", 2s, 500ms}};
  const plan made = planned(from);
  EXPECT_EQ(first_send_at(made.phases), 2s);
  std::map<std::string, std::size_t> counts;
  std::map<std::string, run_time> firsts;
  send_schedule schedule(made);
  run_time before{};
  send_schedule::send due = schedule.next();
  for (; due.at < made.publishing_ends; due = schedule.next()) {
    EXPECT_GE(due.at, before);
    before = due.at;
    for (const phase_plan& phase : made.phases) {
      if (due.at < phase.begins || due.at >= phase.ends) continue;
      ++counts[phase.name];
      firsts.emplace(phase.name, due.at);
    }
  }
  const std::map<std::string, std::size_t> expected{{"usual", 200}, {"burst", 1000}, {"drip", 4}};
  EXPECT_EQ(counts, expected);
  EXPECT_EQ(firsts.at("usual"), 2s);
  EXPECT_EQ(firsts.at("burst"), 3s);
  EXPECT_EQ(firsts.at("drip"), 7s);
  EXPECT_EQ(due.at, made.publishing_ends) << "then the load's own rate";
  EXPECT_EQ(schedule.next().at, made.publishing_ends + 5ms);
  EXPECT_EQ(expect_totals(made).messages, 1204U);
  EXPECT_NE(render_text(made).find("2s, silent"), std::string::npos) << render_text(made);
  EXPECT_NE(render_text(made).find("1s, 1000/s"), std::string::npos) << render_text(made);
}

TEST(SendSchedule, APhaseWithTheSameRateChangesNothing) {
  scenario same = example();
  same.load.arrival = arrival_kind::poisson;
  scenario told = same;
  for (phase_recipe& phase : told.phases) phase.send_period = 5ms;
  const plan one = planned(same), other = planned(told);
  send_schedule a(one), b(other);
  for (int i = 0; i < 10'000; ++i) ASSERT_EQ(a.next().at, b.next().at);
}

TEST(Plan, CountsExpectedMessagesAndDeliveries) {
  const expected_totals totals = expect_totals(planned(example()));
  EXPECT_EQ(totals.messages, 6600U);          // 33 s at 200/s
  EXPECT_EQ(totals.deliveries, 6600U * 12U);  // every room has 12 members, the sender among them
}

TEST(Plan, TextTellsTheTimeline) {
  const std::string text = render_text(planned(example()));
  for (const char* part : {"example", "seed 42", "PHASES", "steady        30s", "13s      late",
                           "for 2s, until 15s", "room-4", "200/s from the whole fleet",
                           "6600 messages", "79200 deliveries", "delivery every_message"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
  }
  EXPECT_EQ(text.find("abcdefgh"), std::string::npos);  // the nonce is nothing for people
}

}  // namespace
}  // namespace ordeal::harness
