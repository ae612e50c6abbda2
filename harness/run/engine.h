// One run from start to verdict. The control thread's program:
//
//   set-up ─▶ declared phases ─▶ recovery ─▶ drain ─▶ probe ─▶ judgement
//              (faults, load)     (healed,    (no new   (a fresh message from
//                                 load on)    sends)    every node to everybody)
//
// A first signal ends the declared phases early; the rest follows as always, on a partial run. A second one leaves at
// once; the warden takes what is left.
#pragma once

#include <boost/asio/signal_set.hpp>
#include <filesystem>
#include <optional>
#include <string>

#include "harness/run/fleet_thread.h"
#include "harness/run/login_watch.h"
#include "harness/run/nemesis.h"
#include "harness/run/observers/observers.h"
#include "harness/run/results_directory.h"
#include "harness/run/test_bed.h"

namespace ordeal::harness {

struct cpu_cost {
  std::optional<double> server_us, fleet_us;  // a delivery, while messages were published
};

struct run_outcome {
  std::optional<judgement> judged;  // none: the run never got as far as load
  std::string
      environment_problem;     // why not, or why it was cut short; empty when nothing was wrong
  bool is_file_wrong = false;  // and it is the scenario's fault
  int signal = 0;              // that cut it short
  run_time zero{};             // start of the declared phases
  cpu_cost cost;
};

// What the display shows beside the judge's progress.
struct engine_view {
  std::string phase = "setup";
  run_time phase_begun{}, phase_ends{};  // since time zero; ends == begun: open end
  bool has_begun = false;
  bool is_cut_short = false;  // by a first signal
  std::chrono::nanoseconds since_zero{};
  std::vector<fault::fault_state> fault_states;
  std::vector<node_state> node_states;
  std::string waiting;  // for a node that takes long to start, and why; or empty
  fleet_status clients;
  progress now;
};

class engine {
 public:
  engine(net::asio::io_context& io, fault::launcher& launch, const plan& what,
         results_directory& results, history_mode history, std::filesystem::path binaries,
         std::function<void(int)> leave_at_once);
  ~engine();

  // Throws results_error, and what a bug throws; nothing is in order then: end the process, do not
  // destroy the engine.
  net::asio::awaitable<run_outcome> run();
  // A snapshot for the display; asks the fleet's thread.
  net::asio::awaitable<engine_view> view();
  test_bed& bed() { return bed_; }
  fleet_thread& load() { return fleet_; }

 private:
  struct cpu_sample {
    std::chrono::microseconds servers{0};
    std::chrono::nanoseconds fleet{0};
    std::uint64_t deliveries = 0;
  };

  net::asio::awaitable<void> run_to_verdict(net::task_group& background);
  net::asio::awaitable<void> watch_signals();
  net::asio::awaitable<bool> set_up();
  net::asio::awaitable<bool> rehearse(std::vector<net::websocket_url> urls);
  void describe_bed();  // adds ports and versions to run.json
  net::asio::awaitable<void> go_through_phases();
  net::asio::awaitable<void> recover();
  net::asio::awaitable<void> drain();
  net::asio::awaitable<void> probe();
  net::asio::awaitable<void> keep_series();
  net::asio::awaitable<void> keep_history();
  net::asio::awaitable<bool> pause(net::time_point until);
  // Polls `condition(fleet_thread&)` over there until it is true, time is up or the bed has collapsed.
  template <class F>
  net::asio::awaitable<bool> wait_until(F condition, std::chrono::nanoseconds limit);
  net::asio::awaitable<cpu_sample> sample_cpu();
  void enter_phase(phase_kind kind, const std::string& name, std::chrono::nanoseconds length);
  bool has_collapsed();

  net::asio::any_io_executor ex_;
  const plan& plan_;
  results_directory& results_;
  std::function<void(int)> leave_at_once_;  // for this signal; does not return
  net::asio::signal_set signals_;
  net::stop_event cut_short_, finished_;
  net::time_point run_start_;
  std::chrono::nanoseconds recovery_limit_;
  fleet_thread fleet_;
  login_watch logins_;
  test_bed bed_;
  std::unique_ptr<nemesis> nemesis_;
  std::unique_ptr<observers> observers_;
  run_outcome outcome_;
  engine_view view_;
  bool is_loaded_ = false;  // the fleet exists
};

}  // namespace ordeal::harness
