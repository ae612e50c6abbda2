#include "harness/run/run.h"

#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/system/system_error.hpp>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <new>
#include <system_error>

#include "fault-injection/process/process.h"
#include "harness/drivers/driver.h"
#include "harness/history/envelope.h"
#include "harness/run/descriptors.h"
#include "harness/run/display.h"
#include "harness/run/engine.h"
#include "harness/run/record_of.h"
#include "harness/run/requirements.h"
#include "harness/scenario/fit.h"
#include "harness/scenario/problem_list.h"
#include "harness/scenario/scenario_loader.h"
#include "harness/target/target_loader.h"
#include "harness/target/target_search.h"
#include "net/async/clock.h"
#include "net/async/log.h"
#include "net/async/random.h"
#include "net/async/run_main.h"
#include "reports/console.h"
#include "reports/junit.h"
#include "reports/summary_json.h"
#include "reports/summary_md.h"
#include "reports/text.h"

namespace ordeal::harness {
namespace fs = std::filesystem;
namespace json = boost::json;
namespace {

struct job {
  harness::scenario scenario;
  harness::target target;
};

// It may quote what a target or Redis wrote.
void say(const std::string& problem) {
  std::cerr << "error: " << report::terminal_text(problem) << std::endl;
}

bool is_refused_by_system(const std::error_code& code) {
  using std::errc;
  for (const errc each :
       {errc::too_many_files_open, errc::too_many_files_open_in_system, errc::not_enough_memory,
        errc::resource_unavailable_try_again, errc::no_buffer_space, errc::no_space_on_device,
        errc::read_only_file_system, errc::permission_denied, errc::operation_not_permitted}) {
    if (code == each) return true;
  }
  return false;
}

// What the system refuses (memory, threads, processes, descriptors, room) is no bug of ours.
exit_code code_of(const std::exception& thrown) {
  if (dynamic_cast<const results_error*>(&thrown) != nullptr) return exit_code::results_not_written;
  std::error_code why;
  if (const auto* of_std = dynamic_cast<const std::system_error*>(&thrown)) why = of_std->code();
  if (const auto* of_boost = dynamic_cast<const boost::system::system_error*>(&thrown))
    why = of_boost->code();
  if (dynamic_cast<const std::bad_alloc*>(&thrown) != nullptr)
    why = make_error_code(std::errc::not_enough_memory);
  return is_refused_by_system(why) ? exit_code::environment : exit_code::internal_error;
}

std::string sentence_of(const std::exception& thrown) {
  const exit_code code = code_of(thrown);
  if (code == exit_code::internal_error) return std::string("internal: ") + thrown.what();
  if (code != exit_code::environment) return thrown.what();
  const std::string shortage = why_out_of_descriptors();
  return std::string("the system refuses what the run needs: ") + thrown.what() +
         (shortage.empty() ? "" : "; " + shortage);
}

fs::path binaries() {
  return fs::read_symlink("/proc/self/exe").parent_path();
}

// Loads every file before anything starts; prints all problems of all of them.
std::optional<std::vector<job>> load(const run_options& options) {
  const fs::path share = find_share();
  std::vector<job> jobs;
  bool is_valid = true;
  for (const std::string& file : options.files) {
    scenario_inputs inputs;
    inputs.variables = options.variables;
    inputs.target = options.target;
    inputs.known_targets = known_targets(share);
    loaded_scenario loaded = load_scenario(file, fault::kinds(), inputs);
    if (!loaded.value) {
      std::cerr << render_all(loaded.problems, loaded.text);
      is_valid = false;
      continue;
    }
    loaded_target target = load_target(loaded.value->target_name, share, driver_names());
    if (!target.value) {
      std::cerr << render_all(target.problems, target.text);
      is_valid = false;
      continue;
    }
    const std::vector<diagnostic> problems = misfits(*loaded.value, *target.value);
    if (!problems.empty()) {
      std::cerr << render_all(problems, loaded.text);
      is_valid = false;
      continue;
    }
    jobs.push_back({std::move(*loaded.value), std::move(*target.value)});
  }
  if (!is_valid) return std::nullopt;
  return jobs;
}

// For a shell: in single quotes where a character could mean something to it.
std::string quoted(const std::string& word) {
  const bool is_plain = !word.empty() && word.find_first_not_of(
                                             "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                             "0123456789_-./:=@%+,") == std::string::npos;
  if (is_plain) return word;
  std::string result = "'";
  for (const char c : word) result += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return result + "'";
}

std::string replay_command(const job& what, const run_options& options, std::uint64_t seed) {
  std::string command =
      "ordeal run " + quoted(what.scenario.file) + " --seed " + std::to_string(seed);
  if (options.target) command += " --target " + quoted(*options.target);
  for (const auto& [name, value] : options.variables)
    command += " --set " + quoted(name + "=" + value);
  if (options.is_strict) command += " --as strict";
  return command;
}

const char* name_of(history_mode mode) {
  switch (mode) {
    case history_mode::full:
      return "full";
    case history_mode::violations:
      return "violations";
    case history_mode::none:
      break;
  }
  return "none";
}

struct finished_run {
  report::run_record record;
  exit_code code = exit_code::pass;
};

// One scenario from plan to written results.
class single_run {
 public:
  // Forks the warden: no other thread may exist.
  single_run(const job& what, const run_options& options)
      : options_(options), results_(options.results_dir), warden_(fault::warden::fork_now()) {
    const std::uint64_t seed =
        options.seed ? *options.seed : what.scenario.seed.value_or(net::random_seed() >> 32);
    plan_ = make_plan(what.scenario, what.target, seed, net::random_id(run_nonce_length));
    if (options.is_strict) plan_.promises = strict_contract();
    replay_ = replay_command(what, options, seed);
    started_at_ = net::wall_time_iso8601();
    results_.write("scenario.yaml", what.scenario.text);
    results_.describe_run({{"schema_version", 1},
                           {"state", "running"},
                           {"run_id", results_.run_id()},
                           {"scenario", plan_.scenario.name},
                           {"file", plan_.scenario.file},
                           {"target", plan_.target.name},
                           {"seed", seed},
                           {"nonce", plan_.run_nonce},
                           {"history", name_of(options.history)},
                           {"started_at", started_at_},
                           {"pid", ::getpid()},
                           {"replay", replay_}});
  }

  finished_run run() {
    try {
      return launched();
    } catch (const std::exception& thrown) {
      end_description("failed", code_of(thrown));
      throw;
    }
  }

 private:
  using asio_context = net::asio::io_context;

  finished_run launched() {
    asio_context io{1};
    const std::unique_ptr<fault::launcher> launch = warden_->make_launcher(io.get_executor());
    engine_.emplace(io, *launch, plan_, results_, options_.history, binaries(), [this](int signal) {
      const exit_code code = signal == SIGTERM ? exit_code::terminated : exit_code::interrupted;
      leave_at_once(code, "interrupted, stopping everything now");
    });
    display progress(io.get_executor(), *engine_, plan_, results_.run_id(), options_);
    run_outcome outcome;
    net::run_main(io, drive(progress, outcome));
    return conclude(outcome);
  }

  // Leaves from within the coroutine when it throws: after a bug nothing can be waited for any more.
  net::asio::awaitable<void> drive(display& progress, run_outcome& outcome) {
    const auto ex = co_await net::asio::this_coro::executor;
    net::task_group screen(ex);
    screen.spawn("display", progress.run());
    try {
      outcome = co_await engine_->run();
      progress.stop();
      co_await screen.join();
    } catch (const std::exception& thrown) {
      leave_at_once(code_of(thrown), sentence_of(thrown));
    }
  }

  finished_run conclude(run_outcome& outcome) {
    finished_run result;
    ending end;
    end.problem = outcome.environment_problem;
    if (outcome.judged) end = outcome.judged->end;
    result.record = record_of(terms_of(plan_), outcome.judged, end, facts_of(outcome));
    result.code = exit_code_of(outcome.judged, end);
    if (outcome.is_file_wrong) result.code = exit_code::invalid_file;
    result.record.exit_code = static_cast<int>(result.code);
    const std::string unwritten = engine_->load().recorder().write_error();
    engine_.reset();
    if (!outcome.environment_problem.empty()) say(outcome.environment_problem);
    if (!unwritten.empty()) results_are_incomplete(result, unwritten);
    try {
      write_reports(result.record);
    } catch (const std::exception& thrown) {
      results_are_incomplete(result, thrown.what());
      end_description("failed", result.code);
    }
    return result;
  }

  // Whatever was judged, it is not what the files hold: no report may say that all is well.
  static void results_are_incomplete(finished_run& result, const std::string& reason) {
    const std::string what = "results are incomplete: " + reason;
    say(what);
    result.code = exit_code::results_not_written;
    result.record.exit_code = static_cast<int>(result.code);
    result.record.checks.insert(result.record.checks.begin(), {"results", "error", what});
    if (result.record.verdict == "fail") return;
    result.record.verdict = "error";
    result.record.why = what;
  }

  // Of a run that cannot write all it should; there may be room for this.
  void end_description(const char* state, exit_code code) {
    try {
      results_.describe_run({{"state", state},
                             {"ended_at", net::wall_time_iso8601()},
                             {"exit_code", static_cast<int>(code)}});
    } catch (const std::exception& thrown) {
      say(thrown.what());
    }
  }

  run_facts facts_of(const run_outcome& outcome) {
    run_facts facts;
    facts.run_id = results_.run_id();
    facts.directory = results_.path().string();
    facts.redis = engine_->bed().redis_description();
    facts.replay = replay_;
    facts.started_at = started_at_;
    facts.server_cpu_us = outcome.cost.server_us;
    facts.fleet_cpu_us = outcome.cost.fleet_us;
    return facts;
  }

  void write_reports(const report::run_record& record) {
    results_.write("summary.json", report::summary_json(record));
    results_.write("junit.xml", report::junit_xml(record));
    results_.write("summary.md", report::summary_md(record));
    const char* state = record.was_interrupted  ? "interrupted"
                        : record.checks.empty() ? "failed"
                                                : "finished";
    results_.describe_run({{"state", state},
                           {"ended_at", net::wall_time_iso8601()},
                           {"exit_code", record.exit_code}});
    results_.publish();
  }

  // The second signal, one before there was load, or a bug. The warden takes every process that is left.
  [[noreturn]] void leave_at_once(exit_code code, const std::string& reason) {
    say(reason + "; what was recorded is in " + results_.path().string());
    const fs::path secrets = engine_->bed().private_path();
    const bool is_signal = code == exit_code::interrupted || code == exit_code::terminated;
    end_description(is_signal ? "interrupted" : "failed", code);
    warden_.reset();
    std::error_code ec;
    fs::remove_all(secrets, ec);
    std::_Exit(static_cast<int>(code));
  }

  const run_options& options_;
  results_directory results_;
  std::optional<fault::warden> warden_;
  plan plan_;
  std::string replay_, started_at_;
  std::optional<engine> engine_;
};

void write_copy(const fs::path& path, const std::string& content) {
  std::ofstream file(path, std::ios::trunc);
  file << content;
  if (!file.flush()) throw results_error("cannot write " + path.string());
}

// How the run counts in the last line: a partial run in which nothing was found is no pass.
std::string verdict_word(const finished_run& done) {
  const bool is_cut_short = done.record.verdict == "pass" && done.code != exit_code::pass;
  return is_cut_short ? "inconclusive" : done.record.verdict;
}

exit_code run_jobs(const std::vector<job>& jobs, const run_options& options) {
  const report::style style = choose_style(options.color, STDOUT_FILENO);
  report::result_counts counts;
  exit_code code = exit_code::pass;
  std::vector<report::run_record> records;
  for (const job& next : jobs) {
    if (const auto refusal = why_refused(next.scenario)) {
      say("refused: " + *refusal);
      code = worst_of(code, exit_code::refused);
      ++counts.failed;
      continue;
    }
    if (const auto missing = why_skipped(next.scenario, next.target)) {
      std::cerr << "skipped: " << next.scenario.name << ": " << *missing << std::endl;
      ++counts.skipped;
      continue;
    }
    const std::string shortage = provide_descriptors(descriptors_needed(next.scenario));
    if (!shortage.empty()) {
      say(next.scenario.name + ": " + shortage);
      code = worst_of(code, exit_code::environment);
      ++counts.failed;
      continue;
    }
    const finished_run done = single_run(next, options).run();
    code = worst_of(code, done.code);
    counts.add(verdict_word(done));
    records.push_back(done.record);
    if (options.format == output_format::json) {
      std::cout << report::summary_json(done.record) << std::flush;
    } else {
      std::cout << report::render_summary(done.record, style) << std::flush;
    }
    if (done.record.was_interrupted) break;
  }
  try {
    if (!options.junit_file.empty()) write_copy(options.junit_file, report::junit_xml(records));
  } catch (const results_error& thrown) {
    say(thrown.what());
    code = worst_of(code, exit_code::results_not_written);
  }
  if (options.format == output_format::text) {
    std::cout << report::result_line(counts) << '\n' << std::flush;
  }
  return records.empty() && code == exit_code::pass ? exit_code::nothing_ran : code;
}

}  // namespace

exit_code run_scenarios(const run_options& options) {
  net::log_level level{};
  if (net::parse_log_level(options.log_level, level)) net::set_log_level(level);
  const auto jobs = load(options);
  if (!jobs) return exit_code::invalid_file;
  try {
    return run_jobs(*jobs, options);
  } catch (const std::exception& thrown) {
    say(sentence_of(thrown));
    return code_of(thrown);
  }
}

}  // namespace ordeal::harness
