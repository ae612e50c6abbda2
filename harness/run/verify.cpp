#include "harness/run/verify.h"

#include <unistd.h>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value_to.hpp>
#include <iostream>
#include <optional>

#include "harness/run/comparison.h"
#include "harness/run/display.h"
#include "harness/run/record_of.h"
#include "harness/run/stored_run.h"
#include "harness/scenario/spelling.h"
#include "harness/seconds.h"
#include "harness/target/contract.h"
#include "reports/console.h"
#include "reports/summary_json.h"
#include "reports/text.h"

namespace ordeal::harness {
namespace fs = std::filesystem;
namespace json = boost::json;
namespace {

// What the run itself came to; a run that was killed has none.
std::optional<json::value> read_summary(const stored_run& run) {
  const fs::path page = run.path / "summary.json";
  std::error_code ec;
  if (!fs::exists(page, ec)) return std::nullopt;
  const std::string remedy = "move it away, and the run is judged without it";
  const json::value summary = read_object(page, remedy);
  try {
    differences(summary, summary);
  } catch (const std::exception&) {
    throw unreadable(page, "it is no summary of a run", remedy);
  }
  return summary;
}

std::unique_ptr<history_reader> open_whole_history(const stored_run& run) {
  std::unique_ptr<history_reader> history = open_history(run);
  if (history->mode() == history_mode::full) return history;
  throw refusal{
      exit_code::inconclusive,
      "this run kept only what lies around its findings (--history violations): too little to "
      "judge it again",
      "`ordeal history " + run.path.string() + "` shows what there is, " +
          (run.path / "violations.jsonl").string() + " tells what was found, or " + run_again(run)};
}

refusal never_began(const stored_run& run) {
  const auto code = number_of(run.description, "exit_code");
  const bool was_environment = code && static_cast<exit_code>(*code) == exit_code::environment;
  return {was_environment ? exit_code::environment : exit_code::nothing_ran,
          "this run never began its load: there is nothing to judge",
          "its " + (run.path / "events.jsonl").string() + " and logs tell how far it came"};
}

bool is_begin_of_load(const event& what) {
  const auto* phase = std::get_if<phase_changed>(&what);
  return phase != nullptr && phase->kind == phase_kind::declared;
}

judgement judge_again(const stored_run& run, history_reader& history, const terms& what) {
  const std::unique_ptr<judge> bench = judge::make(what, {});
  bool has_begun = false;
  while (const std::optional<event> next = history.next()) {
    // What is not there could look like a loss: nothing behind it counts.
    if (!history.holes().empty()) break;
    has_begun = has_begun || is_begin_of_load(*next);
    bench->on(*next);
  }
  if (!has_begun) throw never_began(run);
  return bench->finish();
}

// Why not all of the run was judged, or its history is not what the run left behind; empty: all is there.
std::string what_is_missing(const stored_run& run, const history_reader& history,
                            const ending& end) {
  if (!history.holes().empty()) {
    const history_hole& hole = history.holes().front();
    return std::to_string(hole.events) + " events after " +
           report::moment_text(seconds(hole.from)) +
           " are not in the history, because the disk did not keep up; what comes before them is "
           "judged";
  }
  if (const auto damage = history.damage()) {
    return text_of(*damage) + "; what comes before it is judged";
  }
  if (end.is_torn) {
    return "the history stops before the end of the run, which was killed or still goes on; what "
           "is there is judged";
  }
  // The last steps of a run can still find that it proves nothing.
  if (text_of(run.description, "state") != "running") return {};
  return "the run was killed before it had a verdict, or still goes on: run.json says 'running'";
}

// What is not whole can convict, and never acquit.
void withhold_acquittal(judgement& judged, const std::string& missing) {
  if (missing.empty()) return;
  judged.checks.push_back({"history", verdict::inconclusive, missing});
  if (judged.result != verdict::pass) return;
  judged.result = verdict::inconclusive;
  judged.why = missing;
}

run_facts facts_of(const stored_run& run, const std::optional<json::value>& summary) {
  run_facts facts;
  facts.run_id = text_of(run.description, "run_id");
  facts.directory = run.path.string();
  facts.redis = text_of(run.description, "redis");
  facts.replay = text_of(run.description, "replay");
  facts.started_at = text_of(run.description, "started_at");
  const json::value* cost = summary ? summary->as_object().if_contains("cost") : nullptr;
  if (cost != nullptr && cost->is_object()) {
    facts.server_cpu_us = number_of(cost->as_object(), "server_cpu_us_per_delivery");
    facts.fleet_cpu_us = number_of(cost->as_object(), "fleet_cpu_us_per_delivery");
  }
  return facts;
}

// How the judgement compares with the one that the run came to.
struct comparison {
  std::string line;
  bool is_contradiction = false;  // two verdicts on the same events by the same contract
};

comparison compare(const stored_run& run, const std::optional<json::value>& recorded,
                   const std::string& page, bool is_strict, bool is_whole) {
  if (!recorded) {
    return {"no verdict was recorded: there is no summary.json, and run.json says '" +
            text_of(run.description, "state") + "'"};
  }
  const std::vector<std::string> found = differences(*recorded, json::parse(page));
  if (found.empty()) {
    return {std::string(is_strict ? "by the strict contract, " : "") +
            "the same verdict as recorded"};
  }
  const std::string list = join(found, "; ");
  if (is_strict) return {"by the strict contract, compared with the verdict recorded: " + list};
  if (is_whole) return {"NOT the verdict recorded: " + list, true};
  // Of half a run the counts are others in any case.
  return {
      "of a part of the history: " + json::value_to<std::string>(json::parse(page).at("verdict")) +
      "; recorded was " + json::value_to<std::string>(recorded->at("verdict"))};
}

exit_code verify(const verify_options& options) {
  const stored_run run = read_run(options.run);
  const std::optional<json::value> summary = read_summary(run);
  const std::unique_ptr<history_reader> history = open_whole_history(run);
  terms what = terms_in(*history);
  if (options.is_strict) what.promises = strict_contract();
  judgement judged = judge_again(run, *history, what);
  const std::string missing = what_is_missing(run, *history, judged.end);
  withhold_acquittal(judged, missing);
  if (!missing.empty()) std::cerr << "warning: " << missing << std::endl;
  const report::run_record record = record_of(what, judged, judged.end, facts_of(run, summary));
  const std::string page = report::summary_json(record);
  const comparison compared = compare(run, summary, page, options.is_strict, missing.empty());
  if (options.format == output_format::json) {
    std::cout << page << std::flush;
    std::cerr << compared.line << std::endl;
  } else {
    report::result_counts counts;
    counts.add(record.verdict);
    std::cout << report::render_summary(record, choose_style(options.color, STDOUT_FILENO))
              << "VERIFY " << compared.line << '\n'
              << report::result_line(counts) << '\n'
              << std::flush;
  }
  if (!compared.is_contradiction) return static_cast<exit_code>(record.exit_code);
  tell("the judgement is " + compared.line,
       "files of the run were changed, this version judges otherwise than the one that ran it, or "
       "this is a bug of ordeal");
  return exit_code::internal_error;
}

}  // namespace

exit_code verify_run(const verify_options& options) {
  return run_or_refuse([&] { return verify(options); });
}

}  // namespace ordeal::harness
