// A scenario as loaded: every value checked, defaulted and with its unit resolved, nothing drawn
// yet.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "fault-injection/fault.h"
#include "fault-injection/redis/managed_redis.h"
#include "harness/history/event.h"
#include "harness/payload.h"
#include "harness/scenario/source.h"

namespace ordeal::harness {

enum class redis_mode { managed, external };
enum class redis_topology { standalone, replicated, sentinel };

struct secret_source {
  std::string from_env;   // one of the two is set
  std::string from_file;  // absolute once loaded
};

struct redis_recipe {
  redis_mode mode = redis_mode::managed;
  redis_topology topology = redis_topology::standalone;
  fault::redis_persistence persistence = fault::redis_persistence::aof;
  bool has_password = false;                       // managed: generated
  std::string user;                                // ACL user; empty: requirepass style
  std::string url;                                 // external
  std::optional<secret_source> password;           // external
  std::vector<fault::fault_class> allowed_faults;  // external
  std::string server = "redis-server";  // managed: program, or path, absolute once loaded
  std::vector<fault::redis_directive> directives;  // managed
  std::vector<source_position> directives_where;   // of each
};

enum class arrival_kind { constant, poisson };

struct load_recipe {
  std::size_t rooms = 1;
  std::size_t clients_per_node = 1;
  std::size_t rooms_each = 1;
  std::chrono::nanoseconds ramp = std::chrono::seconds(1);
  std::chrono::nanoseconds send_period{};  // of the whole fleet: 1 s / rate
  payload_recipe payload;
  arrival_kind arrival = arrival_kind::constant;
  // A person's patience. An unanswered send is unknown after `answer_timeout`, and its connection stays.
  std::chrono::nanoseconds answer_timeout = std::chrono::seconds(30);
  // Then the client leaves a server that says nothing; none: as the driver's published client.
  std::optional<std::chrono::nanoseconds> silence_timeout;
  bool reconnect_anywhere =
      false;  // `reconnect: any`: a client that lost its node tries the others in turn
};

struct phase_recipe {
  std::string name;
  std::chrono::nanoseconds duration{};
  std::optional<std::chrono::nanoseconds> send_period =
      std::nullopt;  // none: the load's; 0: nothing is sent
};

struct fault_recipe {
  std::string name;
  std::string kind;
  std::string phase;  // `at: steady+2s`
  std::chrono::nanoseconds offset{};
  std::optional<std::chrono::nanoseconds> held;
  std::vector<std::size_t> nodes;           // 0-based
  std::map<std::string, std::string> with;  // canonical texts, defaults filled in
  source_position where;
};

enum class expected_stat { max, p50, p95, p99, min, count };
struct expectation {
  std::string metric;  // recovery_time, delivery_latency, lost, ...
  expected_stat stat = expected_stat::max;
  std::string when;           // phase name, empty: whole run
  std::string fault;          // only this fault, empty: all
  std::optional<double> max;  // base unit: seconds or a count
  std::optional<double> min;
  source_position where;
};

struct scenario {
  std::string name;
  std::string description;
  std::vector<std::string> tags;
  std::vector<std::string> required_capabilities;
  redis_recipe redis;
  std::string target_name;  // or a path
  std::size_t nodes = 2;
  std::uint64_t descriptors_max = 0;  // of each node; 0: as Ordeal itself
  load_recipe load;
  std::vector<phase_recipe> phases;
  std::vector<fault_recipe> faults;
  std::vector<expectation> expectations;
  std::optional<std::uint64_t> seed;
  std::string file;
  std::string text;  // as read, for the results directory
};

}  // namespace ordeal::harness
