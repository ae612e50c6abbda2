#include "tests/selftest/planted_node/bug_table.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "tests/selftest/planted_node/bugs.h"

namespace ordeal::planted {

std::string json_list() {
  boost::json::array rows;
  for (const bug_kind& each : bug_kinds()) {
    rows.push_back(boost::json::object{{"name", each.name},
                                       {"modelled_on", each.modelled_on},
                                       {"sentence", each.sentence},
                                       {"scenario", each.scenario},
                                       {"finding", each.finding},
                                       {"check", each.check}});
  }
  return boost::json::serialize(rows) + '\n';
}

std::string markdown_table() {
  std::string text =
      "| Bug | Does | Modelled on | Scenario | Finding | Check |\n"
      "| --- | --- | --- | --- | --- | --- |\n";
  for (const bug_kind& each : bug_kinds()) {
    if (each.modelled_on.empty()) continue;
    for (const std::string_view cell :
         {each.name, each.sentence, each.modelled_on, each.scenario,
          each.finding.empty() ? std::string_view("none") : each.finding, each.check}) {
      text += "| " + std::string(cell) + (cell.empty() ? "" : " ");
    }
    text += "|\n";
  }
  return text;
}

}  // namespace ordeal::planted
