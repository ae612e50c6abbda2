#include "reports/summary_md.h"

#include "reports/text.h"

namespace ordeal::report {
namespace {

constexpr std::size_t page_bytes_max = 128 * 1024;
constexpr std::size_t cell_bytes_max = 512;

// One line that cannot end a table cell, start a tag or be taken for markup.
std::string cell(std::string_view text) {
  std::string safe;
  for (const char c : capped(clean_text(text), cell_bytes_max)) {
    if (c == '\n' || c == '\r') {
      safe += ' ';
    } else if (c == '<') {
      safe += "&lt;";
    } else {
      if (c == '|' || c == '`' || c == '*' || c == '_' || c == '[' || c == '\\') safe += '\\';
      safe += c;
    }
  }
  return safe;
}

std::string seconds_or_dash(const std::optional<double>& seconds) {
  return seconds ? duration_text(*seconds) : "–";
}

std::string slowest_recovery(const fault_row& fault) {
  std::optional<double> slowest;
  for (const auto& [node, seconds] : fault.recovery_s) {
    if (seconds && (!slowest || *seconds > *slowest)) slowest = seconds;
  }
  return seconds_or_dash(slowest);
}

std::string fault_table(const run_record& run) {
  if (run.faults.empty()) return {};
  std::string text =
      "\n| Fault | Kind | Target | Could touch | State | Planned | In effect | Healed | Recovered "
      "after | Findings |\n"
      "| --- | --- | --- | --- | --- | ---: | ---: | ---: | ---: | ---: |\n";
  for (const fault_row& fault : run.faults) {
    text += "| " + cell(fault.name) + " | " + cell(fault.kind) + " | " + cell(fault.target) +
            " | " + (fault.could_touch ? cell(touched_text(*fault.could_touch, run.nodes)) : "–") +
            " | " + cell(fault.state) + " | " + duration_text(fault.planned_s) + " | " +
            seconds_or_dash(fault.active_s) + " | " + seconds_or_dash(fault.healed_s) + " | " +
            slowest_recovery(fault) + " | " + grouped(fault.findings) + " |\n";
  }
  return text;
}

std::string reason_table(const run_record& run) {
  if (run.reasons.empty()) return {};
  constexpr std::size_t shown_max = 20;
  std::string text = "\n| Said when something failed | What |\n| --- | --- |\n";
  for (std::size_t i = 0; i < run.reasons.size() && i < shown_max; ++i)
    text += "| " + cell(reason_head(run.reasons[i])) + " | " + cell(run.reasons[i].text) + " |\n";
  return text;
}

}  // namespace

std::string summary_md(const run_record& run) {
  std::string text = "## " + cell(run.scenario) + " on " + cell(run.target) + ": **" +
                     cell(run.verdict) + "**\n\n";
  if (!run.why.empty()) text += "Why: " + cell(run.why) + "\n\n";
  text += grouped(run.nodes) + " nodes, " + grouped(run.clients) + " clients, " +
          grouped(run.sent) + " sent, " + grouped(run.delivered) + " of " +
          grouped(run.obligations) + " deliveries, p99 " + latency_text(run.p99_ms) + ", " +
          duration_text(run.duration_s) + ", seed " + std::to_string(run.seed) + ", Redis " +
          cell(run.redis) + "\n\n";
  text += "| Check | Verdict | Detail |\n| --- | --- | --- |\n";
  for (const check_row& check : run.checks) {
    text +=
        "| " + cell(check.id) + " | " + cell(check.verdict) + " | " + cell(check.detail) + " |\n";
  }
  if (!run.promised.empty()) text += "\nPromised: " + cell(run.promised) + "\n";
  if (!run.observed.empty()) text += "\nObserved: " + cell(run.observed) + "\n";
  text += fault_table(run);
  if (!run.examples.empty()) {
    text += "\nThe first finding of each kind:\n\n";
    for (const finding_row& found : first_of_each_kind(run.examples)) {
      text += "- **" + cell(found.kind) + "** at " + moment_text(found.at_s) + ": " +
              cell(found.detail) + (found.hop.empty() ? "" : "; " + cell(found.hop)) + "\n";
      for (const finding_row::log_row& line : found.log)
        text += "  - " + cell(found.node) + "'s log at " + moment_text(line.at_s) + ": " +
                cell(line.text) + "\n";
    }
  }
  text += reason_table(run);
  text += "\nResults: `" + clean_text(run.directory) + "`\n";
  if (!run.replay.empty()) text += "Replay: `" + clean_text(run.replay) + "`\n";
  return capped(text, page_bytes_max);
}

}  // namespace ordeal::report
