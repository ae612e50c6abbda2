// Events as lines for people, and the choice of events by the words of a command line.
#include "harness/run/history_text.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <fstream>
#include <limits>
#include <set>

#include "harness/run/history_filter.h"
#include "harness/run/show_history.h"
#include "harness/run/stored_run.h"
#include "tests/support/command.h"

namespace ordeal::harness {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;

const message_id message{client_id(2), room_id(0), 17};
constexpr run_time at = milliseconds(17'250);

terms small_terms() {
  terms what;
  what.nodes = 2;
  what.rooms = {"abc-room-1"};
  what.clients.resize(3);
  what.faults.push_back({"cut", "link_blackhole", "node-2", {}});
  return what;
}

struct sample {
  event what;
  std::string line;
};

// One of every kind, in the order of `event`.
std::vector<sample> samples() {
  const client_id client{2};
  const node_id place{1};
  const room_id room{0};
  const milliseconds due(17'000);
  return {
      {send_invoked{at, message, place, due},
       R"("send_invoked", "message": "client-3#17@room-1", "node": "node-2", "due": 17.000000000)"},
      {send_settled{at, message, place, outcome::ok, 2},
       R"("send_settled", "message": "client-3#17@room-1", "node": "node-2", "outcome": "ok", )"
       R"("attempts": 2)"},
      {delivered{at, client_id(0), place, room, true, payload_state::intact, message, due},
       R"("delivered", "message": "client-3#17@room-1", "client": "client-1", "node": "node-2", )"
       R"("room": "room-1", "payload": "intact", "due": 17.000000000)"},
      {join_invoked{at, client, room, place, true},
       R"("join_invoked", "client": "client-3", "node": "node-2", "room": "room-1", "resume": true)"},
      {join_confirmed{at, client, room, place, false},
       R"("join_confirmed", "client": "client-3", "node": "node-2", "room": "room-1", )"
       R"("resume": false)"},
      {room_left{at, client, room}, R"("room_left", "client": "client-3", "room": "room-1")"},
      {reset_received{at, client, room},
       R"("reset_received", "client": "client-3", "room": "room-1")"},
      {client_connected{at, client, place},
       R"("client_connected", "client": "client-3", "node": "node-2")"},
      {client_disconnected{at, client, place, true},
       R"("client_disconnected", "client": "client-3", "node": "node-2", "planned": true)"},
      {fault_changed{at, 0, fault::fault_state::active, "no \"PONG\""},
       R"("fault_changed", "fault": "cut", "kind": "link_blackhole", "target": "node-2", )"
       R"("state": "active", "evidence": "no \"PONG\"")"},
      {node_changed{at, place, node_state::exited, false, "exit 3"},
       R"("node_changed", "node": "node-2", "state": "exited", "planned": false, )"
       R"("detail": "exit 3")"},
      {phase_changed{at, phase_kind::declared, "steady"},
       R"("phase_changed", "phase": "steady", "kind": "declared")"},
      {generator_lag{at, microseconds(20), false},
       R"("generator_lag", "lag": 0.000020000, "skipped": false)"},
      {tapped{at, place, tap_point::accepted_by_redis, message},
       R"("tapped", "message": "client-3#17@room-1", "node": "node-2", )"
       R"("where": "accepted_by_redis")"},
      {node_usage{at, place, 48'000'000, 90, milliseconds(1500), 1, milliseconds(20)},
       R"("node_usage", "node": "node-2", "resident_bytes": 48000000, "descriptors": 90, )"
       R"("cpu": 1.500000000, "waited": 0.020000000, "incarnation": 1)"},
      {redis_usage{at, 7}, R"("redis_usage", "connections": 7)"},
      {observer_usage{at, 350, milliseconds(3), 0},
       R"("observer_usage", "busy_permille": 350, "stall": 0.003000000, "overflowed": 0)"},
      {clock_jumped{at, milliseconds(-1500), false},
       R"("clock_jumped", "step": -1.500000000, "suspended": false)"},
      {run_ended{at, true, 2, "Redis is gone"},
       R"("run_ended", "cut_short": true, "signal": 2, "problem": "Redis is gone")"},
      {reason_heard{at, place, reason_kind::send_refused, 2, "OOM \"full\""},
       R"("reason_heard", "node": "node-2", "kind": "send_refused", "count": 2, )"
       R"("text": "OOM \"full\"")"},
      {backplane_seen{at, place, 2, 4'096},
       R"("backplane_seen", "node": "node-2", "connections": 2, "bytes": 4096)"},
  };
}

TEST(HistoryText, EveryKindHasItsLine) {
  const std::vector<sample> all = samples();
  ASSERT_EQ(all.size(), std::variant_size_v<event>);
  for (std::size_t i = 0; i < all.size(); ++i) {
    EXPECT_EQ(all[i].what.index(), i);
    const std::string line = line_of(all[i].what, small_terms());
    EXPECT_EQ(line, R"({"t": 17.250000000, "event": )" + all[i].line + "}");
    const boost::json::object page = boost::json::parse(line).as_object();
    EXPECT_EQ(page.at("event").as_string(), kind_of(all[i].what));
  }
}

TEST(HistoryText, OurOwnDoingIsNamed) {
  const client_id client{2};
  const node_id place{1};
  EXPECT_EQ(line_of(client_disconnected{{}, client, place, false, cut_cause::silent}, {}),
            R"({"t": 0.000000000, "event": "client_disconnected", "client": "client-3", )"
            R"("node": "node-2", "planned": false, "cut_by_us": "silent"})");
  EXPECT_EQ(line_of(generator_lag{{}, {}, true, skip_reason::away}, {}),
            R"({"t": 0.000000000, "event": "generator_lag", "lag": 0.000000000, )"
            R"("skipped": true, "reason": "away"})");
  const std::string unanswered = line_of(
      send_settled{{}, {client, room_id{0}, 1}, place, outcome::info, 1, true}, small_terms());
  EXPECT_NE(unanswered.find(R"("outcome": "info", "attempts": 1, "unanswered": true})"),
            std::string::npos)
      << unanswered;
}

TEST(HistoryText, TimesAreExact) {
  const auto line = [](nanoseconds when) { return line_of(redis_usage{when, 7}, {}); };
  const std::string rest = R"(, "event": "redis_usage", "connections": 7})";
  EXPECT_EQ(line(nanoseconds(0)), R"({"t": 0.000000000)" + rest);
  EXPECT_EQ(line(nanoseconds(-1)), R"({"t": -0.000000001)" + rest);
  EXPECT_EQ(line(nanoseconds(12'345'678'901'234'567)), R"({"t": 12345678.901234567)" + rest);
  EXPECT_EQ(line(nanoseconds::min()), R"({"t": -9223372036.854775808)" + rest);
}

TEST(HistoryText, ForeignTextStaysInItsLine) {
  node_changed what;
  what.detail = "a\nb\"\xFF\x01";
  const std::string line = line_of(what, {});
  EXPECT_EQ(line.find('\n'), std::string::npos);
  EXPECT_EQ(boost::json::parse(line).at("detail").as_string(), "a\nb\"\xEF\xBF\xBD\\u{1}");
}

TEST(HistoryText, WhatADeliveryIsNotCertainOfIsLeftOut) {
  delivered what;
  what.payload = payload_state::foreign_run;
  what.is_known_room = false;
  EXPECT_EQ(line_of(what, {}),
            R"({"t": 0.000000000, "event": "delivered", "client": "client-1", "node": "node-1", )"
            R"("room": null, "payload": "foreign_run"})");
}

TEST(HistoryText, AFaultThatTheRunDoesNotHaveIsNoReasonToStop) {
  fault_changed what;
  what.fault = 7;
  EXPECT_NE(line_of(what, small_terms()).find("number 7"), std::string::npos);
}

std::set<std::string_view> taken_by(const filter_words& words) {
  const history_filter filter(words, small_terms());
  std::set<std::string_view> names;
  for (const sample& each : samples()) {
    if (filter.takes(each.what)) names.insert(kind_of(each.what));
  }
  return names;
}

filter_words of_message(const std::string& name) {
  filter_words words;
  words.message = name;
  return words;
}

TEST(HistoryFilter, WithoutWordsEverythingIsTaken) {
  EXPECT_EQ(taken_by({}).size(), std::variant_size_v<event>);
}

TEST(HistoryFilter, AMessageIsShownOnItsWholeWay) {
  const std::set<std::string_view> way{"send_invoked", "send_settled", "delivered", "tapped"};
  EXPECT_EQ(taken_by(of_message("client-3#17@room-1")), way);
  EXPECT_TRUE(taken_by(of_message("client-3#16@room-1")).empty());
  // What is no envelope of ours has no message, whatever the field holds.
  delivered foreign;
  foreign.payload = payload_state::corrupt;
  foreign.id = message;
  EXPECT_FALSE(history_filter(of_message(name_of(message)), small_terms()).takes(foreign));
}

TEST(HistoryFilter, AClientIsWhoSendsAndWhoGets) {
  filter_words words;
  words.client = "client-1";
  EXPECT_EQ(taken_by(words), std::set<std::string_view>{"delivered"});
  words.client = "3";
  const std::set<std::string_view> own = taken_by(words);
  EXPECT_EQ(own.count("delivered"), 0U);
  for (const char* name : {"send_invoked", "send_settled", "tapped", "join_confirmed",
                           "client_disconnected", "reset_received"})
    EXPECT_EQ(own.count(name), 1U) << name;
}

TEST(HistoryFilter, KindsAndNodesAreChosen) {
  filter_words words;
  words.kinds = "tapped,redis_usage";
  EXPECT_EQ(taken_by(words), (std::set<std::string_view>{"tapped", "redis_usage"}));
  words.node = "node-2";
  EXPECT_EQ(taken_by(words), std::set<std::string_view>{"tapped"});
  words.node = "1";
  EXPECT_TRUE(taken_by(words).empty());
}

TEST(HistoryFilter, BoundsAreExactAndIncluded) {
  filter_words words;
  words.from = "17.25";
  words.to = "+17.25s";
  EXPECT_EQ(taken_by(words).size(), std::variant_size_v<event>);
  words.to.clear();
  words.from = "17.250000001";
  EXPECT_TRUE(taken_by(words).empty());
  words.from = "-0.5";
  words.to = "17.249999999";
  EXPECT_TRUE(taken_by(words).empty());
  const history_filter filter(words, small_terms());
  EXPECT_TRUE(filter.takes(redis_usage{milliseconds(-500), 1}));
  EXPECT_FALSE(filter.takes(redis_usage{milliseconds(-500) - nanoseconds(1), 1}));
  EXPECT_TRUE(filter.takes_between(milliseconds(-900), milliseconds(-500)));
  EXPECT_FALSE(filter.takes_between(milliseconds(17'250), at));
}

TEST(HistoryFilter, WordsThatMeanNothingAreNamed) {
  const auto problem_of = [](const filter_words& words) -> std::string {
    try {
      history_filter(words, small_terms());
    } catch (const refusal& why) {
      EXPECT_EQ(why.code, exit_code::bad_command_line);
      return why.problem + " = " + why.remedy;
    }
    return "nothing was thrown";
  };
  filter_words client, kind, from, order;
  client.client = "client-4";
  EXPECT_EQ(problem_of(client),
            "--client: the run has no 'client-4' = it has client-1 to client-3");
  kind.kinds = "deliverd";
  EXPECT_EQ(problem_of(kind), "--kind: there is no event 'deliverd' = did you mean 'delivered'?");
  for (const char* text :
       {"soon", "1m", "", ".5", "1.", "1.0000000001", "--1", "9999999999", "-"}) {
    from.from = text;
    if (*text == '\0' || std::string_view(text) == "1.") {
      EXPECT_EQ(problem_of(from), "nothing was thrown") << text;
    } else {
      EXPECT_TRUE(problem_of(from).starts_with("--from: '" + from.from + "' is no time")) << text;
    }
  }
  order.from = "2";
  order.to = "1";
  EXPECT_TRUE(problem_of(order).starts_with("--from is later than --to"));
  for (const char* text :
       {"client-3", "client-3#17", "room-1@client-3#17", "client-3#0@room-1", "client-3#x@room-1",
        "client-9#1@room-1", "client-3#1@room-2", "client-3#4294967296@room-1"})
    EXPECT_TRUE(problem_of(of_message(text)).starts_with("--message: ")) << text;
}

TEST(ShowHistory, GapsOfAHistoryAreTold) {
  const test::scratch_directory scratch;
  std::ofstream(scratch.path() / "run.json") << "{}";
  history_options options;
  options.mode = history_mode::violations;
  options.flush_bytes = 256;
  options.ring_bytes = 4096;
  const auto writer =
      history_writer::make(scratch.path() / "history", to_json(small_terms()), options);
  for (int i = 0; i < 10'000; ++i)
    writer->on(node_usage{milliseconds(i), node_id{1}, 1, 1, {}, 1, {}});
  writer->keep_surroundings();
  writer->on(run_ended{milliseconds(10'000), false, 0, {}});
  writer->finish();

  show_history_options show;
  show.run = scratch.path();
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  const exit_code code = show_history(show);
  const std::string err = testing::internal::GetCapturedStderr();
  const std::string out = testing::internal::GetCapturedStdout();
  EXPECT_EQ(code, exit_code::pass) << err;
  EXPECT_TRUE(err.starts_with("note: ")) << err;
  EXPECT_NE(err.find(" are not in the history: the run kept what lies around its findings\n"),
            std::string::npos)
      << err;
  EXPECT_NE(out.find("\"event\": \"run_ended\""), std::string::npos);
  const std::size_t number_at = std::string("note: ").size();
  const auto missing = std::stoull(err.substr(number_at));
  EXPECT_GT(missing, 0U);
  EXPECT_EQ(missing + static_cast<std::uint64_t>(std::count(out.begin(), out.end(), '\n')),
            10'001U);

  // Who asks for what lies behind the gap does not care for it.
  show.wanted.from = "10";
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  EXPECT_EQ(show_history(show), exit_code::pass);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  EXPECT_EQ(testing::internal::GetCapturedStdout(),
            "{\"t\": 10.000000000, \"event\": \"run_ended\", \"cut_short\": false}\n");
}

}  // namespace
}  // namespace ordeal::harness
