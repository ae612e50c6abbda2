// What is under test, all of it: Redis, one link a node, the nodes. Implements the environment that faults act on.
// Control thread only.
//
//    node-1 ── link 1 ──┐
//    node-2 ── link 2 ──┼── redis-server
//    node-3 ── link 3 ──┘
#pragma once

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "fault-injection/environment.h"
#include "fault-injection/link/link.h"
#include "fault-injection/redis/managed_redis.h"
#include "harness/run/nodes.h"
#include "harness/run/private_directory.h"
#include "harness/run/results_directory.h"
#include "harness/run/tap.h"
#include "harness/scenario/plan.h"
#include "net/websocket.h"

namespace ordeal::harness {

// What only running it could tell about the scenario file; what() names the place.
struct invalid_scenario : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class test_bed final : public fault::environment {
 public:
  // All references outlive the bed.
  test_bed(net::asio::any_io_executor ex, fault::launcher& launch, const plan& what,
           results_directory& results, std::filesystem::path binaries,
           node_set::on_change on_node_change, tap_outlet taps,
           std::function<std::string(node_id)> login_trouble);
  ~test_bed() override;

  // Starts Redis, the links and the nodes, in this order; the first failure ends it, with a
  // sentence that says what to do. Throws invalid_scenario, and std::runtime_error for the surroundings.
  net::asio::awaitable<fault::step_result> start();
  // Stops the nodes, then Redis; an external one is left as it was: this run's own keys are removed.
  net::asio::awaitable<void> stop();

  // Why the bed cannot carry the run any more (Redis ended although no fault asked for it); nullopt
  // while all is well.
  std::optional<std::string> collapse() const;
  // What holds up the start of the nodes; or empty.
  std::string waiting() const;

  // Websocket addresses, by node.
  std::vector<net::websocket_url> node_urls() const;
  node_set& node_processes() { return *nodes_; }
  // Where secrets and Redis data of this run are; goes away with the bed. Empty before start().
  std::filesystem::path private_path() const {
    return secrets_ ? secrets_->path() : std::filesystem::path();
  }
  std::string redis_description() const;  // "7.0.15 managed"

  net::asio::any_io_executor executor() override { return ex_; }
  fault::managed_redis* redis() override { return redis_.get(); }
  fault::login application_login() override {
    if (redis_) return {redis_->user(), redis_->password()};
    return {external_.auth.user, external_.auth.password};
  }
  fault::link& link_of(std::size_t node) override { return *links_[node]; }
  fault::node_control& nodes() override { return *nodes_; }
  void record_undo(std::string_view fault, std::string_view intent) override {
    results_.record_undo(fault, intent);
  }

  // The nemesis says when a fault on Redis begins and ends, so that collapse() knows planned exits from others.
  void begin_redis_fault() { ++redis_faults_; }
  void end_redis_fault() { --redis_faults_; }

 private:
  net::asio::awaitable<bool> has_reached_redis(std::size_t node);
  net::asio::awaitable<fault::step_result> start_redis();
  net::asio::awaitable<fault::step_result> find_external_redis();
  net::asio::awaitable<void> clean_external_redis();

  net::asio::any_io_executor ex_;
  fault::launcher& launch_;
  const plan& plan_;
  results_directory& results_;
  std::filesystem::path binaries_;
  node_set::on_change on_node_change_;
  tap_outlet taps_;
  std::function<std::string(node_id)> login_trouble_;
  std::string app_;                           // prefix of everything that the target keeps in Redis
  std::optional<private_directory> secrets_;  // from start() on
  std::unique_ptr<fault::managed_redis> redis_;
  net::redis::connection_options external_;
  std::unique_ptr<fault::link_group> link_group_;
  std::vector<std::unique_ptr<fault::link>> links_;
  std::unique_ptr<node_set> nodes_;
  int redis_faults_ = 0;
};

}  // namespace ordeal::harness
