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

// Lines of at most 90 columns, each indented.
std::string wrapped(std::string_view text, std::size_t indent) {
  constexpr std::size_t width = 90;
  std::string lines, line;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    if (!line.empty() && indent + line.size() + 1 + word.size() > width) {
      lines += std::string(indent, ' ') + line + "\n";
      line.clear();
    }
    if (!line.empty()) line += ' ';
    line += word;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines + std::string(indent, ' ') + line + "\n";
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
    case fault::parameter_type::bandwidth:
      return "bandwidth, like 256kbit/s or 32kB/s";
  }
  return "";
}

std::string explain_parameter(const fault::parameter& known) {
  std::string text = known.name + ": " + type_text(known.type);
  if (!known.allowed.empty()) text += " (" + join(known.allowed, " | ") + ")";
  text += known.default_text.empty() ? ", required" : ", default " + known.default_text;
  return text + "\n" + wrapped(known.doc, 4);
}

std::string explain_fault(const fault::fault_kind& kind) {
  std::string text = "fault " + kind.name + "\n" + wrapped(kind.doc, 2) + "  class    " +
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
    text += "  with." + explain_parameter(known);
  }
  return text;
}

std::string explain_metric(const metric_entry& metric) {
  const bool is_duration = metric.unit == metric_unit::seconds;
  std::string text = "metric " + std::string(metric.name) + "\n  " + std::string(metric.doc) + "\n";
  text += is_duration ? "  stats    max, min, p50, p95, p99; bounds are durations\n"
                      : "  stats    count; bounds are whole numbers\n";
  if (metric.has_phase) text += "  when     may name a phase: only there\n";
  if (metric.has_fault) text += "  fault    may name a fault: only after it\n";
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
  for (const char* const item : {"[]", ".*"}) {
    const schema_row* const of = find_row(rows, std::string(row.path) + item);
    if (of != nullptr && !of->allowed.empty() && of->type != value_type::enumeration)
      text += wrapped("each may use ${} of " + std::string(of->allowed) +
                          (of->takes_default ? ", and a default: ${NAME:-default}" : ""),
                      2);
  }
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

// Parameters of fault kinds: kick, with.kick or faults[].with.kick.
void explain_parameters(explanations& found, const std::string& id,
                        const std::vector<fault::fault_kind>& kinds) {
  const std::string path = without_indexes(id);
  for (const fault::fault_kind& kind : kinds) {
    for (const fault::parameter& known : kind.parameters) {
      if (path == known.name || path == "with." + known.name || path == "faults.with." + known.name)
        found.texts.push_back("parameter of " + kind.name + "\n  with." + explain_parameter(known));
    }
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
      return kind + " " + std::string(entry.name) + "\n" + wrapped(entry.doc, 2);
    });
  }
}

}  // namespace

exit_code explain_verb(const request& what, const world& where) {
  std::string id = what.subject;
  for (const std::string_view prefix : {"exit code ", "exit "}) {
    if (id.starts_with(prefix)) id.erase(0, prefix.size());
  }
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
    explain_parameters(found, id, where.fault_kinds);
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
