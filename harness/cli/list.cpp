#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "harness/cli/verbs.h"
#include "harness/scenario/glossary.h"
#include "harness/scenario/spelling.h"
#include "harness/target/target_loader.h"
#include "harness/target/target_search.h"
#include "reports/text.h"

namespace ordeal::harness {
namespace {

namespace json = boost::json;

// One thing: its columns for people, its fields for programs.
struct listed {
  std::string name;
  std::string detail;
  std::string doc;
  json::object fields;
};

std::string first_sentence(const std::string& text) {
  const std::size_t end = text.find(". ");
  return end == std::string::npos ? text : text.substr(0, end + 1);
}

std::vector<listed> list_scenarios(const world& where) {
  std::vector<listed> all;
  for (const shipped_scenario& item : shipped_scenarios(where.share / "scenarios", where)) {
    json::array tags;
    for (const std::string& tag : item.tags) tags.emplace_back(tag);
    all.push_back({item.id,
                   join(item.tags),
                   item.name.empty() ? "(invalid: see `ordeal validate`)" : item.description,
                   {{"name", item.name},
                    {"tags", std::move(tags)},
                    {"description", item.description},
                    {"file", item.file}}});
  }
  return all;
}

std::vector<listed> list_targets(const world& where) {
  std::vector<listed> all;
  for (const std::string& name : known_targets(where.share)) {
    const loaded_target loaded = load_target(name, where.share, where.drivers);
    const std::string driver = loaded.value ? loaded.value->driver : "invalid";
    const std::string doc = loaded.value ? loaded.value->description : "(see `ordeal validate`)";
    all.push_back({name,
                   driver,
                   doc,
                   {{"driver", driver},
                    {"description", doc},
                    {"file", find_target(name, where.share).string()}}});
  }
  return all;
}

std::vector<listed> list_faults(const world& where) {
  std::vector<listed> all;
  for (const fault::fault_kind& kind : where.fault_kinds) {
    json::array parameters;
    for (const fault::parameter& known : kind.parameters) parameters.emplace_back(known.name);
    all.push_back({kind.name,
                   fault::name_of(kind.klass),
                   first_sentence(kind.doc),
                   {{"class", fault::name_of(kind.klass)},
                    {"doc", kind.doc},
                    {"parameters", std::move(parameters)}}});
  }
  return all;
}

std::vector<listed> list_metrics() {
  std::vector<listed> all;
  for (const metric_entry& metric : metric_entries()) {
    const std::string unit = metric.unit == metric_unit::seconds ? "duration" : "count";
    all.push_back({std::string(metric.name),
                   unit,
                   std::string(metric.doc),
                   {{"unit", unit}, {"doc", metric.doc}}});
  }
  return all;
}

std::vector<listed> list_checks() {
  std::vector<listed> all;
  for (const glossary_entry& check : check_entries()) {
    const std::string doc(check.doc);
    all.push_back({std::string(check.name), {}, first_sentence(doc), {{"doc", doc}}});
  }
  return all;
}

std::vector<listed> list_drivers(const world& where) {
  std::vector<listed> all;
  for (const std::string& name : where.drivers) all.push_back({name, {}, {}, {}});
  return all;
}

void print_text(const std::vector<listed>& all, std::ostream& out) {
  std::size_t name_width = 0, detail_width = 0;
  for (const listed& item : all) {
    name_width = std::max(name_width, item.name.size());
    detail_width = std::max(detail_width, item.detail.size());
  }
  for (const listed& item : all) {
    std::string line = item.name + std::string(name_width - item.name.size() + 2, ' ');
    if (detail_width > 0)
      line += item.detail + std::string(detail_width - item.detail.size() + 2, ' ');
    line += item.doc;
    line.erase(line.find_last_not_of(' ') + 1);
    out << report::clean_text(line) << "\n";
  }
}

}  // namespace

exit_code list_verb(const request& what, const world& where) {
  static const std::vector<std::string> subjects{"scenarios", "targets", "faults",
                                                 "checks",    "metrics", "drivers"};
  std::vector<listed> all;
  if (what.subject == "scenarios") {
    all = list_scenarios(where);
  } else if (what.subject == "targets") {
    all = list_targets(where);
  } else if (what.subject == "faults") {
    all = list_faults(where);
  } else if (what.subject == "checks") {
    all = list_checks();
  } else if (what.subject == "metrics") {
    all = list_metrics();
  } else if (what.subject == "drivers") {
    all = list_drivers(where);
  } else {
    const std::string suggestion = did_you_mean(what.subject, subjects);
    throw usage_error("there is no list of '" + what.subject + "'",
                      suggestion.empty() ? "lists: " + join(subjects) : suggestion);
  }
  if (all.empty()) {
    where.err << "error: there are no " << what.subject
              << "\n  = set ORDEAL_SHARE to the folder that holds scenarios/ and targets/\n";
  }
  const exit_code code = all.empty() ? exit_code::nothing_ran : exit_code::pass;
  if (what.run.format == output_format::text) {
    print_text(all, where.out);
    return code;
  }
  json::array items;
  for (listed& item : all) {
    json::object fields{{"id", item.name}};
    for (auto& [key, value] : item.fields) fields[key] = std::move(value);
    items.push_back(std::move(fields));
  }
  where.out << json::serialize(items) << "\n";
  return code;
}

}  // namespace ordeal::harness
