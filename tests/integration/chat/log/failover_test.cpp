// Goal: behind sentinels, and over TLS, nothing is lost or doubled when the master changes: planned, killed, hung, or
// demoted in silence.
#include "net/redis/sentinel.h"
#include "tests/integration/chat/log/recovery_fixture.h"
#include "tests/support/certificates.h"
#include "tests/support/command.h"

namespace ordeal::test {
namespace {

using namespace std::chrono_literals;

constexpr auto master_name = "chat-master";

redis_server_options replicating() {
  redis_server_options options;
  // Without the seconds that a master waits for more replicas.
  options.extra_config = "repl-diskless-sync-delay 0\nrepl-ping-replica-period 1\n";
  return options;
}

class Failover : public Recovery {
 protected:
  Failover() {
    for (const auto& replica : {replica_one_.get(), replica_two_.get()}) {
      (void)replica->command({"REPLICAOF", "127.0.0.1", std::to_string(master_->port())});
      EXPECT_TRUE(until("a replica follows", [&] { return is_following(*replica); }));
    }
    redis_sentinel_options options;
    options.master_port = master_->port();
    options.quorum = 2;
    for (auto& each : sentinels_) each = std::make_unique<redis_sentinel>(options);
    const auto know_all = [&](const auto& sentinel) {
      const auto about = sentinel->command({"SENTINEL", "master", master_name});
      return value_of(about, "num-slaves") == "2" && value_of(about, "num-other-sentinels") == "2";
    };
    EXPECT_TRUE(until(
        "the sentinels know each other and the replicas",
        [&] { return std::ranges::all_of(sentinels_, know_all); }, 40s));
  }

  static std::string value_of(const net::redis::reply& pairs, std::string_view name) {
    const auto view = pairs.view();
    for (std::size_t i = 0; i + 1 < view.size(); i += 2) {
      if (view[i].text() == name) return std::string(view[i + 1].text());
    }
    return "";
  }
  static bool is_following(redis_server& replica) {
    const auto info = replica.command({"INFO", "replication"});
    return info->text().find("master_link_status:up") != std::string_view::npos;
  }
  chat::log_options through_sentinels() const {
    auto options = options_for(*master_);
    for (const auto& each : sentinels_) options.redis.sentinel.places.push_back(each->address());
    options.redis.sentinel.master_name = master_name;
    options.redis.sentinel.memory =
        std::make_shared<net::redis::sentinel_memory>(options.redis.sentinel.places);
    return options;
  }
  std::uint16_t named_master() {
    const auto named =
        sentinels_.front()->command({"SENTINEL", "get-master-addr-by-name", master_name});
    return static_cast<std::uint16_t>(named.view()[1].integer());
  }
  bool until_another_master(std::uint16_t than) {
    return until(
        "another master", [&] { return named_master() != than; }, 40s);
  }

  std::unique_ptr<redis_server> master_ = std::make_unique<redis_server>(replicating());
  std::unique_ptr<redis_server> replica_one_ = std::make_unique<redis_server>(replicating());
  std::unique_ptr<redis_server> replica_two_ = std::make_unique<redis_server>(replicating());
  std::array<std::unique_ptr<redis_sentinel>, 3> sentinels_;
};

TEST_F(Failover, PlannedOneUnderLoad) {
  const nodes all{&LogNodes::add_ready_node(through_sentinels()),
                  &LogNodes::add_ready_node(through_sentinels())};
  send(all, "before", 100);
  const auto on_the_way = start(*all[0], "on-the-way");
  EXPECT_EQ(sentinels_[0]->command({"SENTINEL", "FAILOVER", master_name})->text(), "OK");
  send(all, "during", 200);
  EXPECT_TRUE(until_another_master(master_->port()));
  send(all, "after", 50);
  EXPECT_TRUE(until("settled", [&] { return on_the_way->has_value(); }));
  expect_all_once(all);
}

TEST_F(Failover, KilledMaster) {
  const nodes all{&LogNodes::add_ready_node(through_sentinels()),
                  &LogNodes::add_ready_node(through_sentinels())};
  send(all, "before", 100);
  const auto port = master_->port();
  master_->kill();
  EXPECT_TRUE(until_another_master(port));
  EXPECT_TRUE(until_ready(all));
  send(all, "after", 50);
  expect_all_once_in_order(all);
}

TEST_F(Failover, HungMasterThatWakesUpAgain) {
  const nodes all{&LogNodes::add_ready_node(through_sentinels()),
                  &LogNodes::add_ready_node(through_sentinels())};
  send(all, "before", 100);
  const auto port = master_->port();
  master_->pause();
  EXPECT_TRUE(until_another_master(port));
  EXPECT_TRUE(until_ready(all));
  send(all, "after", 50);
  master_->resume();
  send(all, "end", 50);
  expect_all_once_in_order(all);
}

// The old master still answers, as a replica, and cuts nobody off: READONLY and the end of the blocked read tell.
TEST_F(Recovery, QuietDemotion) {
  redis_server old_master(replicating());
  redis_server new_master(replicating());
  redis_gate& gate_a = add_gate(old_master);
  redis_gate& gate_b = add_gate(old_master);
  const nodes all{&add_ready_node(old_master, gate_a), &add_ready_node(old_master, gate_b)};
  const auto port = std::to_string(old_master.port());
  (void)new_master.command({"REPLICAOF", "127.0.0.1", port});
  send(all, "before", 50);
  EXPECT_TRUE(until_all_read(all));
  EXPECT_TRUE(until("the replica has it all", [&] {
    return new_master.command({"XLEN", "{chat}:log"})->integer() >= 51;
  }));
  gate_a.point_to(new_master.port());
  gate_b.point_to(new_master.port());
  (void)new_master.command({"REPLICAOF", "NO", "ONE"});
  (void)old_master.command({"REPLICAOF", "127.0.0.1", std::to_string(new_master.port())});
  send(all, "after", 50);
  expect_all_once_in_order(all);
}

TEST_F(Recovery, TotalLossOverTls) {
  scratch_directory directory;
  certificate_authority authority(directory.path(), "ca");
  redis_server_options options;
  options.tls = redis_server_tls{authority.issue("server"), authority.ca_file()};
  redis_server server(options);
  auto log_options = options_for(server);
  log_options.redis = server.tls_connection();
  const nodes all{&LogNodes::add_ready_node(log_options), &LogNodes::add_ready_node(log_options)};
  send(all, "a", 100);
  lose_everything(server);
  send(all, "b", 100);
  expect_all_once_in_order(all);
}

}  // namespace
}  // namespace ordeal::test
