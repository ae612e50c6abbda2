#include "harness/run/engine.h"

#include <boost/json/array.hpp>
#include <csignal>
#include <sstream>

#include "harness/rehearsal/rehearsal.h"
#include "harness/run/descriptors.h"
#include "harness/run/observers/link_observer.h"
#include "net/async/deadline.h"

namespace ordeal::harness {
namespace asio = net::asio;
namespace {

constexpr std::chrono::seconds connect_limit{30};  // beyond the ramp
constexpr std::chrono::seconds recovery_traffic_min{
    2};  // messages that go through after the last heal
constexpr std::chrono::milliseconds poll_interval{50};
constexpr std::chrono::milliseconds series_interval{1'000};
constexpr std::chrono::milliseconds history_interval{100};
constexpr std::chrono::milliseconds quiet_time{300};  // late duplicates show themselves in it

std::string explain_missing_joins(const fleet_status& status) {
  std::ostringstream text;
  text << "only " << status.joined << " of " << status.joins_wanted << " joins were confirmed and "
       << status.connected << " of " << status.clients << " clients are connected";
  if (!status.latest_problem.empty()) text << "; the latest trouble: " << status.latest_problem;
  const std::string shortage = why_out_of_descriptors();
  text << "; " << (shortage.empty() ? "look at the nodes' logs" : shortage);
  return text.str();
}

}  // namespace

engine::engine(asio::io_context& io, fault::launcher& launch, const plan& what,
               results_directory& results, history_mode history, std::filesystem::path binaries,
               std::function<void(int)> leave_at_once)
    : ex_(io.get_executor()),
      plan_(what),
      results_(results),
      leave_at_once_(std::move(leave_at_once)),
      signals_(io, SIGINT, SIGTERM, SIGHUP),
      cut_short_(ex_),
      finished_(ex_),
      run_start_(net::now()),
      recovery_limit_(recovery_limit(terms_of(what))),
      fleet_(what, results.path(), history, run_start_),
      bed_(
          ex_, launch, what, results, std::move(binaries),
          [this](node_id node, node_state state, bool was_planned, std::string detail) {
            view_.node_states[index_of(node)] = state;
            fleet_.post(
                node_changed{fleet_.elapsed(), node, state, was_planned, std::move(detail)});
          },
          tap_outlet{run_start_,
                     [this](std::vector<tapped> batch) { fleet_.post(std::move(batch)); },
                     [this](reason_heard heard) {
                       logins_.on(heard);
                       fleet_.post(std::move(heard));
                     }},
          [this](node_id node) { return logins_.trouble(node, fleet_.elapsed()); }) {
  view_.fault_states.resize(what.faults.size(), fault::fault_state::planned);
  view_.node_states.resize(what.scenario.nodes, node_state::starting);
}

engine::~engine() = default;

asio::awaitable<void> engine::watch_signals() {
  // A signal may be on its way to this loop when the run ends: nobody would cancel another wait.
  while (!finished_.is_set()) {
    auto [ec, number] = co_await signals_.async_wait(asio::as_tuple(asio::use_awaitable));
    if (ec) co_return;
    const bool is_second = outcome_.signal != 0;
    outcome_.signal = number;
    // Before there is load there is nothing to judge: leave at once as well.
    if (is_second || !view_.has_begun) leave_at_once_(number);
    view_.is_cut_short = true;
    cut_short_.set();
  }
}

void engine::enter_phase(phase_kind kind, const std::string& name,
                         std::chrono::nanoseconds length) {
  view_.phase = name;
  view_.phase_begun = fleet_.elapsed() - outcome_.zero;
  view_.phase_ends = view_.phase_begun + length;
  fleet_.post(phase_changed{fleet_.elapsed(), kind, name});
}

bool engine::has_collapsed() {
  if (outcome_.environment_problem.empty())
    outcome_.environment_problem = bed_.collapse().value_or("");
  return !outcome_.environment_problem.empty();
}

// Sleeps; false when the run is cut short meanwhile.
asio::awaitable<bool> engine::pause(net::time_point until) {
  while (net::now() < until) {
    const auto step =
        std::min<std::chrono::nanoseconds>(until - net::now(), std::chrono::milliseconds(250));
    const bool is_cut_short = co_await cut_short_.wait_for(step);
    if (is_cut_short || has_collapsed()) co_return false;
  }
  co_return true;
}

template <class F>
asio::awaitable<bool> engine::wait_until(F condition, std::chrono::nanoseconds limit) {
  const auto deadline = net::now() + limit;
  for (;;) {
    const bool is_true = co_await fleet_.call(condition);
    if (is_true) co_return true;
    if (net::now() >= deadline || has_collapsed()) co_return false;
    co_await net::sleep_for(poll_interval);
  }
}

asio::awaitable<bool> engine::set_up() {
  enter_phase(phase_kind::setup, "setup", {});
  fault::step_result started;
  try {
    started = co_await bed_.start();
  } catch (const results_error&) {
    throw;
  } catch (const invalid_scenario& thrown) {
    outcome_.is_file_wrong = true;
    started = fault::step_result{false, thrown.what()};
  } catch (const std::runtime_error& thrown) {
    // A secret that is not there, no port, no room: the surroundings, not a bug.
    started = fault::step_result{false, thrown.what()};
  }
  if (!started.is_ok) {
    outcome_.environment_problem = started.evidence;
    co_return false;
  }
  describe_bed();
  auto urls = bed_.node_urls();
  const bool is_target_fit = co_await rehearse(urls);
  if (!is_target_fit) co_return false;
  const auto keep_secret = [secrets = bed_.node_processes().secrets()](fleet_thread& there) {
    there.recorder().keep_secret(secrets);
  };
  co_await fleet_.call(keep_secret);
  co_await fleet_.make(std::move(urls));
  is_loaded_ = true;
  const auto limit = plan_.scenario.load.ramp + connect_limit;
  const bool is_connected = co_await fleet_.await(fleet_.fleet().connect_all(limit));
  if (!is_connected) {
    const fleet_status status =
        co_await fleet_.call([](fleet_thread& there) { return there.fleet().status(); });
    outcome_.environment_problem = explain_missing_joins(status);
  }
  co_return is_connected;
}

asio::awaitable<bool> engine::rehearse(std::vector<net::websocket_url> urls) {
  const auto found = co_await harness::rehearse(plan_, std::move(urls));
  for (std::size_t i = 0; i < plan_.scenario.nodes && !(found && found->is_final); ++i) {
    const std::string refused = logins_.trouble(node_id(i), fleet_.elapsed());
    if (refused.empty()) continue;
    outcome_.environment_problem = refused + (found ? "; " + found->text : "");
    co_return false;
  }
  if (!found) co_return true;
  outcome_.environment_problem = found->text;
  outcome_.is_file_wrong = found->is_file_wrong;
  co_return false;
}

void engine::describe_bed() {
  boost::json::array nodes;
  for (std::size_t i = 0; i < bed_.node_processes().node_count(); ++i) {
    nodes.push_back(boost::json::object{{"name", name_of(node_id(i))},
                                        {"port", bed_.node_processes().port(node_id(i))},
                                        {"redis_link_port", bed_.link_of(i).port()}});
  }
  results_.describe_run({{"redis", bed_.redis_description()}, {"nodes", std::move(nodes)}});
}

asio::awaitable<run_outcome> engine::run() {
  net::task_group tasks(ex_);
  tasks.spawn("signals", watch_signals());
  tasks.spawn("run", run_to_verdict(tasks));
  co_await tasks.join();
  co_return std::move(outcome_);
}

asio::awaitable<void> engine::run_to_verdict(net::task_group& background) {
  const bool is_up = co_await set_up();
  if (is_up) {
    outcome_.zero = fleet_.elapsed();
    const auto begin = [zero = outcome_.zero](fleet_thread& there) {
      there.recorder().begin(zero);
    };
    co_await fleet_.call(begin);
    view_.has_begun = true;
    co_await look_at_links(bed_, fleet_);
    background.spawn("series", keep_series());
    background.spawn("history", keep_history());
    observers_ = std::make_unique<observers>(bed_, fleet_);
    observers_->start();
    co_await go_through_phases();
    co_await recover();
    co_await drain();
    co_await probe();
    co_await observers_->stop();
  }
  if (is_loaded_) co_await fleet_.await(fleet_.fleet().stop());
  if (is_up) {
    const bool was_cut_short = cut_short_.is_set() || !outcome_.environment_problem.empty();
    const run_ended end{fleet_.elapsed(), was_cut_short, outcome_.signal,
                        outcome_.environment_problem};
    const auto judge_run = [end](fleet_thread& there) { return there.recorder().conclude(end); };
    outcome_.judged = co_await fleet_.call(judge_run);
  }
  co_await bed_.stop();
  if (!is_up) {
    const auto flush = [at = fleet_.elapsed()](fleet_thread& there) {
      there.recorder().begin(at);
      there.recorder().close();
    };
    co_await fleet_.call(flush);
  }
  // No hard stop: the series may be waiting for the other thread.
  finished_.set();
  signals_.cancel();
}

asio::awaitable<void> engine::go_through_phases() {
  nemesis_ = std::make_unique<nemesis>(
      bed_, plan_.faults,
      [this](std::size_t fault, fault::fault_state state, std::string evidence) {
        view_.fault_states[fault] = state;
        fleet_.post(fault_changed{fleet_.elapsed(), fault, state, std::move(evidence)});
      });
  const net::time_point zero = run_start_ + outcome_.zero;
  nemesis_->start(zero);
  const cpu_sample before = co_await sample_cpu();
  co_await fleet_.call([](fleet_thread& there) { there.fleet().start_publishing(); });
  for (const phase_plan& phase : plan_.phases) {
    enter_phase(phase_kind::declared, phase.name, phase.ends - phase.begins);
    const bool is_complete = co_await pause(zero + phase.ends);
    if (!is_complete) break;
  }
  const cpu_sample after = co_await sample_cpu();
  const auto deliveries = static_cast<double>(after.deliveries - before.deliveries);
  if (deliveries > 0) {
    using microseconds = std::chrono::duration<double, std::micro>;
    outcome_.cost.fleet_us = microseconds(after.fleet - before.fleet).count() / deliveries;
    if (bed_.node_processes().is_cpu_time_complete()) {
      outcome_.cost.server_us = microseconds(after.servers - before.servers).count() / deliveries;
    }
  }
}

asio::awaitable<void> engine::recover() {
  const std::chrono::nanoseconds bound = recovery_limit_;
  enter_phase(phase_kind::recovery, "recovery", bound);
  nemesis_->stop();
  co_await nemesis_->join();
  if (has_collapsed()) co_return;
  const auto begun = net::now();
  co_await wait_until([](fleet_thread& there) { return there.judge().has_recovered(); }, bound);
  const auto left = begun + recovery_traffic_min - net::now();
  co_await net::sleep_for(left);
}

asio::awaitable<void> engine::drain() {
  const std::chrono::nanoseconds bound = plan_.promises.recovery;
  enter_phase(phase_kind::drain, "drain", bound);
  co_await fleet_.call([](fleet_thread& there) { there.fleet().stop_publishing(); });
  const std::chrono::nanoseconds settle_limit =
      has_collapsed() ? std::chrono::nanoseconds(0) : bound;
  // Whoever waits for an answer waits as long as it would under load.
  const std::chrono::nanoseconds answer_limit =
      has_collapsed() ? settle_limit : plan_.scenario.load.answer_timeout;
  co_await fleet_.await(fleet_.fleet().settle(settle_limit, answer_limit));
  co_await wait_until([](fleet_thread& there) { return there.judge().open_obligations() == 0; },
                      bound);
}

asio::awaitable<void> engine::probe() {
  const std::chrono::nanoseconds bound = plan_.promises.recovery;
  if (has_collapsed()) co_return;
  enter_phase(phase_kind::probe, "probe", bound);
  // The phase event goes first: both run on the fleet's thread, in this order.
  co_await fleet_.call([](fleet_thread& there) { there.fleet().send_probes(); });
  co_await wait_until([](fleet_thread& there) { return there.judge().are_probes_complete(); },
                      bound);
  co_await fleet_.await(fleet_.fleet().settle(quiet_time));
  co_await net::sleep_for(quiet_time);
  enter_phase(phase_kind::finished, "finished", {});
}

asio::awaitable<void> engine::keep_series() {
  for (;;) {
    const bool is_over = co_await finished_.wait_for(series_interval);
    if (is_over) co_return;
    const auto sample = [](fleet_thread& there) {
      const fleet_status status = there.fleet().status();
      there.recorder().sample(there.elapsed(), status.connected);
      return status.has_failed;
    };
    const bool has_failed = co_await fleet_.call(sample);
    if (has_failed) throw std::runtime_error("the fleet stopped because of a bug");
  }
}

asio::awaitable<void> engine::keep_history() {
  for (;;) {
    const bool is_over = co_await finished_.wait_for(history_interval);
    if (is_over) co_return;
    const auto tick = [](fleet_thread& there) { there.recorder().tick(there.elapsed()); };
    co_await fleet_.call(tick);
  }
}

asio::awaitable<engine::cpu_sample> engine::sample_cpu() {
  cpu_sample sample;
  sample.servers = bed_.node_processes().cpu_time();
  const auto read = [](fleet_thread& there) {
    return std::pair(fleet_thread::cpu_time(), there.judge().current().counts.deliveries);
  };
  const auto [fleet, deliveries] = co_await fleet_.call(read);
  sample.fleet = fleet;
  sample.deliveries = deliveries;
  co_return sample;
}

asio::awaitable<engine_view> engine::view() {
  engine_view now = view_;
  now.waiting = bed_.waiting();
  now.since_zero = view_.has_begun ? fleet_.elapsed() - outcome_.zero : fleet_.elapsed();
  if (!is_loaded_) co_return now;
  const auto read = [](fleet_thread& there) {
    return std::pair(there.fleet().status(), there.judge().current());
  };
  auto [clients, progress] = co_await fleet_.call(read);
  now.clients = clients;
  now.now = progress;
  co_return now;
}

}  // namespace ordeal::harness
