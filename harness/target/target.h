// A target: how to launch nodes of a chat server, how to talk to them, and what they promise.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "harness/scenario/source.h"

namespace ordeal::harness {

enum class delivery_promise { every_message, best_effort_in_outage, best_effort };
enum class order_promise { total, per_sender, none };
enum class duplicates_promise { none, in_outage, allowed };
enum class ack_promise { stable, appended, accepted, none };

// What the target promises; the judge holds it to that.
struct contract {
  delivery_promise delivery = delivery_promise::every_message;
  order_promise order = order_promise::total;
  duplicates_promise duplicates = duplicates_promise::none;
  ack_promise ack = ack_promise::appended;
  bool resume = true;
  std::chrono::nanoseconds recovery = std::chrono::seconds(15);
};
contract strict_contract();  // every message, once, total order

enum class ready_kind { http, tcp, log };
struct readiness {
  ready_kind kind = ready_kind::tcp;
  std::string text;  // path for http, substring for log
  std::chrono::nanoseconds timeout = std::chrono::seconds(20);
};

struct launch_recipe {
  std::vector<std::string> command;
  std::string workdir;  // absolute, once loaded
  std::vector<std::pair<std::string, std::string>> env;
  std::vector<std::string> prepare;
  readiness ready;
  std::vector<std::string> required_programs;
};

enum class resume_kind { none, cursor, native };

// One call to or from the server. Templates hold ${room}, ${payload}, ${message_id}, ${cursor}.
struct call_template {
  std::string name;
  std::vector<std::string> arguments;
  bool has_ack = true;
  bool is_cursor_result = false;  // `cursor: result`: the ack's result is the cursor
};
struct receive_template {
  std::string name;
  std::size_t payload = 0;          // which argument
  std::optional<std::size_t> room;  // which argument; none: the transport names no room
  std::optional<std::size_t> cursor;
};
struct protocol_recipe {
  std::string path = "/";
  call_template join;
  call_template publish;
  receive_template receive;
  std::optional<receive_template> reset;  // room only
  resume_kind resume = resume_kind::none;
  // How the text of an error answer to a publish starts when it may be retried, or when it was refused for good.
  // Anything else is an unknown outcome (info).
  std::string retry_prefix = "retry:";
  std::string refused_prefix = "refused:";
};

struct target {
  std::string name;
  std::string description;
  std::string driver;         // "signalr"
  bool has_backplane = true;  // `backplane: none` otherwise: one node needs none
  std::optional<launch_recipe> launch;
  std::vector<std::string> secrets;      // names of environment variables
  std::vector<std::string> attach_urls;  // when not launched
  protocol_recipe protocol;
  contract promises;
  std::string file;  // where it was loaded from
};

}  // namespace ordeal::harness
