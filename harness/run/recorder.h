// Where all events of a run meet, on the fleet's thread: they go on to the judge and, but for sends and deliveries, to
// events.jsonl. Time zero moves here from the start of the set-up to the start of the first declared phase, so that
// everything people read counts from there; what came before has negative times.
#pragma once

#include <filesystem>
#include <memory>
#include <vector>

#include "harness/checkers/judge.h"
#include "harness/history/event.h"
#include "harness/scenario/plan.h"
#include "reports/jsonl.h"

namespace ordeal::harness {

class recorder final : public event_sink {
 public:
  // `what` outlives the recorder; files are made in `directory`.
  recorder(const plan& what, const std::filesystem::path& directory);

  void on(const event& what) override;

  // From now on events go to the judge at once; those of the set-up are handed over first.
  void begin(run_time zero);
  bool has_begun() const { return has_begun_; }

  harness::judge& judge() { return *judge_; }

  // One line of series.jsonl.
  void sample(run_time at, std::size_t connected);

  // The first write that failed, as a sentence; empty when none did.
  std::string write_error() const;

 private:
  void pass_on(event what);
  void write_event(const event& what);
  void write_finding(const finding& what);

  const plan& plan_;
  report::jsonl_writer events_, violations_, series_;
  std::unique_ptr<harness::judge> judge_;
  std::vector<event> setup_;
  run_time zero_{};
  bool has_begun_ = false;
};

// How a finding reads in reports: names instead of numbers.
report::finding_row row_of(const finding& what, const plan& in);

}  // namespace ordeal::harness
