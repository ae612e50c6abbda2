// Goal: clients that resume get exactly what they missed, from memory or from Redis, or are told
// that it is gone.
#include <boost/asio/co_spawn.hpp>

#include "reference-server/log/epoch_chain.h"
#include "tests/integration/chat/log/log_nodes.h"

namespace ordeal::test {
namespace {

namespace asio = boost::asio;

using namespace std::chrono_literals;
using chat::range_status;

class History : public LogNodes {
 protected:
  // Appends `count` messages "0", "1", ..., to rooms "even" and "odd"; all are read. So few at a time that the least
  // retention of these tests does not overtake the reader.
  void fill(log_node& node, int count) {
    constexpr int at_a_time = 50;
    const std::size_t before = node.read.size();
    for (int i = 0; i < count; ++i) {
      append(node, std::to_string(i), i % 2 == 0 ? "even" : "odd");
      if ((i + 1) % at_a_time != 0 && i + 1 != count) continue;
      const auto wanted = before + static_cast<std::size_t>(i) + 1;
      ASSERT_TRUE(until("all read", [&] { return node.read.size() == wanted; }));
    }
  }
  static std::vector<std::string> ids(const chat::range_result& result) {
    std::vector<std::string> found;
    for (const auto& each : result.entries) found.push_back(each->client_message_id);
    return found;
  }
  // Asks for `room` above `after`; `pending_` says how many have no answer yet.
  void start_range(log_node& node, const chat::cursor& after, std::string room = "even") {
    ++pending_;
    asio::co_spawn(io_,
                   count_range(*node.log, after, node.log->health().last_read, std::move(room)),
                   [](std::exception_ptr failure) {
                     if (failure) std::rethrow_exception(failure);
                   });
  }
  asio::awaitable<void> count_range(chat::chat_log& log, chat::cursor after, chat::position upto,
                                    std::string room) {
    const auto result = co_await log.range(std::move(after), upto, std::move(room));
    last_status_ = result.status;
    --pending_;
  }

