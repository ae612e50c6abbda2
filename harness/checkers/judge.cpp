#include "harness/checkers/judge.h"

#include <algorithm>
#include <exception>

#include "harness/checkers/checkers.h"
#include "harness/checkers/observed.h"

namespace ordeal::harness {
namespace {

double milliseconds(std::chrono::nanoseconds value) {
  return std::chrono::duration<double, std::milli>(value).count();
}

// Worst first: what `why` is about when several checks failed.
constexpr std::array severity{"integrity",  "isolation", "delivery",    "acknowledgement",
                              "duplicates", "order",     "total_order", "nodes",
                              "probe",      "liveness",  "late",        "recovery",
                              "honesty",    "resources", "connections"};

std::size_t severity_of(const check_result& check) {
  const auto it = std::find(severity.begin(), severity.end(), check.id);
  return static_cast<std::size_t>(it - severity.begin());
}

class streaming_judge final : public judge {
 public:
  streaming_judge(terms of, std::function<void(const finding&)> on_finding,
                  std::function<void()> on_suspicion)
      : terms_(std::move(of)),
        book_(terms_),
        times_(terms_, book_),
        around_(book_, std::move(on_suspicion)),
        reach_(terms_),
        found_(terms_, std::move(on_finding)) {
    const bench& at = bench_;
    for (auto make :
         {make_delivery,   make_honesty, make_acknowledgement, make_late,      make_liveness,
          make_duplicates, make_order,   make_total_order,     make_integrity, make_isolation,
          make_recovery,   make_probe,   make_nodes,           make_resources, make_connections,
          make_backplane,  make_faults,  make_traffic,         make_generator, make_observer,
          make_clock}) {
      checks_.push_back({make(at), {}});
    }
    for (auto& row : make_expectations(at)) checks_.push_back({std::move(row), {}});
  }

  void on(const event& what) override {
    std::visit(
        [this](const auto& of) {
          end_.at = std::max(end_.at, of.at);
          fold(of);
        },
        what);
    if (const auto* last = std::get_if<run_ended>(&what)) {
      end_ = {last->at, false, last->was_cut_short, last->signal, last->problem};
    }
  }

  progress current() const override {
    progress now;
    now.counts = counts();
    now.findings = found_.counts();
    now.missing = book_.owed();
    now.latency = latency();
    now.lag_p99_ms = milliseconds(times_.lag().quantile(0.99));
    return now;
  }

  std::uint64_t open_obligations() const override { return book_.owed() + book_.unsettled(); }
  bool has_recovered() const override { return book_.faults().has_recovered(); }
  bool are_probes_complete() const override { return book_.are_probes_complete(); }

  judgement finish() override {
    judgement end;
    end.end = end_;
    for (guarded& each : checks_) end.checks.push_back(finish(each, end_.at));
    doubt_times(end.checks);
    end.result = overall(end.checks);
    end.findings = found_.counts();
    end.examples = found_.examples();
    for (finding& each : end.examples) add_log(each);
    end.reasons = heard_.all();
    for (std::size_t f = 0; f < terms_.faults.size(); ++f) end.faults.push_back(judge_fault(f));
    end.counts = counts();
    end.latency = latency();
    end.lag_p99_ms = milliseconds(times_.lag().quantile(0.99));
    end.sends_skipped = times_.skipped();
    if (!has_broken_down()) end.observed = describe_observed(bench_);
    end.why = why(end);
    return end;
  }

 private:
  // What the node of a finding said in its outage, and around the finding itself.
  void add_log(finding& what) const {
    constexpr std::chrono::seconds before{2}, after{4};
    if (!what.node) return;
    auto around = what.around ? std::make_shared<surroundings>(*what.around)
                              : std::make_shared<surroundings>();
    const run_time from = std::min(around->window_begins.value_or(what.at), what.at) - before;
    const run_time until = std::max(around->window_ends.value_or(what.at), what.at) + after;
    around->log = heard_.said_by(*what.node, from, until);
    if (!around->log.empty()) what.around = std::move(around);
  }

  struct guarded {
    std::unique_ptr<checker> check;
    std::string problem;  // of an exception; it gets no more events then
  };

  template <class Event>
  void fold(const Event& of) {
    if (!book_problem_.empty()) return;
    try {
      book_.on(of);
      times_.on(of);
      around_.on(of);
      reach_.on(of);
      heard_.on(of);
    } catch (const std::exception& ex) {
      book_problem_ = ex.what();
      return;
    }
    for (guarded& each : checks_) {
      if (!each.problem.empty()) continue;
      try {
        each.check->on(of);
      } catch (const std::exception& ex) {
        each.problem = ex.what();
      }
    }
  }

