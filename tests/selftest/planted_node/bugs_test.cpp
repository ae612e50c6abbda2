// Each planted bug does what its sentence says, now and then or each time, and the correct node
// does nothing. Goal: a self-test that misses a bug cannot be excused by a bug that never bit.
#include "tests/selftest/planted_node/bugs.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace ordeal::planted {
namespace {

constexpr std::uint64_t message_count = 600;

// Two rooms with three senders each, one message a batch, as a steady stream is read.
entry message(std::uint64_t index) {
  entry made;
  made.id.milliseconds = 1'000'000 + index;
  made.room = index % 2 == 0 ? "even" : "odd";
  made.sender = "sender-" + std::to_string(index % 6);
  made.message_id = std::to_string(index);
  made.text = "o1.nonce.1." + std::to_string(index) +
              ".0.123456789.0a1b2c3d.xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";
  return made;
}

std::vector<entry> deliver_all(bug& planted) {
  std::vector<entry> delivered;
  for (std::uint64_t i = 0; i <= message_count; ++i) {
    std::vector<entry> batch;
    if (i < message_count) batch.push_back(message(i));
    planted.on_read(batch);  // the last time empty: quiet
    delivered.insert(delivered.end(), batch.begin(), batch.end());
  }
  return delivered;
}

std::unique_ptr<bug> make(std::string_view name) {
  const bug_kind* kind = find_bug(name);
  EXPECT_NE(kind, nullptr) << name;
  return kind->make("node-1");
}

std::vector<std::string> ids(const std::vector<entry>& entries) {
  std::vector<std::string> all;
  for (const entry& each : entries) all.push_back(each.message_id);
  return all;
}

// Pairs in one room that came in the wrong order; by whether they are of one sender.
std::map<bool, int> inversions(const std::vector<entry>& delivered) {
  std::map<bool, int> counts;
  std::map<std::string, entry> newest;
  std::map<std::string, entry> newest_of_sender;
  for (const entry& each : delivered) {
    const auto room = newest.find(each.room);
    const auto sender = newest_of_sender.find(each.sender);
    if (room != newest.end() && each.id < room->second.id) ++counts[false];
    if (sender != newest_of_sender.end() && each.id < sender->second.id) ++counts[true];
    newest[each.room] = each;
    newest_of_sender[each.sender] = each;
  }
  return counts;
}

TEST(PlantedBugs, HaveNamesFindingsAndSentences) {
  std::set<std::string_view> names;
  for (const bug_kind& each : bug_kinds()) {
    EXPECT_TRUE(names.insert(each.name).second) << each.name;
    EXPECT_EQ(each.finding.empty(), each.name == "none");
    EXPECT_FALSE(each.sentence.empty());
  }
  EXPECT_EQ(find_bug("no such bug"), nullptr);
}

TEST(PlantedBugs, NoneChangesNothing) {
  const auto planted = make("none");
  std::vector<entry> sent;
  for (std::uint64_t i = 0; i < message_count; ++i) {
    sent.push_back(message(i));
    EXPECT_EQ(planted->on_publish(), publish_fate::append);
    EXPECT_TRUE(planted->may_deliver_to(1));
  }
  const auto delivered = deliver_all(*planted);
  EXPECT_EQ(ids(delivered), ids(sent));
  EXPECT_TRUE(planted->on_redis_reconnect());
  EXPECT_EQ(planted->replay_start(stream_id{7, 1}), "(7-1");
}

TEST(PlantedBugs, DropNthDropsForOneClientOnly) {
  const auto planted = make("drop_nth");
  int dropped = 0;
  for (int i = 0; i < 100; ++i) {
    if (!planted->may_deliver_to(4)) ++dropped;
    EXPECT_TRUE(planted->may_deliver_to(5));
  }
  EXPECT_EQ(dropped, 5);
}

TEST(PlantedBugs, SwapTwoSwapsNeighboursOfDifferentSenders) {
  const auto delivered = deliver_all(*make("swap_two"));
  EXPECT_EQ(delivered.size(), message_count);
  auto counts = inversions(delivered);
  EXPECT_GT(counts[false], 5);
  EXPECT_EQ(counts[true], 0);
}

TEST(PlantedBugs, SwapSameSenderSwapsMessagesOfOneSender) {
  const auto delivered = deliver_all(*make("swap_same_sender"));
  EXPECT_EQ(delivered.size(), message_count);
  EXPECT_GT(inversions(delivered)[true], 5);
}

TEST(PlantedBugs, SwapsDifferFromNodeToNode) {
  const auto one = deliver_all(*find_bug("swap_two")->make("node-1"));
  const auto two = deliver_all(*find_bug("swap_two")->make("node-2"));
  EXPECT_NE(ids(one), ids(two));
}

TEST(PlantedBugs, WrongRoomDeliversToAnotherRoomToo) {
  const auto delivered = deliver_all(*make("wrong_room"));
  const auto is_stray = [](const entry& each) {
    return each.room != message(std::stoul(each.message_id)).room;
  };
  const auto strays = std::count_if(delivered.begin(), delivered.end(), is_stray);
  EXPECT_GT(strays, 5);
  EXPECT_EQ(delivered.size(), message_count + static_cast<std::size_t>(strays));
}

TEST(PlantedBugs, AckWithoutPublishForgetsSome) {
  const auto planted = make("ack_without_publish");
  int forgotten = 0;
  for (std::uint64_t i = 0; i < message_count; ++i) {
    if (planted->on_publish() == publish_fate::forget) ++forgotten;
  }
  EXPECT_GT(forgotten, 5);
  EXPECT_LT(forgotten, 50);
}

TEST(PlantedBugs, AlterByteAltersOneByte) {
  const auto delivered = deliver_all(*make("alter_byte"));
  int altered = 0;
  for (const entry& each : delivered) {
    const std::string sent = message(std::stoul(each.message_id)).text;
    ASSERT_EQ(each.text.size(), sent.size());
    int differing = 0;
    for (std::size_t i = 0; i < sent.size(); ++i) differing += each.text[i] != sent[i] ? 1 : 0;
    EXPECT_LE(differing, 1);
    altered += differing;
  }
  EXPECT_GT(altered, 5);
}

TEST(PlantedBugs, MuteNodeKeepsItsMessagesToItself) {
  EXPECT_EQ(find_bug("mute_one_node")->make("node-1")->on_publish(), publish_fate::keep_local);
  EXPECT_EQ(find_bug("mute_one_node")->make("node-2")->on_publish(), publish_fate::append);
}

TEST(PlantedBugs, DeafNodeNeverReadsAgain) {
  EXPECT_FALSE(make("deaf_after_redis_reconnect")->on_redis_reconnect());
}

TEST(PlantedBugs, DuplicateComesAfterAReconnectOnly) {
  const auto planted = make("duplicate_after_reconnect");
  EXPECT_EQ(deliver_all(*planted).size(), message_count);
  EXPECT_TRUE(planted->on_redis_reconnect());
  std::vector<entry> batch = {message(message_count)};
  planted->on_read(batch);
  ASSERT_EQ(batch.size(), 2U);
  EXPECT_EQ(batch[0].message_id, std::to_string(message_count - 1));
  const stream_id cursor{7, 1};
  EXPECT_EQ(planted->replay_start(cursor), "7-1");
}

TEST(PlantedBugs, StaleReplayStartsBeforeTheCursor) {
  const stream_id cursor{10'000, 3};
  EXPECT_EQ(make("stale_replay")->replay_start(cursor), "(8000-3");
}

TEST(StreamId, ParsesWhatItPrintsAndNothingElse) {
  const stream_id id{12, 3};
  EXPECT_EQ(stream_id::parse(id.text()), id);
  for (const char* text : {"", "-", "12", "12-", "-3", "12-3x", "x12-3", "(12-3"}) {
    EXPECT_EQ(stream_id::parse(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace ordeal::planted
