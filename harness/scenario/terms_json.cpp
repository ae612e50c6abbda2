// The JSON of terms: durations in nanoseconds, enumerators as the words of the files people write.
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value_to.hpp>
#include <cmath>
#include <stdexcept>

#include "harness/scenario/terms.h"
#include "harness/target/target_schema.h"

namespace ordeal::harness {
namespace {

namespace json = boost::json;
using std::chrono::nanoseconds;

constexpr int terms_version = 1;

// The words of an enumerator of the contract stand in the schema, in the order of the enumerators.
std::vector<std::string> words_of(std::string_view key) {
  return allowed_values(*find_row(target_schema(), "contract." + std::string(key)));
}

template <class Enum>
std::string word_of(std::string_view key, Enum value) {
  return words_of(key).at(static_cast<std::size_t>(value));
}

const json::value& member(const json::object& from, std::string_view key) {
  const json::value* found = from.if_contains(json::string_view(key.data(), key.size()));
  if (found == nullptr) throw std::runtime_error("there is no '" + std::string(key) + "'");
  return *found;
}

template <class Enum>
Enum value_of(const json::object& from, std::string_view key) {
  const auto wanted = json::value_to<std::string>(member(from, key));
  const std::vector<std::string> words = words_of(key);
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i] == wanted) return static_cast<Enum>(i);
  }
  throw std::runtime_error("contract." + std::string(key) + " cannot be " + wanted);
}

json::value optional_number(const std::optional<double>& value) {
  return value ? json::value(*value) : json::value(nullptr);
}

std::optional<double> optional_number(const json::value& from) {
  if (from.is_null()) return std::nullopt;
  const auto number = from.to_number<double>();
  if (!std::isfinite(number)) throw std::runtime_error("expectations: a bound is too large");
  return number;
}

std::int64_t number(const json::object& from, std::string_view key) {
  return member(from, key).to_number<std::int64_t>();
}

std::size_t count(const json::object& from, std::string_view key) {
  return member(from, key).to_number<std::size_t>();
}

std::string text(const json::object& from, std::string_view key) {
  return json::value_to<std::string>(member(from, key));
}

json::object to_object(const contract& promises) {
  return {{"delivery", word_of("delivery", promises.delivery)},
          {"order", word_of("order", promises.order)},
          {"duplicates", word_of("duplicates", promises.duplicates)},
          {"ack", word_of("ack", promises.ack)},
          {"resume", promises.resume},
          {"recovery_ns", promises.recovery.count()}};
}

contract contract_from(const json::object& from) {
  contract promises;
  promises.delivery = value_of<delivery_promise>(from, "delivery");
  promises.order = value_of<order_promise>(from, "order");
  promises.duplicates = value_of<duplicates_promise>(from, "duplicates");
  promises.ack = value_of<ack_promise>(from, "ack");
  promises.resume = member(from, "resume").as_bool();
  promises.recovery = nanoseconds(number(from, "recovery_ns"));
  return promises;
}

json::object to_object(const expectation& row) {
  return {{"metric", row.metric},
          {"stat", static_cast<int>(row.stat)},
          {"when", row.when},
          {"fault", row.fault},
          {"max", optional_number(row.max)},
          {"min", optional_number(row.min)}};
}

expectation expectation_from(const json::object& from) {
  expectation row;
  row.metric = text(from, "metric");
  const std::int64_t stat = number(from, "stat");
  if (stat < 0 || stat > static_cast<int>(expected_stat::count)) {
    throw std::runtime_error("expectations: there is no stat " + std::to_string(stat));
  }
  row.stat = static_cast<expected_stat>(stat);
  row.when = text(from, "when");
  row.fault = text(from, "fault");
  row.max = optional_number(member(from, "max"));
  row.min = optional_number(member(from, "min"));
  return row;
}

seat_terms seats_from(const json::object& from, std::size_t nodes, std::size_t rooms) {
  seat_terms seats;
  const std::size_t home = count(from, "home");
  if (home >= nodes) throw std::runtime_error("clients: there is no node " + std::to_string(home));
  seats.home = node_id(home);
  for (const json::value& each : member(from, "rooms").as_array()) {
    const auto room = each.to_number<std::size_t>();
    if (room >= rooms)
      throw std::runtime_error("clients: there is no room " + std::to_string(room));
    seats.rooms.push_back(room_id(room));
  }
  seats.is_deputy = from.contains("deputy") && from.at("deputy").as_bool();
  return seats;
}

