#include "tests/selftest/trial.h"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace ordeal::selftest {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
using planted::bug_kind;

const fs::path binaries = ORDEAL_BINARIES;
const fs::path sources = ORDEAL_SELFTEST_SOURCES;
constexpr std::chrono::seconds run_limit(60);
constexpr std::chrono::seconds long_run_limit(280);

// A copy of its target file with the bug switched on.
fs::path target_with(const bug_kind& bug, const fs::path& directory) {
  const std::string file = std::string(bug.target) + ".yaml";
  std::string text = test::read_file(sources / file);
  const std::string_view clean = "PLANTED_BUG: none";
  const auto at = text.find(clean);
  if (at == std::string::npos)
    throw std::runtime_error(file + " does not say " + std::string(clean));
  text.replace(at, clean.size(), "PLANTED_BUG: " + std::string(bug.name));
  const fs::path path = directory / file;
  std::ofstream(path) << text;
  return path;
}

std::vector<json::object> read_lines(const fs::path& path) {
  std::vector<json::object> lines;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) lines.push_back(json::parse(line).as_object());
  return lines;
}

void read_findings(const fs::path& run, trial_result& into) {
  for (const json::object& finding : read_lines(run / "violations.jsonl")) {
    const std::string kind(finding.at("kind").as_string());
    const json::value* known_after = finding.if_contains("messages");  // left out before the first
    const auto after = known_after ? known_after->to_number<std::uint64_t>() : 0;
    const auto [known, is_first] = into.found_after.emplace(kind, after);
    if (!is_first) known->second = std::min(known->second, after);
    if (const json::value* room = finding.if_contains("room"))
      into.rooms.emplace(room->as_string());
  }
  // A loss in silence has no line of its own beside that of the loss.
  if (const auto lost = into.found_after.find("lost"); lost != into.found_after.end())
    into.found_after.emplace("silent_loss", lost->second);
}

void read_summary(const std::string& text, trial_result& into) {
  if (text.empty()) return;
  const json::value summary = json::parse(text);
  into.verdict = summary.at("verdict").as_string();
  for (const auto& [kind, count] : summary.at("findings").as_object()) {
    if (count.to_number<std::uint64_t>() > 0)
      into.findings[kind] = count.to_number<std::uint64_t>();
  }
  for (const json::value& check : summary.at("checks").as_array()) {
    if (check.at("verdict") == "fail") into.failed_checks.emplace(check.at("id").as_string());
  }
}

std::set<std::string> words(std::string_view text) {
  std::istringstream stream{std::string(text)};
  std::set<std::string> all;
  for (std::string word; stream >> word;) all.insert(word);
  return all;
}

bool is_innocent(const bug_kind& bug) {
  return bug.finding.empty();
}

std::string list_of(const std::map<std::string, std::uint64_t>& findings) {
  std::string text;
  for (const auto& [kind, count] : findings)
    text += (text.empty() ? "" : " ") + kind + ":" + std::to_string(count);
  return text.empty() ? "nothing" : text;
}

std::string padded(std::string text, std::size_t width) {
  text.resize(std::max(width, text.size()), ' ');
  return text + "  ";
}

std::string row_of(const std::string& bug, const std::string& model, const std::string& expected,
                   const std::string& found, const std::string& after, const std::string& verdict) {
  return padded(bug, 32) + padded(model, 46) + padded(expected, 12) + padded(after, 8) +
         padded(found, 44) + verdict;
}

}  // namespace

std::string complaint_about(const bug_kind& bug, const trial_result& found) {
  const int expected_exit = is_innocent(bug) ? 0 : 1;
  if (found.exit_code != expected_exit) {
    return "exit code " + std::to_string(found.exit_code) + " instead of " +
           std::to_string(expected_exit) + ", found " + list_of(found.findings);
  }
  if (!is_innocent(bug)) {
    if (!found.findings.contains(std::string(bug.finding)))
      return "no finding '" + std::string(bug.finding) + "'";
    if (!found.failed_checks.contains(std::string(bug.check)))
      return "the check '" + std::string(bug.check) + "' did not fail";
  }
  const std::set<std::string> explained = words(bug.also);
  for (const auto& [kind, count] : found.findings) {
    if (kind != bug.finding && !explained.contains(kind))
      return "unexplained: " + kind + ":" + std::to_string(count);
  }
  for (const std::string& room : found.rooms) {
    if (!bug.only_in.empty() && room != bug.only_in) return "a finding in " + room;
  }
  return {};
}

std::string table_head() {
  return row_of("bug", "modelled on", "expected", "found", "messages", "verdict");
}

std::string table_row(const bug_kind& bug, std::string_view scenario, const trial_result& found) {
  const std::string complaint = complaint_about(bug, found);
  const auto after = found.found_after.find(std::string(bug.finding));
  const std::string name =
      bug.name == "none" ? "none, " + std::string(scenario) : std::string(bug.name);
  const std::string good = is_innocent(bug) ? "acquitted" : "convicted";
  return row_of(name, std::string(bug.modelled_on.substr(0, bug.modelled_on.find(':'))),
                is_innocent(bug) ? "nothing" : std::string(bug.finding), list_of(found.findings),
                after == found.found_after.end() ? "-" : std::to_string(after->second),
                complaint.empty() ? good : "WRONG: " + complaint);
}

std::vector<trial_spec> all_trials() {
  std::vector<trial_spec> clean, guilty;
  std::set<std::string_view> scenarios;
  for (const bug_kind& each : planted::bug_kinds()) {
    if (each.scenario.empty()) continue;
    guilty.push_back({&each, std::string(each.scenario)});
    if (scenarios.insert(each.scenario).second)
      clean.push_back({planted::find_bug("none"), std::string(each.scenario)});
  }
  clean.insert(clean.end(), guilty.begin(), guilty.end());
  return clean;
}

bool is_long(const trial_spec& spec) {
  const auto& all = planted::bug_kinds();
  return std::any_of(all.begin(), all.end(), [&](const bug_kind& each) {
    return each.is_long && each.scenario == spec.scenario;
  });
}

std::string name_of(const trial_spec& spec) {
  std::string name(spec.bug->name);
  if (name == "none") name += "_" + spec.scenario;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

trial::trial(const trial_spec& spec, const fs::path& keep)
    : results_(keep.empty() ? scratch_.path() / "results" : keep / name_of(spec)),
      deadline_(std::chrono::steady_clock::now() + (is_long(spec) ? long_run_limit : run_limit)) {
  const fs::path target = target_with(*spec.bug, scratch_.path());
  const fs::path scenario = sources / (spec.scenario + ".yaml");
  run_ = std::make_unique<test::command>(
      std::vector<std::string>{(binaries / "ordeal").string(), "run", scenario.string(), "--target",
                               target.string(), "--results", results_.string()},
      scratch_.path());
}

bool trial::has_ended() {
  return run_->wait({}).has_value() || std::chrono::steady_clock::now() > deadline_;
}

trial_result trial::result() {
  trial_result found;
  found.exit_code = run_->wait(deadline_ - std::chrono::steady_clock::now()).value_or(-1);
  found.output = run_->out() + run_->err();
  if (found.exit_code < 0) return found;
  read_summary(test::read_file(results_ / "latest/summary.json"), found);
  read_findings(results_ / "latest", found);
  return found;
}

}  // namespace ordeal::selftest
