// What the tests of the fleet play on: a fleet and its fake hub on one io_context, and the waiting
// in between.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>

#include "harness/fleet/fleet.h"
#include "net/async/task_group.h"
#include "tests/integration/fleet/fake_hub.h"
#include "tests/integration/fleet/recorded_history.h"
#include "tests/unit/fleet/recipe.h"

namespace ordeal::test {

using namespace std::chrono_literals;
using harness::client_disconnected;
using harness::client_id;
using harness::client_plan;
using harness::delivered;
using harness::fleet;
using harness::fleet_options;
using harness::fleet_status;
using harness::node_id;
using harness::plan;
using harness::room_id;
using harness::send_invoked;

// For anything that happens in milliseconds on an idle machine.
inline constexpr std::chrono::milliseconds enough{10'000};

inline plan make_test_plan(std::size_t nodes, std::size_t clients, std::size_t rooms) {
  plan of;
  of.target = harness::make_reference_target();
  of.seed = 7;
  of.run_nonce = "0a1b2c3d";
  of.scenario.nodes = nodes;
  of.scenario.load.rooms = rooms;
  of.scenario.load.payload = {128, 128, harness::payload_content::ascii};
  of.scenario.load.send_period = 1ms;
  for (std::size_t room = 0; room < rooms; ++room) {
    of.room_names.push_back(of.run_nonce + "-room-" + std::to_string(room + 1));
  }
  for (std::size_t index = 0; index < clients; ++index) {
    client_plan who;
    who.id = client_id{static_cast<std::uint32_t>(index)};
    who.home = node_id{static_cast<std::uint32_t>(index % nodes)};
    who.rooms.push_back(room_id{static_cast<std::uint32_t>(index % rooms)});
    if (index % 5 == 0 && rooms > 1)
      who.rooms.push_back(room_id{static_cast<std::uint32_t>((index + 1) % rooms)});
    who.connect_at = 1ms * static_cast<int>(index);
    of.clients.push_back(who);
  }
  return of;
}

// A fleet and its hub on one io_context. Tests change `what` and `options` before start().
struct stage {
  explicit stage(asio::io_context& context, std::size_t node_count = 3,
                 std::size_t client_count = 30, std::size_t room_count = 4)
      : io(context),
        what(make_test_plan(node_count, client_count, room_count)),
        hub(io.get_executor(), node_count),
        history(io.get_executor()),
        children(io.get_executor()) {
    options.node_urls = hub.urls();
    options.run_start = net::now();
    options.backoff_max = 200ms;
  }

  void start() {
    children.spawn("hub", hub.run());
    clients = make_fleet(io.get_executor(), what, options, history);
  }

  asio::awaitable<void> publish_until(std::size_t count) {
    clients->start_publishing();
    std::function<bool()> is_enough = [this, count] {
      return history.count<send_invoked>() >= count;
    };
    const bool is_there = co_await history.wait_until(std::move(is_enough), enough);
    EXPECT_TRUE(is_there) << "only " << history.count<send_invoked>() << " sends";
    clients->stop_publishing();
  }

  asio::awaitable<void> wait_for(const char* what_for, std::function<bool()> is_true) {
    const bool is_there = co_await history.wait_until(std::move(is_true), enough);
    EXPECT_TRUE(is_there) << "never came true: " << what_for;
  }
  asio::awaitable<void> wait_for_swallowed_acks() {
    std::function<bool()> is_swallowed = [this] { return hub.next.swallowed_acks == 0; };
    co_await wait_for("answers swallowed", std::move(is_swallowed));
  }
  asio::awaitable<void> wait_for_joins() {
    std::function<bool()> is_joined = [this] {
      const fleet_status status = clients->status();
      return status.joined == status.joins_wanted;
    };
    co_await wait_for("everybody joined", std::move(is_joined));
  }

  std::size_t unplanned_ends() const {
    std::size_t count = 0;
    for (const auto& left : history.all<client_disconnected>()) count += left.was_planned ? 0 : 1;
    return count;
  }

  // Everything sent has an outcome, and every client has what the log holds for it.
  asio::awaitable<void> drain() {
    co_await clients->settle(enough);
    std::function<bool()> is_complete = [this] { return deliveries() >= deliveries_due(); };
    const bool is_there = co_await history.wait_until(std::move(is_complete), enough);
    EXPECT_TRUE(is_there) << deliveries() << " of " << deliveries_due() << " deliveries";
  }

  // To the clients of the plan, not to deputies.
  std::size_t deliveries() const {
    std::size_t count = 0;
    for (const auto& got : history.all<delivered>())
      count += index_of(got.client) < what.clients.size() ? 1U : 0U;
    return count;
  }

  std::size_t deliveries_due() const {
    std::size_t due = 0;
    for (const client_plan& who : what.clients) {
      for (const room_id room : who.rooms)
        due += hub.texts_in(what.room_names[index_of(room)]).size();
    }
    return due;
  }

  asio::awaitable<void> stop() {
    co_await clients->stop();
    hub.stop();
    co_await children.join();
  }

  void expect_complete() const {
    const auto texts_in = [this](const std::string& room) { return hub.texts_in(room); };
    history.expect_well_formed();
    history.expect_complete(what, texts_in);
  }

  asio::io_context& io;
  plan what;
  fake_hub hub;
  recorded_history history;
  net::task_group children;
  fleet_options options;
  std::unique_ptr<fleet> clients;
};

}  // namespace ordeal::test
