#include <algorithm>

#include "harness/cli/verbs.h"
#include "harness/scenario/glossary.h"
#include "harness/scenario/schema_table.h"
#include "harness/scenario/spelling.h"
#include "harness/target/target_schema.h"

namespace ordeal::harness {
namespace {

// "faults[0].at" and "faults.at" are both "faults.at" here.
std::string without_indexes(std::string_view path) {
  std::string text;
  bool is_inside = false;
  for (const char c : path) {
    is_inside = c == '[' || (is_inside && c != ']');
    if (!is_inside && c != ']') text += c;
  }
  return text;
}

std::string type_text(fault::parameter_type type) {
  switch (type) {
    case fault::parameter_type::text:
      return "text";
    case fault::parameter_type::boolean:
      return "true or false";
    case fault::parameter_type::duration:
      return "duration";
    case fault::parameter_type::size:
      return "size";
    case fault::parameter_type::integer:
      return "integer";
  }
  return "";
}

std::string explain_fault(const fault::fault_kind& kind) {
  std::string text = "fault " + kind.name + "\n  " + kind.doc + "\n  class    " +
                     fault::name_of(kind.klass) + "\n  acts on  ";
  switch (kind.target) {
    case fault::target_kind::redis:
      text += "Redis; takes no target\n";
      break;
    case fault::target_kind::node:
      text += "nodes: target: { node: N }, or every node\n";
      break;
    case fault::target_kind::link:
      text += "links between nodes and Redis: target: { node: N }, or every link\n";
      break;
  }
  switch (kind.duration) {
    case fault::duration_use::required:
      text += "  for      required\n";
      break;
    case fault::duration_use::optional:
      text += "  for      optional\n";
      break;
    case fault::duration_use::forbidden:
      text += "  for      none: it ends by itself\n";
      break;
  }
  for (const fault::parameter& known : kind.parameters) {
    text += "  with." + known.name + ": " + type_text(known.type);
    if (!known.allowed.empty()) text += " (" + join(known.allowed, " | ") + ")";
    text += known.default_text.empty() ? ", required" : ", default " + known.default_text;
    text += "\n    " + known.doc + "\n";
  }
  return text;
}

std::string explain_metric(const metric_entry& metric) {
  const bool is_duration = metric.unit == metric_unit::seconds;
  std::string text = "metric " + std::string(metric.name) + "\n  " + std::string(metric.doc) + "\n";
  text += is_duration ? "  stats    max, min, p50, p95, p99; bounds are durations\n"
                      : "  stats    count; bounds are whole numbers\n";
  if (metric.has_phase) text += "  when     a phase's name\n";
  if (metric.has_fault) text += "  fault    a fault's name\n";
  return text;
}

std::string explain_children(schema rows, std::string_view path) {
  std::string text;
  for (const schema_row* row : children_of(rows, path)) {
    const std::string key(key_of(*row));
    text += "    " + key + std::string(key.size() < 16 ? 16 - key.size() : 1, ' ') +
            std::string(row->doc) + "\n";
  }
  return text;
}

std::string explain_key(schema rows, const schema_row& row, const std::string& kind) {
  std::string text = kind + " key " + explain(row);
  const std::string inner = std::string(row.path) + (row.type == value_type::list       ? "[]"
                                                     : row.type == value_type::free_map ? ".*"
                                                                                        : "");
  const std::string children = explain_children(rows, inner);
  return children.empty() ? text : text + "  keys\n" + children;
}

struct explanations {
  std::vector<std::string> texts;
  std::vector<std::string> known;  // for suggestions

  void offer(const std::string& id, std::string_view name, const auto& text_of) {
    known.emplace_back(name);
    if (id == name) texts.push_back(text_of());
  }
};

void explain_schema(explanations& found, const std::string& id, schema rows,
                    const std::string& kind) {
  found.offer(id, kind, [&] { return kind + " file\n  keys\n" + explain_children(rows, ""); });
  for (const schema_row& row : rows) {
    if (row.path.ends_with("]")) continue;  // explained with its list
    const std::string path = without_indexes(row.path);
    found.known.push_back(path);
    if (without_indexes(id) == path) found.texts.push_back(explain_key(rows, row, kind));
  }
}

// A bare key, when nothing has the whole name.
void explain_last_parts(explanations& found, const std::string& id, schema rows,
                        const std::string& kind) {
  for (const schema_row& row : rows) {
    if (key_of(row) == id) found.texts.push_back(explain_key(rows, row, kind));
  }
}

void explain_entries(explanations& found, const std::string& id, const std::string& kind,
                     std::span<const glossary_entry> entries) {
  for (const glossary_entry& entry : entries) {
    found.offer(id, entry.name, [&] {
      return kind + " " + std::string(entry.name) + "\n  " + std::string(entry.doc) + "\n";
    });
  }
}

}  // namespace

exit_code explain_verb(const request& what, const surroundings& where) {
  const std::string& id = what.subject;
  explanations found;
  for (const fault::fault_kind& kind : where.fault_kinds) {
    found.offer(id, kind.name, [&] { return explain_fault(kind); });
  }
  explain_entries(found, id, "check", check_entries());
  explain_entries(found, id, "finding", finding_entries());
  explain_entries(found, id, "verdict", verdict_entries());
  explain_entries(found, id, "exit code", exit_code_entries());
  for (const metric_entry& metric : metric_entries()) {
    found.offer(id, metric.name, [&] { return explain_metric(metric); });
  }
  explain_schema(found, id, scenario_schema(), "scenario");
  explain_schema(found, id, target_schema(), "target");
  if (found.texts.empty()) {
    explain_last_parts(found, id, scenario_schema(), "scenario");
    explain_last_parts(found, id, target_schema(), "target");
  }
  if (found.texts.empty()) {
    const std::string suggestion = did_you_mean(id, found.known);
    throw usage_error("there is nothing called '" + id + "'",
                      suggestion.empty() ? "a fault kind, check, metric, finding, verdict, exit "
                                           "code, or a key like faults[].at; "
                                           "`explain scenario` lists the keys"
                                         : suggestion);
  }
  where.out << join(found.texts, "\n");
  return exit_code::pass;
}

}  // namespace ordeal::harness