  check_result finish(guarded& each, run_time at) const {
    check_result result{each.check->id(), verdict::inconclusive, {}};
    try {
      if (book_problem_.empty() && each.problem.empty()) return each.check->finish(at);
    } catch (const std::exception& ex) {
      each.problem = ex.what();
    }
    result.detail =
        "the checker broke down: " + (each.problem.empty() ? book_problem_ : each.problem);
    return result;
  }

  bool has_broken_down() const {
    return !book_problem_.empty() ||
           std::any_of(checks_.begin(), checks_.end(),
                       [](const guarded& each) { return !each.problem.empty(); });
  }

  // A bound that was missed proves nothing when the harness could not keep its own time: the delay may be ours.
  void doubt_times(std::vector<check_result>& results) const {
    constexpr std::array timed{"recovery", "late", "liveness"};
    for (std::size_t i = 0; i < checks_.size(); ++i) {
      if (!checks_[i].check->casts_doubt_on_times()) continue;
      for (check_result& each : results) {
        if (each.result != verdict::fail) continue;
        if (std::find(timed.begin(), timed.end(), each.id) == timed.end()) continue;
        each.result = verdict::inconclusive;
        each.detail += "; but " + results[i].id + ": " + results[i].detail;
      }
    }
  }

  verdict overall(const std::vector<check_result>& checks) const {
    const auto has = [&checks](verdict value) {
      return std::any_of(checks.begin(), checks.end(),
                         [value](const check_result& c) { return c.result == value; });
    };
    if (has(verdict::fail)) return verdict::fail;
    if (end_.was_cut_short || has(verdict::inconclusive) || has(verdict::error))
      return verdict::inconclusive;
    return verdict::pass;
  }

  fault_judgement judge_fault(std::size_t fault) const {
    const fault_course& course = book_.faults().courses()[fault];
    fault_judgement row;
    row.state = course.state;
    row.active_at = course.active_at;
    row.healed_at = course.healed_at;
    for (const node_course& node : course.nodes) row.recovery.push_back(node.took);
    row.touched = reach_.touched(fault);
    row.findings = found_.count_in_fault(fault);
    row.evidence = course.evidence;
    return row;
  }

  totals counts() const {
    const send_totals& from = book_.totals();
    return {from.sent, from.ok, from.fail, from.info, from.obligations, from.met, from.arrivals};
  }

  latency_summary latency() const {
    latency_summary summary;
    summary.p50_ms = milliseconds(times_.latency().quantile(0.5));
    summary.p99_ms = milliseconds(times_.latency().quantile(0.99));
    summary.max_ms = milliseconds(times_.latency().max());
    if (times_.steady_latency().count() > 0) {
      summary.steady_p99_ms = milliseconds(times_.steady_latency().quantile(0.99));
    }
    summary.count = times_.latency().count();
    return summary;
  }

  std::string why(const judgement& end) const {
    if (end.result == verdict::pass) return {};
    const check_result* worst = nullptr;
    for (const check_result& check : end.checks) {
      const bool is_relevant =
          end.result == verdict::fail
              ? check.result == verdict::fail
              : check.result == verdict::inconclusive || check.result == verdict::error;
      if (is_relevant && (worst == nullptr || severity_of(check) < severity_of(*worst)))
        worst = &check;
    }
    if (worst == nullptr) return "the run was cut short, so it proves nothing";
    const auto is_unused = [](const check_result& check) {
      return check.id == "backplane" && check.detail.starts_with(backplane_unused);
    };
    const bool has_no_backplane =
        worst->id != "backplane" && std::any_of(end.checks.begin(), end.checks.end(), is_unused);
    return (has_no_backplane ? std::string(backplane_unused) + "; " : "") + worst->id + ": " +
           worst->detail;
  }

  const terms terms_;
  ledger book_;
  timings times_;
  context around_;
  reach reach_;
  reasons heard_;
  tally found_;
  ending end_{{}, true, true, 0, {}};  // until run_ended says otherwise
  const bench bench_{terms_, book_, times_, around_, reach_, found_, end_};
  std::vector<guarded> checks_;
  std::string book_problem_;
};

}  // namespace

std::chrono::nanoseconds recovery_limit(const terms& of) {
  std::size_t seats = 0;
  for (const seat_terms& client : of.clients) seats += client.is_deputy ? 0 : client.rooms.size();
  // Random gaps add up to more than three times their mean only once in a great while.
  const std::size_t rounds = of.arrival == arrival_kind::poisson ? 3 : 1;
  return of.promises.recovery + slowest_send_period(of) * static_cast<std::int64_t>(seats * rounds);
}

std::unique_ptr<judge> judge::make(terms of, std::function<void(const finding&)> on_finding,
                                   std::function<void()> on_suspicion) {
  return std::make_unique<streaming_judge>(std::move(of), std::move(on_finding),
                                           std::move(on_suspicion));
}

}  // namespace ordeal::harness
