#include "reports/junit.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "reports/text.h"

namespace ordeal::report {
namespace {

constexpr std::size_t text_bytes_max = 16 * 1024;
constexpr std::size_t attribute_bytes_max = 1024;

std::string escaped(std::string_view text, bool is_attribute) {
  std::string safe;
  safe.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '&':
        safe += "&amp;";
        break;
      case '<':
        safe += "&lt;";
        break;
      case '>':
        safe += "&gt;";
        break;
      case '"':
        safe += "&quot;";
        break;
      case '\n':
        safe += is_attribute ? "&#10;" : "\n";
        break;
      case '\r':
        safe += "&#13;";
        break;
      case '\t':
        safe += is_attribute ? "&#9;" : "\t";
        break;
      default:
        safe += c;
    }
  }
  return safe;
}

std::string body(std::string_view text) {
  return escaped(capped(clean_text(text), text_bytes_max), false);
}

std::string attribute(const char* name, std::string_view value) {
  return std::string(" ") + name + "=\"" +
         escaped(capped(clean_text(value), attribute_bytes_max), true) + "\"";
}

std::string seconds_text(double seconds) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.3f", std::max(seconds, 0.0));
  return text.data();
}

// Dots build Jenkins' package tree, so names keep theirs to themselves.
std::string class_part(std::string_view name) {
  std::string part(name.empty() ? "unnamed" : name);
  std::replace(part.begin(), part.end(), '.', '_');
  return part;
}

std::string reasons_text(const run_record& run) {
  constexpr std::size_t shown_max = 20;
  std::string text;
  for (std::size_t i = 0; i < run.reasons.size() && i < shown_max; ++i)
    text += reason_head(run.reasons[i]) + ": " + run.reasons[i].text + "\n";
  return text;
}

std::string evidence(const run_record& run, const check_row& check) {
  std::string text = check.detail + "\n";
  if (check.verdict == "fail") {
    std::size_t shown = 0;
    for (const finding_row& found : run.examples) {
      if (shown++ == 3) break;
      text += found.kind + " at " + moment_text(found.at_s) + ": " + found.detail +
              (found.fault.empty() ? "" : " [" + found.fault + "]") +
              (found.hop.empty() ? "" : "; " + found.hop) + "\n";
      for (const finding_row::log_row& line : found.log)
        text += "  " + found.node + "'s log at " + moment_text(line.at_s) + ": " + line.text + "\n";
    }
  }
  text += reasons_text(run);
  if (!run.replay.empty()) text += "replay: " + run.replay + "\n";
  return text;
}

std::string outcome_element(const run_record& run, const check_row& check) {
  if (check.verdict == "pass") return {};
  if (check.verdict == "skipped")
    return "      <skipped" + attribute("message", check.detail) + "/>\n";
  const bool is_failure = check.verdict == "fail";
  const std::string element = is_failure ? "failure" : "error";
  const std::string type = is_failure ? "violation" : check.verdict;
  return "      <" + element + attribute("type", type) + attribute("message", check.detail) + ">" +
         body(evidence(run, check)) + "</" + element + ">\n";
}

std::string case_element(const run_record& run, const check_row& check, double seconds) {
  std::string text =
      "    <testcase" + attribute("name", check.id) +
      attribute("classname", "ordeal." + class_part(run.target) + "." + class_part(run.scenario)) +
      attribute("file", run.scenario_file) + attribute("line", std::to_string(run.scenario_line)) +
      attribute("time", seconds_text(seconds));
  const std::string outcome = outcome_element(run, check);
  if (outcome.empty()) return text + "/>\n";
  return text + ">\n" + outcome + "    </testcase>\n";
}

struct counts {
  std::size_t tests = 0, failures = 0, errors = 0, skipped = 0;

  void add(const check_row& check) {
    ++tests;
    if (check.verdict == "fail") {
      ++failures;
    } else if (check.verdict == "skipped") {
      ++skipped;
    } else if (check.verdict != "pass") {
      ++errors;
    }
  }
  void add(const counts& other) {
    tests += other.tests;
    failures += other.failures;
    errors += other.errors;
    skipped += other.skipped;
  }
  std::string attributes() const {
    return attribute("tests", std::to_string(tests)) +
           attribute("failures", std::to_string(failures)) +
           attribute("errors", std::to_string(errors)) +
           attribute("skipped", std::to_string(skipped));
  }
};

bool is_green(const check_row& check) {
  return check.verdict == "pass" || check.verdict == "skipped";
}

// Readers ignore a suite without a case, and with it a run that never got to its checks. They also
// see nothing but cases: a run that proves nothing, though each check by itself found no fault, as
// one that was interrupted, has a case that says so.
std::vector<check_row> cases_of(const run_record& run) {
  std::vector<check_row> cases = run.checks;
  const bool is_run_green = run.verdict == "pass" || run.verdict == "skipped";
  if (cases.empty()) {
    cases.push_back(
        {"run", run.verdict, run.why.empty() ? "the run ended without any check" : run.why});
  } else if (!is_run_green && std::all_of(cases.begin(), cases.end(), is_green)) {
    cases.push_back({"run", run.verdict, run.why.empty() ? "the run as a whole" : run.why});
  }
  return cases;
}

std::string suite_element(const run_record& run, counts& all) {
  const std::vector<check_row> cases = cases_of(run);
  counts own;
  for (const check_row& check : cases) own.add(check);
  all.add(own);

  std::string text = "  <testsuite" + attribute("name", run.target + "/" + run.scenario) +
                     own.attributes() + attribute("time", seconds_text(run.duration_s));
  if (!run.started_at.empty()) text += attribute("timestamp", run.started_at);
  text += ">\n    <properties>\n";
  const auto property = [&text](const char* name, const std::string& value) {
    if (!value.empty())
      text += "      <property" + attribute("name", name) + attribute("value", value) + "/>\n";
  };
  property("seed", std::to_string(run.seed));
  property("ordeal", run.tool_version);
  property("redis", run.redis);
  property("target", run.target);
  property("run_id", run.run_id);
  property("verdict", run.verdict);
  property("promised", run.promised);
  property("observed", run.observed);
  property("replay", run.replay);
  std::string faults;
  for (const fault_row& fault : run.faults)
    faults += (faults.empty() ? "" : ", ") + fault.name + " (" + fault.kind + ")";
  property("faults", faults);
  text += "    </properties>\n";
  // All checks watch the whole run; its time is shared out, so that the cases add up to it.
  const double share = run.duration_s / static_cast<double>(cases.size());
  for (const check_row& check : cases) text += case_element(run, check, share);
  // Of a run that passed, too: what its faults made the target say.
  if (const std::string reasons = reasons_text(run); !reasons.empty())
    text += "    <system-out>" + body(reasons) + "</system-out>\n";
  return text + "  </testsuite>\n";
}

}  // namespace

std::string junit_xml(const std::vector<run_record>& runs) {
  counts all;
  double seconds = 0;
  std::string suites;
  for (const run_record& run : runs) {
    suites += suite_element(run, all);
    seconds += run.duration_s;
  }
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites" + attribute("name", "ordeal") +
         all.attributes() + attribute("time", seconds_text(seconds)) + ">\n" + suites +
         "</testsuites>\n";
}

}  // namespace ordeal::report
