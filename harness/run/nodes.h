// The nodes of the target: launched as processes, watched, restarted by faults. Control thread only.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "fault-injection/environment.h"
#include "fault-injection/process/process.h"
#include "harness/history/event.h"
#include "harness/run/log_file.h"
#include "harness/run/placeholders.h"
#include "harness/run/private_directory.h"
#include "harness/target/target.h"
#include "net/async/clock.h"
#include "net/async/task_group.h"

namespace ordeal::harness {

// What every node of a run shares; `redis_port` differs by node: each has a link of its own.
struct node_surroundings {
  std::string app;  // prefix of everything the target keeps in Redis
  std::string run;  // ${run}: the nonce of the run
  std::string redis_host = "127.0.0.1";
  std::vector<std::uint16_t> redis_ports;  // by node
  std::string redis_user, redis_password;
  std::uint64_t descriptors_max = 0;  // of each node's process; 0: as this one
  std::filesystem::path binaries;     // ${bin}
  std::filesystem::path logs;
  // Why a node that starts will never be ready: Redis refuses its login. Empty: nothing is known.
  std::function<std::string(node_id)> login_trouble = {};
  // Whether a node ever opened a connection to the Redis under test, through its link.
  std::function<net::asio::awaitable<bool>(std::size_t node)> has_reached_redis = {};
};

class node_set final : public fault::node_control {
 public:
  using on_change = std::function<void(node_id, node_state, bool was_planned, std::string detail)>;

  // Everything given by reference outlives the set.
  node_set(net::asio::any_io_executor ex, fault::launcher& launch, const target& what,
           private_directory& secrets, node_surroundings around, on_change changed);
  ~node_set() override;

  // Runs the target's `prepare`, starts every node and waits until all are ready.
  net::asio::awaitable<fault::step_result> start_all();
  // TERM to all, up to `grace`, then KILL; returns when all watchers are done.
  net::asio::awaitable<void> stop_all(std::chrono::milliseconds grace);

  std::uint16_t port(node_id node) const { return nodes_[index_of(node)].port; }
  std::filesystem::path log_of(std::size_t index) const;
  // What holds up the start, as soon as it has taken longer than most; empty: nothing does.
  const std::string& waiting() const { return waiting_; }
  // What was given to the nodes and nobody may quote.
  std::vector<std::string> secrets() const;
  // Of the processes that run now. A node that ended, restarted or not, took its time with it.
  std::chrono::microseconds cpu_time() const;
  bool is_cpu_time_complete() const;

  std::size_t node_count() const override { return nodes_.size(); }
  std::string name(std::size_t node) const override { return name_of(node_id(node)); }
  fault::process* running_process(std::size_t node) override;
  void expect_exit(std::size_t node) override { nodes_[node].is_exit_expected = true; }
  net::asio::awaitable<fault::step_result> start(std::size_t node) override;
  net::asio::awaitable<fault::step_result> wait_ready(std::size_t node) override;
  void tell_password(std::string_view password) override;

 private:
  struct member {
    std::uint16_t port = 0;
    std::shared_ptr<fault::process> running;
    bool is_exit_expected = false;
    std::string last_answer;  // to the question whether it is ready: "503: deaf"
  };

  net::asio::awaitable<fault::step_result> prepare();
  net::asio::awaitable<void> start_and_wait(std::size_t index, fault::step_result& result);
  net::asio::awaitable<void> watch(std::size_t index, std::shared_ptr<fault::process> which);
  net::asio::awaitable<bool> is_ready(std::size_t index, log_watch& log);
  net::asio::awaitable<std::string> why_not_ready(std::size_t index);
  net::asio::awaitable<void> keep_logs();
  std::string quoted_log(const std::filesystem::path& log) const;
  fault::process_spec spec_of(std::size_t index) const;
  placeholder_values values_of(std::size_t index) const;

  net::asio::any_io_executor ex_;
  fault::launcher& launch_;
  const target& target_;
  private_directory& secrets_;
  node_surroundings around_;
  on_change changed_;
  std::filesystem::path password_file_;
  std::vector<std::string> passwords_told_;  // a log may quote an old one
  std::vector<member> nodes_;
  net::task_group watchers_;  // of processes and logs
  net::stop_event is_stopping_;
  std::string waiting_;
  bool has_restarted_ = false;
  bool is_first_start_ = false;  // later ones may fall into a change of passwords
};

}  // namespace ordeal::harness
