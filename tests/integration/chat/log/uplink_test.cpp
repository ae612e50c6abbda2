// Goal: over a thin line to Redis messages pass one after the other, at what the line carries, and no byte goes twice.
// The line is the harness' own link; bytes are counted there.
#include "fault-injection/link/link.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>

#include "net/async/clock.h"
#include "tests/integration/chat/log/log_nodes.h"

namespace ordeal::test {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using chat::append_status;

constexpr std::uint64_t bytes_per_second = 50'000;
constexpr std::size_t text_bytes = 1'000;

void rethrow(std::exception_ptr failure) {
  if (failure) std::rethrow_exception(failure);
}

asio::awaitable<void> apply(fault::link& line, fault::toxics next, bool& is_done) {
  co_await line.apply(next);
  is_done = true;
}

asio::awaitable<void> count_into(fault::link& line, std::optional<fault::link_counters>& result) {
  const auto found = co_await line.counters();
  result = found;
}

class Uplink : public LogNodes {
 protected:
  void SetUp() override {
    fault::toxics thin;
    thin.bytes_per_second_up = bytes_per_second;
    bool is_done = false;
    asio::co_spawn(io_, apply(*line_, thin, is_done), rethrow);
    ASSERT_TRUE(until("the line is thin", [&] { return is_done; }));
  }

  chat::log_options thin_options() {
    auto options = options_for(server_);
    options.redis.port = line_->port();
    // So that a busy machine is not taken for the line.
    options.command_timeout = 2s;
    options.heartbeat_interval = 300ms;
    return options;
  }
  std::uint64_t bytes_up() {
    std::optional<fault::link_counters> counters;
    asio::co_spawn(io_, count_into(*line_, counters), rethrow);
    EXPECT_TRUE(until("counted", [&] { return counters.has_value(); }));
    return counters ? counters->bytes_up : 0;
  }
  void send(log_node& node, int count) {
    for (int i = 0; i < count; ++i) {
      const std::string id = "id-" + std::to_string(++sent_);
      outcomes_.push_back(append_surely({&node}, id, std::string(text_bytes, 'x')));
    }
  }
  bool are_all_in() const {
    return std::ranges::all_of(outcomes_, [](const outcome_ptr& each) {
      return each->has_value() && (*each)->status == append_status::appended;
    });
  }
  // What else goes up: lengths, ids, seqs, heartbeats, and the reader's questions.
  void expect_each_byte_once(std::uint64_t bytes) const {
    const std::uint64_t payload = static_cast<std::uint64_t>(sent_) * text_bytes;
    EXPECT_GE(bytes, payload);
    EXPECT_LE(bytes, payload + payload / 4) << "of " << payload << " bytes of text";
  }

  redis_server server_;
  std::unique_ptr<fault::link_group> group_ = fault::make_link_group();
  std::unique_ptr<fault::link> line_ =
      group_->add(asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), server_.port()), 1);
  std::vector<outcome_ptr> outcomes_;
  int sent_ = 0;
};

TEST_F(Uplink, ABurstOverAThinLineIsSentOnceAndInTime) {
  log_node& node = add_ready_node(thin_options());
  const std::uint64_t bytes_before = bytes_up();
  const auto began = net::now();
  send(node, 250);
  ASSERT_TRUE(until(
      "all are in the log", [&] { return are_all_in(); }, 60s));
  const std::chrono::duration<double> took = net::now() - began;
  const std::uint64_t bytes = bytes_up() - bytes_before;
  expect_each_byte_once(bytes);
  // An idle line between two batches would show here.
  EXPECT_LE(took.count(), 1.5 * static_cast<double>(bytes) / bytes_per_second + 1);
  EXPECT_EQ(node.log->health().reconnects, 0U);
  ASSERT_TRUE(until("read", [&] { return node.read.size() == 250; }));
  EXPECT_TRUE(until("ready", [&] { return node.is_ready(); }));
}

// Whoever tries again joins the message that waits.
TEST_F(Uplink, SendersThatTryAgainCostTheLineNothing) {
  auto options = thin_options();
  options.append_wait_max = 300ms;
  log_node& node = add_ready_node(options);
  const std::uint64_t bytes_before = bytes_up();
  send(node, 150);
  ASSERT_TRUE(until(
      "all are in the log", [&] { return are_all_in(); }, 60s));
  expect_each_byte_once(bytes_up() - bytes_before);
  ASSERT_TRUE(until("read", [&] { return node.read.size() == 150; }));
  EXPECT_GT(node.log->health().duplicates, 0U) << "nobody had to try again";
}

TEST_F(Uplink, OnceTheLineIsKnownNoMoreIsAcceptedThanItCarriesInTime) {
  auto options = thin_options();
  options.append_wait_max = 1s;
  log_node& node = add_ready_node(options);
  send(node, 60);
  ASSERT_TRUE(until(
      "the line is known", [&] { return are_all_in(); }, 30s));
  std::vector<outcome_ptr> tries;
  for (int i = 0; i < 400; ++i)
    tries.push_back(
        append(node, "more-" + std::to_string(i), "room", std::string(text_bytes, 'x')));
  std::size_t waiting_max = 0;
  ASSERT_TRUE(until("all have an answer", [&] {
    waiting_max = std::max(waiting_max, node.log->health().outbox_undecided);
    return std::ranges::all_of(tries, [](const outcome_ptr& each) { return each->has_value(); });
  }));
  std::size_t count = 0;
  for (const outcome_ptr& each : tries) {
    if ((*each)->status == append_status::appended) {
      ++count;
    } else {
      EXPECT_EQ((*each)->status, append_status::retry_later);
      EXPECT_NE((*each)->reason.find("send it again with the same id"), std::string::npos);
    }
  }
  EXPECT_GE(count, 20U) << "what passed in the time that senders wait";
  EXPECT_LE(waiting_max, 200U) << "messages, of which 50 pass in a second";
}

}  // namespace
}  // namespace ordeal::test
