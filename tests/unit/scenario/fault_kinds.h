// A small fault registry of the tests' own, so that their texts do not change with the real one.
#pragma once

#include <vector>

#include "fault-injection/fault.h"

namespace ordeal::test {

inline std::vector<fault::fault_kind> fault_kinds() {
  using namespace fault;
  fault_kind crash;
  crash.name = "redis_kill";
  crash.doc = "Kills Redis.";
  fault_kind password;
  password.name = "redis_password";
  password.klass = fault_class::server_admin;
  password.duration = duration_use::optional;
  password.doc = "Changes the password.";
  password.parameters = {
      {"change", parameter_type::text, "", {"rotate", "revoke"}, "What happens to the password."},
      {"kick", parameter_type::boolean, "false", {}, "Closes connections."},
      {"tell_nodes_after", parameter_type::duration, "1s", {}, "When the nodes learn it."},
      {"noise", parameter_type::size, "64KiB", {}, "Bytes of noise."},
      {"rounds", parameter_type::integer, "1", {}, "How often."},
  };
  password.validate = [](const fault_spec& spec) {
    return spec.text("change") == "revoke" && !spec.held ? std::string("change: revoke needs `for`")
                                                         : std::string();
  };
  fault_kind cut;
  cut.name = "link_blackhole";
  cut.klass = fault_class::link;
  cut.target = target_kind::link;
  cut.doc = "Cuts a link.";
  fault_kind reset;
  reset.name = "link_reset";
  reset.klass = fault_class::link;
  reset.target = target_kind::link;
  reset.duration = duration_use::forbidden;
  reset.doc = "Resets a link's connections.";
  return {cut, reset, crash, password};
}

}  // namespace ordeal::test
