// Each planted bug does what its sentence says, now and then or each time, and the correct node does nothing. Goal: a
// self-test that misses a bug cannot be excused by a bug that never bit. Bugs that need Redis or a clock bite there.
#include "tests/selftest/planted_node/bugs.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "tests/selftest/planted_node/bug_table.h"
#include "tests/support/command.h"

namespace ordeal::planted {
namespace {

constexpr std::uint64_t message_count = 600;

// Two rooms with three senders each, one message a batch, as a steady stream is read.
entry message(log_index index) {
  entry made;
  made.index = index;
  made.room = index % 2 == 0 ? "nonce-room-2" : "nonce-room-1";
  made.sender = "sender-" + std::to_string(index % 6);
  made.message_id = std::to_string(index);
  made.text = "o2.nonce.1." + std::to_string(index) +
              ".0.123456789.0a1b2c3d.xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";
  return made;
}

std::vector<entry> deliver_all(bug& planted) {
  std::vector<entry> delivered;
  for (log_index index = 1; index <= message_count + 1; ++index) {
    std::vector<entry> batch;
    if (index <= message_count) batch.push_back(message(index));
    planted.on_read(batch);  // the last time empty: quiet
    delivered.insert(delivered.end(), batch.begin(), batch.end());
  }
  return delivered;
}

std::unique_ptr<bug> make_bug(std::string_view name, std::string_view node = marked_node) {
  const bug_kind* kind = find_bug(name);
  EXPECT_NE(kind, nullptr) << name;
  return kind->make(node);
}

std::vector<std::string> ids(const std::vector<entry>& entries) {
  std::vector<std::string> all;
  for (const entry& each : entries) all.push_back(each.message_id);
  return all;
}

std::vector<entry> replay(bug& planted) {
  std::vector<entry> missed = {message(1), message(3), message(5), message(7)};
  planted.on_replay(missed);
  return missed;
}

int count_fate(bug& planted, publish_fate wanted) {
  int count = 0;
  entry sent = message(1);
  for (log_index i = 0; i < message_count; ++i) count += planted.on_publish(sent) == wanted ? 1 : 0;
  return count;
}

int count_skipped(bug& planted, client_number client, int deliveries) {
  recipient to;
  to.number = client;
  int skipped = 0;
  for (int i = 0; i < deliveries; ++i) skipped += planted.may_deliver(message(1), to) ? 0 : 1;
  return skipped;
}

// Pairs that came in the wrong order, by what makes them a pair.
template <class Key>
std::map<std::string, int> inversions(const std::vector<entry>& delivered, Key key) {
  std::map<std::string, int> counts;
  std::map<std::string, log_index> newest;
  for (const entry& each : delivered) {
    log_index& last = newest[key(each)];
    if (each.index < last) ++counts[each.room];
    last = each.index;
  }
  return counts;
}
std::string in_room(const entry& of) {
  return of.room;
}
std::string of_sender(const entry& of) {
  return of.sender;
}
std::string anywhere(const entry&) {
  return {};
}

TEST(PlantedBugs, AreManyAndCompletelyDescribed) {
  std::set<std::string_view> names;
  for (const bug_kind& each : bug_kinds()) {
    EXPECT_TRUE(names.insert(each.name).second) << each.name;
    EXPECT_FALSE(each.sentence.empty()) << each.name;
    EXPECT_EQ(each.finding.empty(), each.check.empty()) << each.name;
    if (each.name == "none") continue;
    EXPECT_FALSE(each.modelled_on.empty()) << each.name;
    EXPECT_FALSE(each.scenario.empty()) << each.name;
  }
  EXPECT_GE(names.size(), 27U);
  EXPECT_EQ(find_bug("no such bug"), nullptr);
}

TEST(PlantedBugs, StandInTheDocumentationAsTheyAre) {
  const std::string page = test::read_file(ORDEAL_DOCS "/planted-bugs.md");
  EXPECT_NE(page.find(markdown_table()), std::string::npos)
      << "put what `ordeal-selftest --markdown` prints into docs/planted-bugs.md";
}

TEST(PlantedBugs, NoneChangesNothing) {
  const auto planted = make_bug("none");
  std::vector<entry> sent;
  for (log_index index = 1; index <= message_count; ++index) sent.push_back(message(index));
  EXPECT_EQ(ids(deliver_all(*planted)), ids(sent));
  EXPECT_EQ(count_fate(*planted, publish_fate::append), message_count);
  EXPECT_EQ(count_skipped(*planted, 1, 100), 0);
  EXPECT_TRUE(planted->is_news(100, 99));
  EXPECT_FALSE(planted->is_news(99, 99));
  EXPECT_TRUE(planted->on_reconnected(redis_role::reader));
  EXPECT_EQ(planted->replay_from(7), 8U);
  EXPECT_EQ(replay(*planted).size(), 4U);
}

TEST(PlantedBugs, ThoseOnOneNodeLeaveTheOthersAlone) {
  EXPECT_EQ(count_fate(*make_bug("mute_node", "node-1"), publish_fate::append), message_count);
  EXPECT_EQ(count_fate(*make_bug("mute_node"), publish_fate::keep_local), message_count);
  EXPECT_TRUE(make_bug("deaf_after_reconnect", "node-3")->on_reconnected(redis_role::reader));
  EXPECT_FALSE(make_bug("deaf_after_reconnect")->on_reconnected(redis_role::reader));
  EXPECT_TRUE(make_bug("deaf_after_reconnect")->on_reconnected(redis_role::writer));
  EXPECT_FALSE(make_bug("never_reconnects")->on_reconnected(redis_role::writer));
}

TEST(PlantedBugs, DeliveriesAreMissed) {
  const auto planted = make_bug("one_client_misses_some");
  EXPECT_EQ(count_skipped(*planted, 4, 100), 5);
  EXPECT_EQ(count_skipped(*planted, 5, 100), 0);
  EXPECT_EQ(count_skipped(*make_bug("one_in_100000_lost"), 1, 200'000), 2);
  const auto slow = make_bug("slow_client_skipped");
  recipient to;
  to.waiting_count = 31;
  EXPECT_TRUE(slow->may_deliver(message(1), to));
  to.waiting_count = 32;
  EXPECT_FALSE(slow->may_deliver(message(1), to));
}

TEST(PlantedBugs, IdsAreComparedAsText) {
  const auto planted = make_bug("ids_compared_as_text");
  EXPECT_TRUE(planted->is_news(99, 98));
  EXPECT_FALSE(planted->is_news(100, 99));
}

TEST(PlantedBugs, NeighboursOfDifferentSendersAreSwapped) {
  const auto delivered = deliver_all(*make_bug("neighbours_swapped"));
  EXPECT_EQ(delivered.size(), message_count);
  EXPECT_EQ(inversions(delivered, in_room).size(), 2U);
  EXPECT_TRUE(inversions(delivered, of_sender).empty());
}

TEST(PlantedBugs, NeighboursAreSwappedInOneRoomAlone) {
  const auto counts = inversions(deliver_all(*make_bug("swapped_in_one_room")), in_room);
  ASSERT_EQ(counts.size(), 1U);
  EXPECT_EQ(counts.begin()->first, "nonce-room-2");
}

TEST(PlantedBugs, TheInnocentSwapsNothingWithinARoom) {
  const auto delivered = deliver_all(*make_bug("two_rooms_swapped"));
  EXPECT_EQ(delivered.size(), message_count);
  EXPECT_TRUE(inversions(delivered, in_room).empty());
  EXPECT_FALSE(inversions(delivered, anywhere).empty());
}

TEST(PlantedBugs, ASenderOvertakesItselfNotAtTheSameTimeEverywhere) {
  const auto one = deliver_all(*make_bug("sender_overtakes_itself", "node-1"));
  const auto two = deliver_all(*make_bug("sender_overtakes_itself", "node-2"));
  EXPECT_FALSE(inversions(one, of_sender).empty());
  EXPECT_NE(ids(one), ids(two));
}

TEST(PlantedBugs, WrongRoomDeliversToAnotherRoomToo) {
  const auto delivered = deliver_all(*make_bug("wrong_room"));
  std::size_t stray_count = 0, own_count = 0;
  for (const entry& each : delivered) {
    const bool is_stray = each.room != message(std::stoul(each.message_id)).room;
    ++(is_stray ? stray_count : own_count);
  }
  EXPECT_GT(stray_count, 5U);
  EXPECT_EQ(own_count, message_count);
}

TEST(PlantedBugs, ByteAlteredAltersOneByte) {
  int altered = 0;
  for (const entry& each : deliver_all(*make_bug("byte_altered"))) {
    const std::string sent = message(std::stoul(each.message_id)).text;
    ASSERT_EQ(each.text.size(), sent.size());
    int differing = 0;
    for (std::size_t i = 0; i < sent.size(); ++i) differing += each.text[i] != sent[i] ? 1 : 0;
    EXPECT_LE(differing, 1);
    altered += differing;
  }
  EXPECT_GT(altered, 5);
}

TEST(PlantedBugs, TheOtherApplicationHasTheSameKey) {
  const auto planted = make_bug("other_application_heard");
  EXPECT_EQ(planted->log_key("app:b"), planted->log_key("app"));
  EXPECT_NE(make_bug("none")->log_key("app:b"), make_bug("none")->log_key("app"));
}

TEST(PlantedBugs, PublishingGoesWrongNowAndThen) {
  const int dropped = count_fate(*make_bug("acknowledged_and_dropped"), publish_fate::forget);
  const int denied = count_fate(*make_bug("refused_but_delivered"), publish_fate::deny);
  for (const int count : {dropped, denied}) {
    EXPECT_GT(count, 5);
    EXPECT_LT(count, 50);
  }
}

TEST(PlantedBugs, PublishingGoesWrongAfterAFailure) {
  const auto wedged = make_bug("failed_publish_wedges");
  EXPECT_EQ(count_fate(*wedged, publish_fate::append), message_count);
  wedged->on_append_failed();
  EXPECT_EQ(count_fate(*wedged, publish_fate::fail), message_count);
  const auto forgetful = make_bug("first_after_outage_lost");
  EXPECT_EQ(count_fate(*forgetful, publish_fate::forget), 0);
  EXPECT_TRUE(forgetful->on_reconnected(redis_role::writer));
  EXPECT_EQ(count_fate(*forgetful, publish_fate::forget), 1);
}

TEST(PlantedBugs, OwnMessagesAreHiddenWhenTheyComeBack) {
  const auto planted = make_bug("own_messages_overtake");
  const entry own = message(1);
  recipient to;
  to.name = own.sender;
  EXPECT_FALSE(planted->may_deliver(own, to));
  EXPECT_TRUE(planted->may_deliver(message(2), to));
}

TEST(PlantedBugs, RetriesOnTwoNodesAreTwoMessages) {
  entry one = message(1), two = message(1);
  make_bug("retry_appears_twice", "node-1")->on_publish(one);
  make_bug("retry_appears_twice", "node-2")->on_publish(two);
  EXPECT_NE(one.message_id, two.message_id);
}

TEST(PlantedBugs, ReplaysAreWrong) {
  EXPECT_EQ(make_bug("resume_repeats_last")->replay_from(7), 7U);
  EXPECT_EQ(make_bug("stale_after_reconnect")->replay_from(7), 1U);
  EXPECT_FALSE(make_bug("second_idle_resume_repeats")->has_replay_cursors());
  const std::vector<std::string> without_last = {"1", "3", "5"}, without_first = {"3", "5", "7"};
  EXPECT_EQ(ids(replay(*make_bug("handover_loses_one"))), without_last);
  EXPECT_EQ(ids(replay(*make_bug("resume_off_by_one"))), without_first);
  EXPECT_EQ(ids(replay(*make_bug("resume_hides_a_gap"))), std::vector<std::string>(1, "7"));
}

TEST(PlantedBugs, AJoinTakesEffectLater) {
  const auto planted = make_bug("joined_too_early");
  planted->on_join(1);
  EXPECT_EQ(count_skipped(*planted, 1, 10), 10);
}

TEST(PlantedBugs, EachReconnectAddsAHandler) {
  const auto planted = make_bug("handler_added_at_each_reconnect");
  EXPECT_EQ(deliver_all(*planted).size(), message_count);
  EXPECT_TRUE(planted->on_reconnected(redis_role::reader));
  EXPECT_EQ(deliver_all(*planted).size(), 2 * message_count);
}

TEST(PlantedBugs, OneRoomIsNotResubscribed) {
  const auto planted = make_bug("room_not_resubscribed");
  EXPECT_EQ(deliver_all(*planted).size(), message_count);
  EXPECT_TRUE(planted->on_reconnected(redis_role::reader));
  const auto delivered = deliver_all(*planted);
  EXPECT_EQ(delivered.size(), message_count / 2);
  EXPECT_EQ(delivered.front().room, "nonce-room-1");
}

TEST(PlantedBugs, OldClientsHearNothing) {
  const auto planted = make_bug("old_clients_silent");
  planted->on_join(1);
  EXPECT_EQ(count_skipped(*planted, 1, 10), 0);
  EXPECT_TRUE(planted->on_reconnected(redis_role::reader));
  planted->on_join(2);
  EXPECT_EQ(count_skipped(*planted, 1, 10), 10);
  EXPECT_EQ(count_skipped(*planted, 2, 10), 0);
}

TEST(PlantedBugs, OnlyARestartSetsANodeApart) {
  const auto planted = make_bug("restarts_without_backplane");
  planted->on_started(0);
  EXPECT_EQ(deliver_all(*planted).size(), message_count);
  EXPECT_EQ(count_fate(*planted, publish_fate::append), message_count);
  planted->on_started(17);
  EXPECT_TRUE(deliver_all(*planted).empty());
  EXPECT_EQ(count_fate(*planted, publish_fate::keep_local), message_count);
  EXPECT_EQ(count_fate(*make_bug("no_backplane"), publish_fate::keep_local), message_count);
}

TEST(PlantedBugs, ARedisErrorEndsTheProcess) {
  EXPECT_THROW(make_bug("exits_on_redis_error")->on_lost(redis_role::reader), std::runtime_error);
}

TEST(LogIndex, IsANumberAndNothingElse) {
  EXPECT_EQ(parse_index("12"), 12U);
  for (const char* text : {"", "-", "-3", "12-3", "12x", " 12", "99999999999999999999"}) {
    EXPECT_EQ(parse_index(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace ordeal::planted
