// The link faults through their whole life against real links, and against links that ignore what
// they are told: then none of them may be confirmed.
#include "fault-injection/link/link_faults.h"

#include <gtest/gtest.h>

#include <atomic>

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "fault-injection/environment.h"
#include "fault-injection/link/link.h"
#include "tests/integration/fault/link/echo_server.h"
#include "tests/support/run_coro.h"

namespace ordeal::test {
namespace {

using fault::step_result;
using fault::toxics;

// Forwards everything but what would harm.
class harmless_link final : public fault::link {
 public:
  explicit harmless_link(std::unique_ptr<fault::link> inner) : inner_(std::move(inner)) {}

  std::uint16_t port() const override { return inner_->port(); }
  toxics applied() const override { return applied_; }
  asio::awaitable<void> apply(toxics next) override {
    applied_ = next;
    co_return;
  }
  asio::awaitable<std::uint64_t> reset_connections() override { co_return 0; }
  asio::awaitable<fault::link_counters> counters() override { return inner_->counters(); }

 private:
  std::unique_ptr<fault::link> inner_;
  toxics applied_;
};

class two_nodes final : public fault::environment, public fault::node_control {
 public:
  explicit two_nodes(asio::any_io_executor ex) : ex_(ex) {}

  std::vector<std::unique_ptr<fault::link>> links;

  asio::any_io_executor executor() override { return ex_; }
  fault::managed_redis* redis() override { return nullptr; }
  fault::link& link_of(std::size_t node) override { return *links.at(node); }
  fault::node_control& nodes() override { return *this; }
  void record_undo(std::string_view, std::string_view) override {}

  std::size_t node_count() const override { return links.size(); }
  std::string name(std::size_t node) const override { return "node-" + std::to_string(node + 1); }
  fault::process* running_process(std::size_t) override { return nullptr; }
  void expect_exit(std::size_t) override {}
  asio::awaitable<step_result> start(std::size_t) override { co_return step_result(); }
  asio::awaitable<step_result> wait_ready(std::size_t) override { co_return step_result(); }
  void tell_password(std::string_view) override {}

 private:
  asio::any_io_executor ex_;
};

// Counts the bytes that it hears.
class counting_tap final : public fault::connection_tap {
 public:
  explicit counting_tap(std::atomic<std::uint64_t>& heard) : heard_(heard) {}
  void on_bytes(fault::link_way, std::string_view bytes) override { heard_ += bytes.size(); }

 private:
  std::atomic<std::uint64_t>& heard_;
};

class LinkFaults : public testing::Test {
 protected:
  void add_links(bool is_harmless) {
    for (std::uint64_t seed = 0; seed < 2; ++seed) {
      auto real = group_->add(server_.endpoint(), seed,
                              [this] { return std::make_unique<counting_tap>(heard_); });
      if (is_harmless) real = std::make_unique<harmless_link>(std::move(real));
      env_.links.push_back(std::move(real));
      clients_.emplace_back(io_.get_executor());
    }
  }

  void run(asio::awaitable<void> body) { run_coro(io_, around(std::move(body))); }

  asio::awaitable<void> around(asio::awaitable<void> body) {
    server_.start();
    co_await std::move(body);
    for (auto& each : clients_) each.close();
    co_await server_.stop();
  }

  // One open connection through each link.
  asio::awaitable<void> connect_clients() {
    for (std::size_t node = 0; node < clients_.size(); ++node) {
      co_await connect(clients_[node], env_.link_of(node).port());
      co_await send(clients_[node], "hello");
      const auto answer = co_await receive(clients_[node], 5);
      EXPECT_EQ(answer.bytes, "hello");
    }
  }

  std::unique_ptr<fault::fault> make(const fault::fault_kind& kind) {
    fault::fault_spec spec;
    spec.kind = kind.name;
    spec.nodes = nodes_;
    spec.with = with_;
    return kind.make(spec, env_);
  }

  asio::awaitable<void> live_and_heal(fault::fault_kind kind) {
    co_await connect_clients();
    const auto subject = make(kind);
    const auto injected = co_await subject->inject();
    EXPECT_TRUE(injected.is_ok) << injected.evidence;
    const auto active = co_await subject->confirm_active();
    EXPECT_TRUE(active.is_ok) << active.evidence;
    active_evidence_ = active.evidence;
    const auto healed = co_await subject->heal();
    EXPECT_TRUE(healed.is_ok) << healed.evidence;
    const auto well = co_await subject->confirm_healed();
    EXPECT_TRUE(well.is_ok) << well.evidence;
    co_await expect_nothing_but_the_hellos();
  }

