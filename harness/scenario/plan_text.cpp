// The plan for people and for programs: `ordeal plan`.
#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cmath>

#include "harness/scenario/glossary.h"
#include "harness/scenario/plan.h"
#include "harness/scenario/schema_table.h"
#include "harness/scenario/values.h"
#include "harness/seconds.h"
#include "harness/target/contract.h"
#include "reports/json_text.h"
#include "reports/text.h"

namespace ordeal::harness {
namespace {

namespace json = boost::json;

std::string word_of(std::string_view path, std::size_t choice) {
  return allowed_values(*find_row(scenario_schema(), path)).at(choice);
}

template <class Enum>
std::string word_of(std::string_view path, Enum value) {
  return word_of(path, static_cast<std::size_t>(value));
}

std::string padded(std::string text, std::size_t width) {
  text.resize(std::max(text.size() + 1, width), ' ');
  return text;
}

std::string row(std::initializer_list<std::pair<std::string, std::size_t>> cells) {
  std::string line = "  ";
  for (const auto& [text, width] : cells) line += padded(text, width);
  line.erase(line.find_last_not_of(' ') + 1);
  return line + "\n";
}

// A parameter as it would be written; durations are stored as nanoseconds.
std::string readable(const fault::fault_spec& spec, const std::string& name) {
  const fault::fault_kind* kind = fault::find_kind(spec.kind);
  if (!kind) return spec.text(name);
  for (const fault::parameter& known : kind->parameters) {
    if (known.name != name) continue;
    if (known.type == fault::parameter_type::duration) return format_duration(spec.duration(name));
    if (known.type == fault::parameter_type::size) return format_size(spec.number(name));
    if (known.type == fault::parameter_type::bandwidth) return format_bandwidth(spec.number(name));
  }
  return spec.text(name);
}

std::string victims_of(const fault::fault_spec& spec, std::size_t node_count) {
  if (spec.nodes.empty()) return "redis";
  if (spec.nodes.size() == node_count && node_count > 1) return "every node";
  std::string text;
  for (const std::size_t node : spec.nodes) {
    text += (text.empty() ? "" : ", ") + name_of(static_cast<node_id>(node));
  }
  return text;
}

std::string redis_text(const redis_recipe& redis) {
  if (redis.mode == redis_mode::external) return "external, " + redis.url;
  std::string text = "managed, " + word_of("backplane.redis.topology", redis.topology) +
                     ", persistence " + word_of("backplane.redis.persistence", redis.persistence);
  if (redis.server != redis_recipe().server) text += ", " + redis.server;
  for (const fault::redis_directive& each : redis.directives)
    text += ", " + each.name + " " + each.value;
  if (!redis.has_password) return text + ", no password";
  return text + (redis.user.empty() ? ", a generated password"
                                    : ", user " + redis.user + " with a generated password");
}

std::string node_text(const target& of) {
  if (!of.launch) return "attached";
  std::string text;
  for (const std::string& word : of.launch->command) text += (text.empty() ? "" : " ") + word;
  const readiness& ready = of.launch->ready;
  text += ", ready when ";
  if (ready.kind == ready_kind::http) text += "GET " + ready.text + " answers 200";
  if (ready.kind == ready_kind::tcp) text += "it accepts connections";
  if (ready.kind == ready_kind::log) text += "it logs '" + ready.text + "'";
  return text + " within " + format_duration(ready.timeout);
}

// Of a phase that has one of its own.
std::string rate_text(const phase_plan& phase) {
  if (!phase.send_period) return {};
  return phase.is_silent() ? ", silent" : ", " + format_rate(*phase.send_period);
}

std::string phases_text(const plan& of) {
  std::string text = "PHASES\n";
  for (const phase_plan& phase : of.phases) {
    text += row({{format_duration(phase.begins), 9},
                 {phase.name, 14},
                 {format_duration(phase.ends - phase.begins) + rate_text(phase), 0}});
  }
  return text + row({{format_duration(of.publishing_ends), 9},
                     {"then recovery, drain and probe, as long as they need", 0}});
}

std::string faults_text(const plan& of) {
  std::string text = "FAULTS\n";
  if (of.faults.empty()) text += "  none\n";
  for (const fault::fault_spec& spec : of.faults) {
    const std::string until = spec.held ? "for " + format_duration(*spec.held) + ", until " +
                                              format_duration(spec.at + *spec.held)
                                        : "ends by itself";
    text += row({{format_duration(spec.at), 9},
                 {spec.name, 14},
                 {spec.kind, 16},
                 {victims_of(spec, of.scenario.nodes), 12},
                 {until, 0}});
    for (const auto& [name, value] : spec.with)
      text += row({{"", 9}, {"", 14}, {name + ": " + readable(spec, name), 0}});
  }
  return text;
}

std::string processes_text(const plan& of) {
  std::string text = "PROCESSES\n";
  text += row({{"redis", 9}, {redis_text(of.scenario.redis), 0}});
  for (std::size_t node = 0; node < of.scenario.nodes; ++node) {
    text += row({{name_of(static_cast<node_id>(node)), 9}, {node_text(of.target), 0}});
  }
  return text + "  each on a free loopback port, with a link of its own between node and Redis\n";
}

// Members by node and room; many rooms are summed up, since all are filled alike.
std::string clients_text(const plan& of) {
  constexpr std::size_t room_columns_max = 8;
  const std::size_t room_count = of.room_names.size();
  std::vector<std::vector<std::size_t>> members(of.scenario.nodes,
                                                std::vector<std::size_t>(room_count));
  for (const client_plan& client : of.clients) {
    for (const room_id room : client.rooms) ++members[index_of(client.home)][index_of(room)];
  }
  const std::size_t columns = std::min(room_count, room_columns_max);
  std::string header = padded("", 9) + padded("clients", 9);
  for (std::size_t room = 0; room < columns; ++room)
    header += padded(name_of(static_cast<room_id>(room)), 8);
  if (columns < room_count) header += "... " + name_of(static_cast<room_id>(room_count - 1));
  std::string text = "CLIENTS\n" + row({{header, 0}});
  for (std::size_t node = 0; node < of.scenario.nodes; ++node) {
    std::string line = padded(name_of(static_cast<node_id>(node)), 9) +
                       padded(std::to_string(of.scenario.load.clients_per_node), 9);
    for (std::size_t room = 0; room < columns; ++room)
      line += padded(std::to_string(members[node][room]), 8);
    text += row({{line, 0}});
  }
  return text + "  connecting over " + format_duration(of.scenario.load.ramp) +
         "; one that lost its node " +
         (of.scenario.load.reconnect_anywhere ? "tries the others in turn" : "returns to it") +
         (of.deputies.empty() ? ""
                              : "\n  " + std::to_string(of.deputies.size()) +
                                    " deputies come where that leaves nobody of a room on a node") +
         "\n";
}

std::string payload_text(const payload_recipe& of) {
  const std::string least = format_size(static_cast<std::int64_t>(of.bytes_min));
  const std::string most = format_size(static_cast<std::int64_t>(of.bytes_max));
  const std::string size = of.bytes_min == of.bytes_max ? least : least + ".." + most;
  return size + " " + word_of("load.publish.payload.content", of.content);
}

std::string load_text(const plan& of) {
  const load_recipe& load = of.scenario.load;
  const expected_totals totals = expect_totals(of);
  return "LOAD\n  " + format_rate(load.send_period) + " from the whole fleet, " +
         word_of("load.publish.arrival", load.arrival) + " arrival, payload " +
         payload_text(load.payload) + "\n  " + std::to_string(totals.messages) +
         " messages in the declared phases, " + std::to_string(totals.deliveries) +
         " deliveries when none is refused\n";
}

std::string bound_text(const expectation& expected, double bound) {
  const metric_entry* metric = find_metric(expected.metric);
  if (metric && metric->unit == metric_unit::seconds) {
    return format_duration(std::chrono::nanoseconds(std::llround(bound * 1e9)));
  }
  return std::to_string(std::llround(bound));
}

std::string expectation_text(const expectation& expected) {
  std::string text = "  " + expected.metric + " " + word_of("expect[].stat", expected.stat);
  if (!expected.when.empty()) text += " in " + expected.when;
  if (!expected.fault.empty()) text += " after " + expected.fault;
  if (expected.min) text += ", at least " + bound_text(expected, *expected.min);
  if (expected.max) text += ", at most " + bound_text(expected, *expected.max);
  return text + "\n";
}

json::object fault_json(const fault::fault_spec& spec) {
  json::object out{{"name", spec.name}, {"kind", spec.kind}, {"at_s", seconds(spec.at)}};
  if (spec.held) out["for_s"] = seconds(*spec.held);
  json::array nodes;
  for (const std::size_t node : spec.nodes) nodes.emplace_back(name_of(static_cast<node_id>(node)));
  out["nodes"] = std::move(nodes);
  json::object with;
  for (const auto& [name, value] : spec.with) with[name] = readable(spec, name);
  out["with"] = std::move(with);
  return out;
}

json::array clients_json(const std::vector<client_plan>& clients) {
  json::array out;
  for (const client_plan& client : clients) {
    json::array rooms;
    for (const room_id room : client.rooms) rooms.emplace_back(name_of(room));
    json::object row{{"name", name_of(client.id)}, {"node", name_of(client.home)}};
    row["rooms"] = std::move(rooms);
    if (client.deputy_of) {
      row["deputy_of"] = name_of(*client.deputy_of);
    } else {
      row["connect_at_s"] = seconds(client.connect_at);
    }
    out.push_back(std::move(row));
  }
  return out;
}

}  // namespace

std::string render_text(const plan& of) {
  const scenario& from = of.scenario;
  std::string text = from.name + "   target " + of.target.name + " x" + std::to_string(from.nodes) +
                     "   seed " + std::to_string(of.seed) + "\n";
  if (!from.description.empty()) text += report::clean_text(from.description) + "\n";
  text += "\n" + phases_text(of) + "\n" + faults_text(of) + "\n" + processes_text(of) + "\n" +
          clients_text(of) + "\n" + load_text(of);
  text += "\nCONTRACT\n  " + describe(of.promises) + "\n";
  for (const expectation& expected : from.expectations) text += expectation_text(expected);
  return text;
}

std::string render_json(const plan& of) {
  const scenario& from = of.scenario;
  json::array phases, faults;
  for (const phase_plan& phase : of.phases) {
    phases.push_back(json::object{{"name", phase.name},
                                  {"begins_s", seconds(phase.begins)},
                                  {"ends_s", seconds(phase.ends)}});
    if (phase.send_period) phases.back().as_object()["period_s"] = seconds(*phase.send_period);
  }
  for (const fault::fault_spec& spec : of.faults) faults.push_back(fault_json(spec));
  const expected_totals totals = expect_totals(of);
  const json::object out{
      {"schema_version", 1},
      {"scenario", from.name},
      {"target", of.target.name},
      {"seed", of.seed},
      {"nodes", from.nodes},
      {"redis", redis_text(from.redis)},
      {"contract", describe(of.promises)},
      {"phases", std::move(phases)},
      {"faults", std::move(faults)},
      {"clients", clients_json(of.clients)},
      {"deputies", clients_json(of.deputies)},
      {"load", json::object{{"rooms", from.load.rooms},
                            {"period_s", seconds(from.load.send_period)},
                            {"payload_bytes_min", from.load.payload.bytes_min},
                            {"payload_bytes_max", from.load.payload.bytes_max},
                            {"payload_content",
                             word_of("load.publish.payload.content", from.load.payload.content)},
                            {"arrival", word_of("load.publish.arrival", from.load.arrival)}}},
      {"expected", json::object{{"messages", totals.messages}, {"deliveries", totals.deliveries}}}};
  return report::json_text(out) + "\n";
}

}  // namespace ordeal::harness
