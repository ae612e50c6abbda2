// All events of a run meet here, on the fleet's thread: they go to the history, to the judge and, but for sends and
// deliveries and what observers tell, to events.jsonl. Time zero moves here from the start of the set-up to the start
// of the first declared phase, so that everything people read counts from there; what came before has negative times.
#pragma once

#include <filesystem>
#include <memory>
#include <vector>

#include "harness/checkers/judge.h"
#include "harness/history/history_file.h"
#include "harness/history/reason_text.h"
#include "harness/scenario/terms.h"
#include "reports/jsonl.h"

namespace ordeal::harness {

class recorder final : public event_sink {
 public:
  // Files are made in `directory`; the history has its own place.
  recorder(terms of, const std::filesystem::path& directory,
           std::unique_ptr<history_writer> history);

  void on(const event& what) override;

  // From now on events go to the judge at once; those of the set-up are handed over first.
  void begin(run_time zero);
  bool has_begun() const { return has_begun_; }

  // What no text that was heard may show.
  void keep_secret(std::vector<std::string> secrets) { secrets_ = std::move(secrets); }

  harness::judge& judge() { return *judge_; }

  // A few times a second: brings the history to the disk, and tells the judge of what it had no room for.
  void tick(run_time at);

  // The last event, and the verdict on all of them. What still comes goes to events.jsonl only.
  judgement conclude(run_ended end);
  // The same for a run that never got as far as load.
  void close();

  // One line of series.jsonl.
  void sample(run_time at, std::size_t connected);

  // The first write that failed, as a sentence; empty when none did.
  std::string write_error() const;

 private:
  void pass_on(event what);
  void write_event(const event& what);
  void write_finding(const finding& what);

  const terms terms_;
  report::jsonl_writer events_, violations_, series_;
  std::unique_ptr<history_writer> history_;
  std::uint64_t dropped_events_ = 0;  // of the history, as far as the judge knows
  std::unique_ptr<harness::judge> judge_;
  std::vector<event> setup_;
  std::vector<std::string> secrets_;
  reason_bounds reasons_;
  run_time zero_{};
  bool has_begun_ = false, is_over_ = false;
};

}  // namespace ordeal::harness
