#include "tests/acquittal/outcome.h"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <cstdint>

namespace ordeal::acquittal {
namespace {

namespace json = boost::json;

outcome failed(std::string why) {
  return {standing::failed, std::move(why), {}};
}

std::string text(const json::value& value) {
  return std::string(value.as_string());
}

std::string findings_of(const json::value& summary) {
  std::string all;
  for (const auto& [kind, count] : summary.at("findings").as_object()) {
    if (count.to_number<std::uint64_t>() == 0) continue;
    all += (all.empty() ? "" : ", ") + std::to_string(count.to_number<std::uint64_t>()) + " ";
    all += kind;
  }
  return all;
}

outcome classify(int exit_code, const json::value& summary) {
  const std::string verdict = text(summary.at("verdict"));
  const std::string why = "verdict " + verdict + ", exit code " + std::to_string(exit_code) + ": " +
                          text(summary.at("why"));
  const std::string findings = findings_of(summary);
  if (!findings.empty()) return failed("findings: " + findings + "; " + why);
  outcome result;
  bool is_every_check_passed = true;
  for (const json::value& check : summary.at("checks").as_array()) {
    const std::string said = text(check.at("verdict"));
    if (said == "inconclusive") result.reasons.push_back(text(check.at("id")));
    is_every_check_passed = is_every_check_passed && (said == "pass" || said == "skipped");
  }
  if (exit_code == 5 && verdict == "inconclusive") {
    result.result = standing::inconclusive;
    result.why = why;
    return result;
  }
  if (exit_code != 0 || verdict != "pass") return failed(why);
  if (!is_every_check_passed) return failed("it passed although a check did not");
  const json::value& totals = summary.at("totals");
  if (totals.at("obligations").to_number<std::uint64_t>() == 0)
    return failed("it passed although nothing was owed to anybody");
  if (totals.at("obligations") != totals.at("delivered"))
    return failed("it passed although not all that was owed was delivered");
  result.result = standing::passed;
  return result;
}

}  // namespace

outcome classify(std::optional<int> exit_code, const std::string& summary) {
  if (!exit_code) return failed("it did not end in time");
  const std::string code = "exit code " + std::to_string(*exit_code);
  if (summary.empty()) return failed(code + " and no summary.json");
  try {
    return classify(*exit_code, json::parse(summary));
  } catch (const std::exception& thrown) {
    return failed(code + " and a summary.json that cannot be read: " + thrown.what());
  }
}

}  // namespace ordeal::acquittal
