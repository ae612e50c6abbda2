#include "harness/run/verify.h"

#include <unistd.h>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value_to.hpp>
#include <fstream>
#include <iostream>
#include <iterator>
#include <optional>

#include "harness/run/comparison.h"
#include "harness/run/display.h"
#include "harness/run/record_of.h"
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

// Why this run cannot be judged again, what to do about it, and how the command ends then.
struct refusal {
  exit_code code = exit_code::inconclusive;
  std::string problem, remedy;
};

std::optional<std::string> read_whole(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  return std::string(std::istreambuf_iterator<char>(file), {});
}

// A member of a page, when it is there and a text.
std::string text_of(const json::object& page, std::string_view key) {
  const json::value* found = page.if_contains(key);
  return found != nullptr && found->is_string() ? std::string(found->as_string()) : std::string();
}

std::optional<double> number_of(const json::object& page, std::string_view key) {
  const json::value* found = page.if_contains(key);
  if (found == nullptr || !found->is_number()) return std::nullopt;
  return found->to_number<double>();
}

// The directory of a run as it lies there.
struct stored_run {
  fs::path path;
  json::object description;            // run.json
  std::optional<json::value> summary;  // a run that was killed has none
};

fs::path find_run(const fs::path& given) {
  std::error_code ec;
  if (!fs::exists(given, ec)) {
    throw refusal{exit_code::bad_command_line, "there is no '" + given.string() + "'",
                  "give the directory of a run, such as results/latest"};
  }
  if (!fs::exists(given / "run.json", ec)) {
    const bool has_runs = fs::exists(given / "latest" / "run.json", ec);
    throw refusal{
        exit_code::bad_command_line,
        "'" + given.string() + "' is not the directory of a run: it has no run.json",
        "give one, such as " + (has_runs ? given : fs::path("results")).string() + "/latest"};
  }
  return fs::canonical(given);
}

stored_run read_run(const fs::path& given) {
  stored_run run;
  run.path = find_run(given);
  try {
    run.description = json::parse(read_whole(run.path / "run.json").value_or("")).as_object();
    if (const auto page = read_whole(run.path / "summary.json")) run.summary = json::parse(*page);
  } catch (const std::exception& thrown) {
    throw refusal{
        exit_code::inconclusive,
        "run.json or summary.json of " + run.path.string() + " cannot be read: " + thrown.what(),
        "they are written by `ordeal run` alone"};
  }
  return run;
}

std::string run_again(const stored_run& run) {
  const std::string replay = text_of(run.description, "replay");
  return "run it again" + (replay.empty() ? "" : ": " + replay);
}

std::unique_ptr<history_reader> open_history(const stored_run& run) {
  if (text_of(run.description, "history") == "none") {
    throw refusal{exit_code::inconclusive,
                  "this run kept no history (--history none), so it cannot be judged again",
                  run_again(run)};
  }
  const fs::path directory = run.path / "history";
  std::error_code ec;
  if (!fs::exists(directory, ec)) {
    throw refusal{
        exit_code::inconclusive,
        "there is no " + directory.string() + ": without its history a run cannot be judged again",
        run_again(run)};
  }
  std::unique_ptr<history_reader> history;
  try {
    history = history_reader::open(directory);
  } catch (const std::exception& thrown) {
    throw refusal{exit_code::inconclusive, thrown.what(), run_again(run)};
  }
  if (history->mode() != history_mode::full) {
    throw refusal{exit_code::inconclusive,
                  "this run kept only what lies around its findings (--history violations): too "
                  "little to judge it again",
                  run_again(run)};
  }
  return history;
}

terms terms_in(const history_reader& history, bool is_strict) {
  try {
    terms what = parse_terms(history.header());
    if (is_strict) what.promises = strict_contract();
    return what;
  } catch (const std::exception& thrown) {
    throw refusal{exit_code::inconclusive, thrown.what(),
                  "judge it with the version of ordeal that ran it"};
  }
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

// Why not all of the run was judged; empty: all of it was.
std::string what_is_missing(const history_reader& history, const ending& end) {
  if (!history.holes().empty()) {
    const history_hole& hole = history.holes().front();
    return std::to_string(hole.events) + " events after " +
           report::moment_text(seconds(hole.from)) +
           " are not in the history, because the disk did not keep up; what comes before them is "
           "judged";
  }
  if (const auto damage = history.damage()) {
    return damage->file + " at byte " + std::to_string(damage->offset) + ": " + damage->what +
           "; what comes before it is judged";
  }
  if (!end.is_torn) return {};
  return "the history stops before the end of the run, which was killed or still goes on; what is "
         "there is judged";
}

run_facts facts_of(const stored_run& run) {
  run_facts facts;
  facts.run_id = text_of(run.description, "run_id");
  facts.directory = run.path.string();
  facts.redis = text_of(run.description, "redis");
  facts.replay = text_of(run.description, "replay");
  facts.started_at = text_of(run.description, "started_at");
  const json::value* cost = run.summary && run.summary->is_object()
                                ? run.summary->as_object().if_contains("cost")
                                : nullptr;
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

comparison compare(const stored_run& run, const std::string& page, bool is_strict, bool is_whole) {
  if (!run.summary) return {"no verdict was recorded: the run did not come to its end"};
  const std::vector<std::string> found = differences(*run.summary, json::parse(page));
  if (found.empty()) return {"the same verdict as recorded"};
  const std::string list = join(found, "; ");
  if (is_strict) return {"by the strict contract, compared with the verdict recorded: " + list};
  if (is_whole) return {"NOT the verdict recorded: " + list, true};
  // Of half a run the counts are others in any case.
  return {
      "of a part of the history: " + json::value_to<std::string>(json::parse(page).at("verdict")) +
      "; recorded was " + json::value_to<std::string>(run.summary->at("verdict"))};
}

void tell(const std::string& problem, const std::string& remedy) {
  std::cerr << "error: " << problem << "\n";
  if (!remedy.empty()) std::cerr << "  = " << remedy << "\n";
}

exit_code verify(const verify_options& options) {
  const stored_run run = read_run(options.run);
  const std::unique_ptr<history_reader> history = open_history(run);
  const terms what = terms_in(*history, options.is_strict);
  const judgement judged = judge_again(run, *history, what);
  const std::string missing = what_is_missing(*history, judged.end);
  if (!missing.empty()) std::cerr << "warning: " << missing << std::endl;
  const report::run_record record = record_of(what, judged, judged.end, facts_of(run));
  const std::string page = report::summary_json(record);
  const comparison compared = compare(run, page, options.is_strict, missing.empty());
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
  try {
    return verify(options);
  } catch (const refusal& why) {
    tell(why.problem, why.remedy);
    return why.code;
  } catch (const std::exception& thrown) {
    tell(std::string("internal: ") + thrown.what(), {});
    return exit_code::internal_error;
  }
}

}  // namespace ordeal::harness
