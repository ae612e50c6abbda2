// What faults act on in their tests: a Redis if there is one, no links, and nodes that are plain
// `sleep` processes.
#pragma once

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "fault-injection/environment.h"
#include "tests/integration/fault/support/warden_test.h"

namespace ordeal::fault {

class fake_nodes final : public node_control {
 public:
  explicit fake_nodes(launcher* launch, std::size_t count = 0) : launch_(launch), nodes_(count) {}

  std::size_t node_count() const override { return nodes_.size(); }
  std::string name(std::size_t node) const override { return "node-" + std::to_string(node + 1); }
  process* running_process(std::size_t node) override {
    const auto& running = nodes_[node].running;
    return running && !running->exit() ? running.get() : nullptr;
  }
  void expect_exit(std::size_t node) override { ++nodes_[node].expected_exits; }
  asio::awaitable<step_result> start(std::size_t node) override {
    process_spec spec;
    spec.name = name(node);
    spec.command = {"sleep", "1000"};
    launch_result launched = co_await launch_->launch(std::move(spec));
    step_result result;
    result.is_ok = launched.started != nullptr;
    result.evidence = result.is_ok ? "started" : launched.error;
    nodes_[node].running = std::move(launched.started);
    co_return result;
  }
  asio::awaitable<step_result> wait_ready(std::size_t node) override {
    step_result result;
    result.is_ok = running_process(node) != nullptr;
    result.evidence = result.is_ok ? "is ready" : "is down";
    co_return result;
  }
  void tell_password(std::string_view password) override { told_ = password; }

  int expected_exits(std::size_t node) const { return nodes_[node].expected_exits; }
  const std::string& told() const { return told_; }

 private:
  struct member {
    std::unique_ptr<process> running;
    int expected_exits = 0;
  };
  launcher* launch_;
  std::vector<member> nodes_;
  std::string told_;
};

class fake_environment final : public environment {
 public:
  fake_environment(asio::any_io_executor ex, managed_redis* redis, fake_nodes* nodes)
      : ex_(ex), redis_(redis), nodes_(nodes) {}

  asio::any_io_executor executor() override { return ex_; }
  managed_redis* redis() override { return redis_; }
  link& link_of(std::size_t) override { throw std::logic_error("these faults use no link"); }
  node_control& nodes() override { return *nodes_; }
  void record_undo(std::string_view, std::string_view) override {}

 private:
  asio::any_io_executor ex_;
  managed_redis* redis_;
  fake_nodes* nodes_;
};

}  // namespace ordeal::fault