  redis_server server_;
  int pending_ = 0;
  range_status last_status_ = range_status::ok;
};

TEST_F(History, ComesFromMemory) {
  log_node& node = add_ready_node(options_for(server_));
  fill(node, 10);
  const auto result = range(node, cursor_at(node, node.read[3]->at), "even");
  EXPECT_EQ(result.status, range_status::ok);
  EXPECT_EQ(ids(result), (std::vector<std::string>{"4", "6", "8"}));
  EXPECT_EQ(range(node, cursor_at(node, node.read[9]->at), "even").entries.size(), 0U);
}

TEST_F(History, ComesFromRedisWhereMemoryEnds) {
  auto options = options_for(server_);
  options.replay_entries = 5;
  log_node& node = add_ready_node(options);
  fill(node, 2'000);
  const auto result = range(node, cursor_at(node, node.read[99]->at), "odd");
  EXPECT_EQ(result.status, range_status::ok);
  const auto found = ids(result);
  ASSERT_EQ(found.size(), 950U);
  for (std::size_t i = 0; i < found.size(); ++i) EXPECT_EQ(found[i], std::to_string(101 + 2 * i));
}

TEST_F(History, ComesFromRedisForAJoiner) {
  log_node& one = add_ready_node(options_for(server_));
  fill(one, 20);
  log_node& late = add_ready_node(options_for(server_));
  const auto result = range(late, cursor_at(one, one.read[15]->at), "even");
  EXPECT_EQ(result.status, range_status::ok);
  EXPECT_EQ(ids(result), (std::vector<std::string>{"16", "18"}));
}

// Method: from the oldest message on, over the border of memory, in steps of some messages each.
TEST_F(History, ComesInStepsOfBoundedSize) {
  auto options = options_for(server_);
  options.replay_entries = 300;
  log_node& node = add_ready_node(options);
  fill(node, 1'000);
  chat::cursor at = cursor_at(node, node.read[0]->at);
  std::vector<std::string> found;
  int steps = 0;
  for (; at.at != node.log->health().last_read && steps < 200; ++steps) {
    const auto step = range(node, at, "odd", 1'000);
    ASSERT_EQ(step.status, range_status::ok);
    ASSERT_LT(at.at, step.reached);
    EXPECT_LE(step.entries.size(), 8U);
    const bool is_whole = step.reached == node.log->health().last_read;
    if (!is_whole) {
      EXPECT_EQ(step.entries.back()->at, step.reached);
    }
    for (const std::string& id : ids(step)) found.push_back(id);
    at.at = step.reached;
  }
  EXPECT_GT(steps, 50);
  ASSERT_EQ(found.size(), 500U);
  for (std::size_t i = 0; i < found.size(); ++i) EXPECT_EQ(found[i], std::to_string(1 + 2 * i));
}

TEST_F(History, OfLargeMessagesIsReadInSmallParts) {
  auto options = options_for(server_);
  options.replay_entries = 5;
  log_node& node = add_ready_node(options);
  for (int i = 0; i < 100; ++i)
    append(node, std::to_string(i), "room", std::string(i < 60 ? 10 : 60'000, 'x'));
  ASSERT_TRUE(until("all read", [&] { return node.read.size() == 100; }));
  chat::cursor at = cursor_at(node, node.read[0]->at);
  std::size_t found = 0;
  while (at.at.index + 10 < node.log->health().last_read.index) {
    const auto step = range(node, at, "room", 200'000);
    ASSERT_EQ(step.status, range_status::ok);
    std::size_t bytes = 0;
    for (const auto& each : step.entries) bytes += each->text.size();
    EXPECT_LE(bytes, 260'000U);
    found += step.entries.size();
    at.at = step.reached;
  }
  EXPECT_GE(found, 85U);
}

// What others have said is not read to find out that a room has nothing.
TEST_F(History, OfAQuietRoomNeedsNoReading) {
  auto options = options_for(server_);
  options.replay_entries = 5;
  log_node& node = add_ready_node(options);
  append(node, "quiet", "quiet");
  ASSERT_TRUE(until("read", [&] { return node.read.size() == 1; }));
  fill(node, 2'000);
  const auto oldest = cursor_at(node, {node.read[0]->at.epoch, 0});
  EXPECT_EQ(range(node, oldest, "empty").status, range_status::ok);
  EXPECT_EQ(node.log->health().history_reads, 0U);
  EXPECT_EQ(ids(range(node, oldest, "quiet")), std::vector<std::string>{"quiet"});
  EXPECT_EQ(node.log->health().history_reads, 1U);
}

// A node that has just started has not read what is old: it does once, for whoever asks first.
TEST_F(History, IsReadOnceForAllThatAskForIt) {
  auto options = options_for(server_);
  options.replay_entries = 5;
  log_node& writer = add_ready_node(options);
  fill(writer, 2'000);
  log_node& late = add_ready_node(options);
  const auto oldest = cursor_at(writer, writer.read[0]->at);
  for (int i = 0; i < 50; ++i) start_range(late, oldest, "room-" + std::to_string(i));
  ASSERT_TRUE(until("all answered", [&] { return pending_ == 0; }));
  EXPECT_EQ(last_status_, range_status::ok);
  EXPECT_LT(late.log->health().history_reads, 50U) << "2,000 entries, 128 at a time";
  const auto before = late.log->health().history_reads;
  EXPECT_EQ(range(late, oldest, "another").status, range_status::ok);
  EXPECT_LE(late.log->health().history_reads, before + 1);
  EXPECT_EQ(range(late, oldest, "even").entries.size(), 999U);
}

TEST_F(History, SaysWhenItIsTrimmed) {
  auto options = options_for(server_);
  options.retained_entries = 100;
  options.replay_entries = 10;
  options.batch_entries_max = 50;
  log_node& node = add_ready_node(options);
  fill(node, 1'000);
  const auto old_cursor = cursor_at(node, node.read[10]->at);
  EXPECT_EQ(check(node, old_cursor).status, range_status::trimmed);
  EXPECT_EQ(range(node, old_cursor, "even").status, range_status::trimmed);
  const auto kept = cursor_at(node, node.read[950]->at);
  EXPECT_EQ(check(node, kept).status, range_status::ok);
  EXPECT_EQ(range(node, kept, "even").entries.size(), 24U);
  const auto length = server_.command({"XLEN", "{chat}:log"});
  EXPECT_LT(length->integer(), 300);
  const auto remembered = server_.command({"HLEN", "{chat}:req"});
  const int sign_of_the_key = 1;
  EXPECT_LE(remembered->integer(), length->integer() + sign_of_the_key)
      << "ids of trimmed messages are still there";
}

TEST_F(History, KnowsForeignAndFutureCursors) {
  log_node& node = add_ready_node(options_for(server_));
  fill(node, 2);
  chat::cursor foreign = cursor_at(node, node.read[0]->at);
  EXPECT_EQ(check(node, foreign).status, range_status::ok);
  foreign.log_id = "another";
  EXPECT_EQ(check(node, foreign).status, range_status::unknown_log);
  EXPECT_EQ(range(node, foreign).status, range_status::unknown_log);
  const std::uint64_t epoch = node.log->health().epoch;
  const auto future = cursor_at(node, {epoch, 1'000'000});
  EXPECT_EQ(check(node, future).status, range_status::future);
  EXPECT_EQ(range(node, future).status, range_status::future);
  const auto later_epoch = cursor_at(node, {epoch + 2 * chat::epochs_per_term, 1});
  EXPECT_EQ(check(node, later_epoch).status, range_status::future);
  const auto no_epoch_of_this_log = check(node, cursor_at(node, {1, 2}));
  EXPECT_EQ(no_epoch_of_this_log.status, range_status::forked);
  EXPECT_EQ(no_epoch_of_this_log.lost_to, (chat::position{1, 2}));
}

TEST_F(History, IsUnavailableWhileRedisIsAway) {
  auto options = options_for(server_);
  options.replay_entries = 1;
  log_node& node = add_ready_node(options);
  fill(node, 10);
  const auto cursor = cursor_at(node, node.read[0]->at);
  server_.kill();
  ASSERT_TRUE(until("noticed", [&] { return node.state() != chat::log_state::open; }));
  EXPECT_EQ(range(node, cursor, "even").status, range_status::unavailable);
  EXPECT_EQ(check(node, cursor_at(node, {node.log->health().epoch, 999})).status,
            range_status::unavailable);
  EXPECT_EQ(check(node, cursor).status, range_status::ok) << "what was read needs no Redis";
}

// One entry is all that this node can put back.
TEST_F(History, IsTrimmedWhereTheLogCouldNotBeRestored) {
  auto options = options_for(server_);
  options.replay_entries = 1;
  log_node& node = add_ready_node(options);
  fill(node, 10);
  const auto cursor = cursor_at(node, node.read[0]->at);
  ASSERT_FALSE(server_.command({"FLUSHALL"})->is_error());
  // Some are always asked while the attach that finds out is on its way.
  ASSERT_TRUE(until("recovers", [&] {
    while (pending_ < 3) start_range(node, cursor);
    return node.log->health().recoveries == 1;
  }));
  EXPECT_TRUE(until("all answered", [&] { return pending_ == 0; }));
  EXPECT_NE(last_status_, range_status::ok);
  ASSERT_TRUE(until("ready again", [&] { return node.is_ready(); }));
  EXPECT_EQ(check(node, cursor).status, range_status::trimmed);
  EXPECT_EQ(range(node, cursor, "even").status, range_status::trimmed);
  EXPECT_EQ(cursor.log_id, node.log->health().log_id);
}

TEST_F(History, IsTheSameAfterARecoveryFromMemory) {
  auto options = options_for(server_);
  log_node& node = add_ready_node(options);
  fill(node, 10);
  const auto cursor = cursor_at(node, node.read[3]->at);
  ASSERT_FALSE(server_.command({"FLUSHALL"})->is_error());
  ASSERT_TRUE(until("recovers", [&] { return node.log->health().recoveries == 1; }));
  log_node& late = add_ready_node(options);
  const auto result = range(late, cursor, "even");
  EXPECT_EQ(result.status, range_status::ok);
  EXPECT_EQ(ids(result), (std::vector<std::string>{"4", "6", "8"}));
  EXPECT_EQ(result.entries[0]->at, node.read[4]->at) << "restored where it was";
}

}  // namespace
}  // namespace ordeal::test