  // How a fault observes itself is neither heard by taps nor counted as the node's.
  asio::awaitable<void> expect_nothing_but_the_hellos() {
    for (const auto& each : env_.links) {
      const fault::link_counters counters = co_await each->counters();
      EXPECT_EQ(counters.accepted, 1U);
      EXPECT_EQ(counters.bytes_up, 5U);
      EXPECT_EQ(counters.bytes_down, 5U);
      EXPECT_LE(counters.open, 1U);
    }
    EXPECT_EQ(heard_, 10U * env_.links.size());
  }

  asio::awaitable<void> inject_without_effect(fault::fault_kind kind) {
    co_await connect_clients();
    const auto subject = make(kind);
    co_await subject->inject();
    const auto active = co_await subject->confirm_active();
    EXPECT_FALSE(active.is_ok) << active.evidence;
    active_evidence_ = active.evidence;
  }

  asio::awaitable<void> leave_unhealed(fault::fault_kind kind) {
    const auto subject = make(kind);
    co_await subject->inject();
    const auto well = co_await subject->confirm_healed();
    EXPECT_FALSE(well.is_ok) << well.evidence;
  }

  asio::awaitable<void> reset_nobody();
  asio::awaitable<void> thin_and_heal(std::string direction);
  asio::awaitable<void> cut_and_slow();

  std::string slow(const std::string& latency) {
    with_["latency"] = latency;
    with_["jitter"] = "0";
    return latency;
  }

  void thin(const std::string& direction) { with_ = {{"rate", "64000"}, {"direction", direction}}; }

