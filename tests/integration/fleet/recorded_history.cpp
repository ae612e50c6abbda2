#include "tests/integration/fleet/recorded_history.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "harness/history/envelope.h"
#include "net/async/clock.h"

namespace ordeal::test {

using namespace harness;

asio::awaitable<bool> recorded_history::wait_until(std::function<bool()> is_true,
                                                   std::chrono::milliseconds limit) {
  const auto deadline = net::now() + limit;
  while (!is_true() && net::now() < deadline) co_await changed_.wait_until(deadline);
  co_return is_true();
}

std::map<outcome, std::size_t> recorded_history::outcomes() const {
  std::map<outcome, std::size_t> counts;
  for (const auto& settled : all<send_settled>()) ++counts[settled.result];
  return counts;
}

void recorded_history::expect_well_formed() const {
  run_time latest = run_time::min();
  for (const event& one : events_) {
    const run_time at = std::visit([](const auto& what) { return what.at; }, one);
    EXPECT_GE(at, latest) << "event " << (&one - events_.data())
                          << " lies before the one before it";
    latest = at;
  }
  expect_honest_sends();
  expect_honest_connections();
}

void recorded_history::expect_honest_sends() const {
  std::map<std::pair<client_id, room_id>, std::uint32_t> seqs;
  std::set<message_id> open, settled;
  for (const event& one : events_) {
    if (const auto* sent = std::get_if<send_invoked>(&one)) {
      EXPECT_EQ(sent->id.seq, ++seqs[std::pair(sent->id.sender, sent->id.room)])
          << name_of(sent->id);
      EXPECT_GE(sent->at, sent->intended) << name_of(sent->id);
      open.insert(sent->id);
    } else if (const auto* ended = std::get_if<send_settled>(&one)) {
      EXPECT_EQ(open.erase(ended->id), 1U) << name_of(ended->id) << " settled while not open";
      settled.insert(ended->id);
    } else if (const auto* got = std::get_if<delivered>(&one)) {
      EXPECT_TRUE(open.count(got->id) + settled.count(got->id) == 1) << name_of(got->id);
      EXPECT_EQ(got->payload, payload_state::intact);
      EXPECT_TRUE(got->is_known_room);
      EXPECT_EQ(got->room, got->id.room);
    }
  }
  EXPECT_TRUE(open.empty()) << open.size() << " sends were never settled";
}

void recorded_history::expect_honest_connections() const {
  std::map<client_id, node_id> connected;
  std::set<std::pair<client_id, room_id>> joining;
  for (const event& one : events_) {
    if (const auto* came = std::get_if<client_connected>(&one)) {
      EXPECT_TRUE(connected.emplace(came->client, came->node).second) << name_of(came->client);
    } else if (const auto* left = std::get_if<client_disconnected>(&one)) {
      EXPECT_EQ(connected.count(left->client), 1U) << name_of(left->client);
      connected.erase(left->client);
    } else if (const auto* asked = std::get_if<join_invoked>(&one)) {
      EXPECT_EQ(connected.at(asked->client), asked->node);
      joining.insert(std::pair(asked->client, asked->room));
    } else if (const auto* joined = std::get_if<join_confirmed>(&one)) {
      EXPECT_EQ(connected.at(joined->client), joined->node);
      EXPECT_EQ(joining.erase(std::pair(joined->client, joined->room)), 1U);
    } else if (const auto* got = std::get_if<delivered>(&one)) {
      EXPECT_EQ(connected.at(got->client), got->node);
    }
  }
}

void recorded_history::expect_complete(
    const plan& of,
    const std::function<std::vector<std::string>(const std::string&)>& texts_in) const {
  std::map<std::pair<client_id, room_id>, std::vector<message_id>> received;
  for (const auto& got : all<delivered>())
    received[std::pair(got.client, got.room)].push_back(got.id);
  for (std::size_t room = 0; room < of.room_names.size(); ++room) {
    std::vector<message_id> expected;
    for (const std::string& text : texts_in(of.room_names[room])) {
      expected.push_back(parse_envelope(text, of.run_nonce).id);
    }
    for (const client_plan& who : of.clients) {
      const room_id here{static_cast<std::uint32_t>(room)};
      const bool is_member = std::count(who.rooms.begin(), who.rooms.end(), here) > 0;
      const std::pair key(who.id, here);
      EXPECT_EQ(received[key], is_member ? expected : std::vector<message_id>())
          << name_of(who.id) << " in " << name_of(here);
    }
  }
}

}  // namespace ordeal::test
