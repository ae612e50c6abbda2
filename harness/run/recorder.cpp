#include "harness/run/recorder.h"

#include <boost/json/object.hpp>

#include "harness/history/event_words.h"
#include "harness/run/record_of.h"
#include "harness/seconds.h"

namespace ordeal::harness {
namespace {

namespace json = boost::json;

template <class... F>
struct overloaded : F... {
  using F::operator()...;
};
template <class... F>
overloaded(F...) -> overloaded<F...>;  // TOOLCHAIN(clang-14): not yet deduced for aggregates

}  // namespace

recorder::recorder(terms of, const std::filesystem::path& directory,
                   std::unique_ptr<history_writer> history)
    : terms_(std::move(of)),
      events_(directory / "events.jsonl"),
      violations_(directory / "violations.jsonl"),
      series_(directory / "series.jsonl"),
      history_(std::move(history)),
      judge_(harness::judge::make(
          terms_, [this](const finding& found) { write_finding(found); },
          [this] { history_->keep_surroundings(); })) {}

void recorder::on(const event& what) {
  if (has_begun_) {
    pass_on(what);
  } else {
    setup_.push_back(what);
  }
}

void recorder::begin(run_time zero) {
  zero_ = zero;
  has_begun_ = true;
  for (event& early : setup_) pass_on(std::move(early));
  setup_ = {};
}

void recorder::pass_on(event what) {
  std::visit([this](auto& of) { of.at -= zero_; }, what);
  if (auto* sent = std::get_if<send_invoked>(&what)) sent->intended -= zero_;
  if (auto* arrived = std::get_if<delivered>(&what)) arrived->intended -= zero_;
  if (auto* heard = std::get_if<reason_heard>(&what))
    heard->text = reasons_.admit(heard->kind, reason_text(heard->text, secrets_));
  write_event(what);
  if (is_over_) return;
  history_->on(what);
  judge_->on(what);
}

void recorder::tick(run_time at) {
  if (is_over_) return;
  history_->tick();
  const std::uint64_t dropped = history_->dropped_events();
  if (dropped == dropped_events_) return;
  observer_usage full_queue;
  full_queue.at = at;
  full_queue.overflowed = dropped - dropped_events_;
  dropped_events_ = dropped;
  on(full_queue);
}

judgement recorder::conclude(run_ended end) {
  tick(end.at);
  on(std::move(end));
  judgement judged = judge_->finish();
  close();
  return judged;
}

void recorder::close() {
  // The judge's last findings may have had their surroundings written: the history ends after it.
  is_over_ = true;
  history_->finish();
}

void recorder::write_event(const event& what) {
  json::object line;
  const auto put = [&line](const char* kind, run_time at) {
    line["t"] = seconds(at);
    line["event"] = kind;
  };
  std::visit(overloaded{
                 [&](const fault_changed& of) {
                   put("fault", of.at);
                   line["fault"] = terms_.faults[of.fault].name;
                   line["kind"] = terms_.faults[of.fault].kind;
                   line["state"] = fault::name_of(of.state);
                   if (!of.evidence.empty()) line["evidence"] = of.evidence;
                 },
                 [&](const node_changed& of) {
                   put("node", of.at);
                   line["node"] = harness::name_of(of.node);
                   line["state"] = word_of(of.state);
                   line["planned"] = of.was_planned;
                   line["detail"] = of.detail;
                 },
                 [&](const phase_changed& of) {
                   put("phase", of.at);
                   line["phase"] = of.name;
                   line["kind"] = word_of(of.kind);
                 },
                 [&](const reset_received& of) {
                   put("reset", of.at);
                   line["client"] = harness::name_of(of.client);
                   line["room"] = harness::name_of(of.room);
                 },
                 [&](const clock_jumped& of) {
                   put("clock", of.at);
                   line["step_s"] = seconds(of.step);
                   line["suspended"] = of.was_suspended;
                 },
                 [&](const run_ended& of) {
                   put("end", of.at);
                   line["cut_short"] = of.was_cut_short;
                   if (of.signal != 0) line["signal"] = of.signal;
                   if (!of.problem.empty()) line["problem"] = of.problem;
                 },
                 [](const auto&) {},
             },
             what);
  if (!line.empty()) events_.append(line);
}

void recorder::write_finding(const finding& what) {
  history_->keep_surroundings();
  violations_.append(report::to_json(row_of(what, terms_)));
}

void recorder::sample(run_time at, std::size_t connected) {
  const progress now = judge_->current();
  series_.append(json::object{{"t", seconds(at - zero_)},
                              {"connected", connected},
                              {"sent", now.counts.sent},
                              {"ok", now.counts.ok},
                              {"deliveries", now.counts.deliveries},
                              {"missing", now.missing},
                              {"p50_ms", now.latency.p50_ms},
                              {"p99_ms", now.latency.p99_ms},
                              {"lag_p99_ms", now.lag_p99_ms}});
}

std::string recorder::write_error() const {
  for (const report::jsonl_writer* each : {&events_, &violations_, &series_}) {
    if (!each->error().empty()) return each->error();
  }
  return history_->error();
}

}  // namespace ordeal::harness