  asio::io_context io_{1};
  echo_server server_{io_.get_executor()};
  std::atomic<std::uint64_t> heard_ = 0;  // outlives the taps
  std::unique_ptr<fault::link_group> group_ = fault::make_link_group();
  two_nodes env_{io_.get_executor()};
  std::vector<tcp::socket> clients_;
  std::vector<std::size_t> nodes_;
  std::map<std::string, std::string> with_;
  std::string active_evidence_;
};

TEST_F(LinkFaults, BlackholeIsConfirmedAndHeals) {
  add_links(false);
  run(live_and_heal(fault::link_blackhole_kind()));
  EXPECT_NE(active_evidence_.find("node-1: PING on a new connection: no reply in 300 ms"),
            std::string::npos)
      << active_evidence_;
  EXPECT_NE(active_evidence_.find("node-2: "), std::string::npos) << active_evidence_;
}

TEST_F(LinkFaults, RefuseIsConfirmedAndHeals) {
  add_links(false);
  run(live_and_heal(fault::link_refuse_kind()));
  EXPECT_NE(active_evidence_.find("Connection refused"), std::string::npos) << active_evidence_;
}

TEST_F(LinkFaults, LatencyIsConfirmedAndHeals) {
  add_links(false);
  slow("60000000");
  run(live_and_heal(fault::link_latency_kind()));
}

TEST_F(LinkFaults, BandwidthIsConfirmedAndHeals) {
  add_links(false);
  run(thin_and_heal("both"));
  EXPECT_NE(active_evidence_.find(" bytes up "), std::string::npos) << active_evidence_;
  EXPECT_NE(active_evidence_.find(" bytes down "), std::string::npos) << active_evidence_;
}

TEST_F(LinkFaults, BandwidthUpwardsIsConfirmedAndHeals) {
  add_links(false);
  run(thin_and_heal("up"));
  EXPECT_EQ(active_evidence_.find(" bytes down "), std::string::npos) << active_evidence_;
}

TEST_F(LinkFaults, BandwidthDownwardsIsConfirmedAndHeals) {
  add_links(false);
  run(thin_and_heal("down"));
  EXPECT_EQ(active_evidence_.find(" bytes up "), std::string::npos) << active_evidence_;
}

asio::awaitable<void> LinkFaults::thin_and_heal(std::string direction) {
  thin(direction);
  const auto subject = make(fault::link_bandwidth_kind());
  co_await subject->inject();
  const auto active = co_await subject->confirm_active();
  EXPECT_TRUE(active.is_ok) << active.evidence;
  active_evidence_ = active.evidence;
  const auto unhealed = co_await subject->confirm_healed();
  EXPECT_FALSE(unhealed.is_ok) << unhealed.evidence;
  co_await subject->heal();
  EXPECT_EQ(env_.link_of(0).applied(), toxics());
  const auto well = co_await subject->confirm_healed();
  EXPECT_TRUE(well.is_ok) << well.evidence;
}

TEST_F(LinkFaults, BandwidthWithoutEffectIsNotConfirmed) {
  add_links(true);
  thin("up");
  run(inject_without_effect(fault::link_bandwidth_kind()));
}

TEST_F(LinkFaults, BandwidthDownwardsWithoutEffectIsNotConfirmed) {
  add_links(true);
  thin("down");
  run(inject_without_effect(fault::link_bandwidth_kind()));
}

TEST_F(LinkFaults, ResetIsConfirmedAndHeals) {
  add_links(false);
  with_["every"] = "0";
  run(live_and_heal(fault::link_reset_kind()));
  EXPECT_NE(active_evidence_.find("Connection reset by peer"), std::string::npos)
      << active_evidence_;
}

TEST_F(LinkFaults, RepeatedResetIsConfirmedAndHeals) {
  add_links(false);
  with_["every"] = "3000000000";
  run(live_and_heal(fault::link_reset_kind()));
}

TEST_F(LinkFaults, ActOnTheChosenNodeOnly) {
  add_links(false);
  nodes_ = {1};
  run(live_and_heal(fault::link_refuse_kind()));
  EXPECT_EQ(active_evidence_.find("node-1"), std::string::npos) << active_evidence_;
  EXPECT_EQ(env_.link_of(0).applied(), toxics());
}

TEST_F(LinkFaults, BlackholeWithoutEffectIsNotConfirmed) {
  add_links(true);
  run(inject_without_effect(fault::link_blackhole_kind()));
}

TEST_F(LinkFaults, RefuseWithoutEffectIsNotConfirmed) {
  add_links(true);
  run(inject_without_effect(fault::link_refuse_kind()));
}

TEST_F(LinkFaults, LatencyWithoutEffectIsNotConfirmed) {
  add_links(true);
  slow("500000000");
  run(inject_without_effect(fault::link_latency_kind()));
}

TEST_F(LinkFaults, ResetWithoutEffectIsNotConfirmed) {
  add_links(true);
  with_["every"] = "0";
  run(inject_without_effect(fault::link_reset_kind()));
}

TEST_F(LinkFaults, ResetOfNobodyIsNotConfirmed) {
  add_links(false);
  with_["every"] = "0";
  run(reset_nobody());
}

asio::awaitable<void> LinkFaults::reset_nobody() {
  const auto subject = make(fault::link_reset_kind());
  co_await subject->inject();
  const auto active = co_await subject->confirm_active();
  EXPECT_FALSE(active.is_ok);
  EXPECT_EQ(active.evidence,
            "node-1: not confirmed: no connection was open; node-2: not confirmed: no connection "
            "was open");
}

TEST_F(LinkFaults, NothingIsHealedBeforeItIsHealed) {
  add_links(false);
  slow("100000000");
  run(leave_unhealed(fault::link_latency_kind()));
}

TEST_F(LinkFaults, BlackholeIsNotHealedBeforeItIsHealed) {
  add_links(false);
  run(leave_unhealed(fault::link_blackhole_kind()));
}

TEST_F(LinkFaults, LeaveEachOthersToxicsAlone) {
  add_links(false);
  slow("20000000");
  run(cut_and_slow());
}

asio::awaitable<void> LinkFaults::cut_and_slow() {
  const auto cut = make(fault::link_blackhole_kind());
  const auto slow = make(fault::link_latency_kind());
  co_await slow->inject();
  co_await cut->inject();
  const auto active = co_await cut->confirm_active();
  EXPECT_TRUE(active.is_ok) << active.evidence;
  co_await cut->heal();
  EXPECT_EQ(env_.link_of(0).applied().latency, std::chrono::milliseconds(20));
  const auto uncut = co_await cut->confirm_healed();
  EXPECT_TRUE(uncut.is_ok) << uncut.evidence;
  const auto still_slow = co_await slow->confirm_active();
  EXPECT_TRUE(still_slow.is_ok) << still_slow.evidence;
  co_await slow->heal();
  EXPECT_EQ(env_.link_of(0).applied(), toxics());
}

TEST(LinkFaultKinds, BandwidthIsBounded) {
  const auto kind = fault::link_bandwidth_kind();
  fault::fault_spec spec;
  for (const auto& [rate, is_allowed] :
       {std::pair("999", false), {"1000", true}, {"4000000", true}, {"4000001", false}}) {
    spec.with["rate"] = rate;
    EXPECT_EQ(kind.validate(spec).empty(), is_allowed) << rate;
  }
}

TEST(LinkFaultKinds, RepeatedResetNeedsADuration) {
  const auto kind = fault::link_reset_kind();
  fault::fault_spec spec;
  spec.with["every"] = "1000000000";
  EXPECT_NE(kind.validate(spec), "");
  spec.held = std::chrono::seconds(5);
  EXPECT_EQ(kind.validate(spec), "");
  spec.held.reset();
  spec.with["every"] = "0";
  EXPECT_EQ(kind.validate(spec), "");
}

}  // namespace
}  // namespace ordeal::test