terms terms_from(const json::object& from) {
  const std::int64_t version = number(from, "schema_version");
  if (version != terms_version) {
    throw std::runtime_error("terms of version " + std::to_string(version) +
                             "; this program reads version " + std::to_string(terms_version));
  }
  terms what;
  what.promises = contract_from(member(from, "contract").as_object());
  what.has_resume_protocol = member(from, "has_resume_protocol").as_bool();
  const json::value* const backplane = from.if_contains("has_backplane");  // older ones lack it
  what.has_backplane = backplane == nullptr || backplane->as_bool();
  what.nodes = count(from, "nodes");
  for (const json::value& room : member(from, "rooms").as_array())
    what.rooms.push_back(json::value_to<std::string>(room));
  for (const json::value& client : member(from, "clients").as_array())
    what.clients.push_back(seats_from(client.as_object(), what.nodes, what.rooms.size()));
  for (const json::value& each : member(from, "phases").as_array()) {
    const json::object& phase = each.as_object();
    what.phases.push_back({text(phase, "name"),
                           nanoseconds(number(phase, "begins_ns")),
                           nanoseconds(number(phase, "ends_ns")),
                           {}});
    if (phase.contains("send_period_ns"))
      what.phases.back().send_period = nanoseconds(number(phase, "send_period_ns"));
  }
  for (const json::value& each : member(from, "faults").as_array()) {
    const json::object& fault = each.as_object();
    what.faults.push_back({text(fault, "name"), text(fault, "kind"), text(fault, "target"),
                           nanoseconds(number(fault, "planned_at_ns"))});
  }
  for (const json::value& row : member(from, "expectations").as_array())
    what.expectations.push_back(expectation_from(row.as_object()));
  what.send_period = nanoseconds(number(from, "send_period_ns"));
  what.arrival =
      member(from, "is_poisson").as_bool() ? arrival_kind::poisson : arrival_kind::constant;
  what.publishing_ends = nanoseconds(number(from, "publishing_ends_ns"));
  what.planned_messages = count(from, "planned_messages");
  what.scenario = text(from, "scenario");
  what.scenario_file = text(from, "scenario_file");
  what.description = text(from, "description");
  what.target = text(from, "target");
  what.run_nonce = text(from, "run_nonce");
  what.seed = member(from, "seed").to_number<std::uint64_t>();
  return what;
}

}  // namespace

std::string to_json(const terms& what) {
  json::array clients, phases, faults, expectations;
  for (const seat_terms& client : what.clients) {
    json::array rooms;
    for (const room_id room : client.rooms) rooms.push_back(index_of(room));
    clients.push_back(json::object{{"home", index_of(client.home)}, {"rooms", std::move(rooms)}});
    if (client.is_deputy) clients.back().as_object()["deputy"] = true;
  }
  for (const phase_plan& phase : what.phases) {
    phases.push_back(json::object{{"name", phase.name},
                                  {"begins_ns", phase.begins.count()},
                                  {"ends_ns", phase.ends.count()}});
    if (phase.send_period) phases.back().as_object()["send_period_ns"] = phase.send_period->count();
  }
  for (const fault_terms& fault : what.faults) {
    faults.push_back(json::object{{"name", fault.name},
                                  {"kind", fault.kind},
                                  {"target", fault.target},
                                  {"planned_at_ns", fault.planned_at.count()}});
  }
  for (const expectation& row : what.expectations) expectations.push_back(to_object(row));
  json::object page;
  page["schema_version"] = terms_version;
  page["contract"] = to_object(what.promises);
  page["has_resume_protocol"] = what.has_resume_protocol;
  page["has_backplane"] = what.has_backplane;
  page["nodes"] = what.nodes;
  page["rooms"] = json::array(what.rooms.begin(), what.rooms.end());
  page["clients"] = std::move(clients);
  page["phases"] = std::move(phases);
  page["faults"] = std::move(faults);
  page["expectations"] = std::move(expectations);
  page["send_period_ns"] = what.send_period.count();
  page["is_poisson"] = what.arrival == arrival_kind::poisson;
  page["publishing_ends_ns"] = what.publishing_ends.count();
  page["planned_messages"] = what.planned_messages;
  page["scenario"] = what.scenario;
  page["scenario_file"] = what.scenario_file;
  page["description"] = what.description;
  page["target"] = what.target;
  page["run_nonce"] = what.run_nonce;
  page["seed"] = what.seed;
  return json::serialize(page);
}

terms parse_terms(std::string_view from) {
  try {
    return terms_from(json::parse(json::string_view(from.data(), from.size())).as_object());
  } catch (const std::exception& thrown) {
    throw std::runtime_error(std::string("the terms of this history cannot be read: ") +
                             thrown.what());
  }
}

}  // namespace ordeal::harness
