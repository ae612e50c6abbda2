#include "harness/run/comparison.h"

#include <boost/json/serialize.hpp>
#include <boost/json/value_to.hpp>
#include <map>

namespace ordeal::harness {
namespace {

namespace json = boost::json;

std::map<std::string, std::string> judged_in(const json::value& page) {
  std::map<std::string, std::string> said;
  said["verdict"] = json::value_to<std::string>(page.at("verdict"));
  for (const json::value& check : page.at("checks").as_array()) {
    said["check " + json::value_to<std::string>(check.at("id"))] =
        json::value_to<std::string>(check.at("verdict"));
  }
  for (const char* part : {"findings", "totals"}) {
    for (const auto& count : page.at(part).as_object())
      said[std::string(part) + " " + std::string(count.key())] = json::serialize(count.value());
  }
  return said;
}

}  // namespace

std::vector<std::string> differences(const json::value& recorded, const json::value& now) {
  const auto before = judged_in(recorded);
  auto after = judged_in(now);
  std::vector<std::string> found;
  for (const auto& [what, value] : before) {
    const auto it = after.find(what);
    if (it == after.end()) {
      found.push_back(what + ": recorded " + value + ", now not judged");
    } else if (it->second != value) {
      found.push_back(what + ": recorded " + value + ", now " + it->second);
    }
    if (it != after.end()) after.erase(it);
  }
  for (const auto& [what, value] : after) found.push_back(what + ": not recorded, now " + value);
  return found;
}

}  // namespace ordeal::harness
