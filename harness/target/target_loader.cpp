#include "harness/target/target_loader.h"

#include <algorithm>

#include "harness/scenario/checked_document.h"
#include "harness/scenario/spelling.h"
#include "harness/scenario/user_file.h"
#include "harness/scenario/yaml_reader.h"
#include "harness/target/target_schema.h"
#include "harness/target/target_search.h"

namespace ordeal::harness {
namespace {

std::optional<std::size_t> optional_index(const checked_value& from) {
  return from.is_given() ? std::optional<std::size_t>(static_cast<std::size_t>(from.integer()))
                         : std::nullopt;
}

class target_reader {
 public:
  target_reader(const checked_value& root, const std::string& file,
                const std::vector<std::string>& drivers, problem_list& problems)
      : root_(root), file_(file), drivers_(drivers), problems_(problems) {}

  target read() {
    target result;
    result.file = file_;
    result.name = root_["name"].text();
    result.description = root_["description"].text();
    result.driver = root_["driver"].text();
    check_driver();
    result.has_backplane = root_["backplane"].text() != "none";
    if (root_["launch"].is_given() == root_["attach"].is_given()) {
      const checked_value& at = root_["attach"].is_given() ? root_["attach"] : root_;
      report(at, "E132", "a target needs one of launch and attach",
             "launch: { command: [...] } or attach: { urls: [...] }");
    }
    result.secrets = root_["secrets"].texts();
    if (root_["launch"].is_given()) result.launch = read_launch(root_["launch"]);
    check_secrets(result.secrets);
    result.attach_urls = root_["attach"]["urls"].texts();
    check_urls(root_["attach"]["urls"]);
    read_protocol(result.protocol);
    read_contract(result.promises);
    return result;
  }

 private:
  void report(const checked_value& at, std::string code, std::string message, std::string remedy) {
    problems_.add(at.problem(std::move(code), std::move(message), std::move(remedy)));
  }

  // What stands on a command line can be read by everybody.
  void check_secrets(const std::vector<std::string>& secrets) {
    for (const char* const key : {"command", "prepare"}) {
      for (const checked_value& word : root_["launch"][key].items()) {
        for (const std::string& name : secrets) {
          if (word.text().find("${env." + name + "}") == std::string::npos &&
              word.text().find("${env." + name + ":-") == std::string::npos)
            continue;
          report(word, "E132",
                 word.path() + ": the secret ${env." + name + "} would stand on a command line",
                 "give it to the node in launch.env");
        }
      }
    }
  }

  void check_driver() {
    const checked_value& driver = root_["driver"];
    if (!driver.is_given() || !driver.is_valid()) return;
    if (std::find(drivers_.begin(), drivers_.end(), driver.text()) != drivers_.end()) return;
    report(driver, "E140", "driver '" + driver.text() + "' is not supported yet",
           "available: " + join(drivers_));
  }

  void check_urls(const checked_value& urls) {
    for (const checked_value& url : urls.items()) {
      if (!url.is_valid() || url.text().starts_with("ws://") || url.text().starts_with("wss://"))
        continue;
      report(url, "E110", url.path() + ": '" + url.text() + "' is not a WebSocket address",
             "like ws://host:port or wss://host");
    }
  }

  launch_recipe read_launch(const checked_value& from) {
    launch_recipe launch;
    launch.command = from["command"].texts();
    if (from["command"].is_given() && from["command"].is_valid() && launch.command.empty()) {
      report(from["command"], "E132", "launch.command is empty", "name the program to run");
    }
    launch.workdir = (std::filesystem::absolute(file_).parent_path() / from["workdir"].text())
                         .lexically_normal()
                         .string();
    for (const auto& [name, value] : from["env"].members())
      launch.env.emplace_back(name, value.text());
    launch.prepare = from["prepare"].texts();
    launch.required_programs = from["requires"].texts();
    launch.ready = read_readiness(from["ready"]);
    return launch;
  }

  readiness read_readiness(const checked_value& from) {
    readiness ready;
    ready.timeout = from["timeout"].duration();
    const int given =
        int(from["http"].is_given()) + int(from["tcp"].is_given()) + int(from["log"].is_given());
    if (given > 1)
      report(from, "E132", "launch.ready needs one of http, tcp and log", "keep one of them");
    if (from["http"].is_given()) {
      ready.kind = ready_kind::http;
      ready.text = from["http"].text();
      if (!ready.text.starts_with('/'))
        report(from["http"], "E110", "launch.ready.http: '" + ready.text + "' is not a path",
               "it starts with '/'");
    } else if (from["log"].is_given()) {
      ready.kind = ready_kind::log;
      ready.text = from["log"].text();
      if (ready.text.empty())
        report(from["log"], "E110", "launch.ready.log is empty",
               "write a part of the line it logs when it is ready");
    } else if (from["tcp"].is_given() && from["tcp"].is_valid() && !from["tcp"].flag()) {
      report(from["tcp"], "E132", "launch.ready.tcp is false", "write true, or use http or log");
    }
    return ready;
  }

  call_template read_call(const checked_value& from) {
    call_template call;
    call.name = from["send"].text();
    call.arguments = from["args"].texts();
    call.has_ack = from["ack"].flag();
    return call;
  }

  void read_protocol(protocol_recipe& protocol) {
    const checked_value& from = root_["protocol"];
    protocol.path = from["path"].text();
    if (from["path"].is_valid() && !protocol.path.starts_with('/')) {
      report(from["path"], "E110", "protocol.path: '" + protocol.path + "' is not a path",
             "it starts with '/'");
    }
    protocol.join = read_call(from["join"]);
    protocol.join.is_cursor_result = from["join"]["cursor"].is_given();
    protocol.publish = read_call(from["publish"]);
    const checked_value& args = from["publish"]["args"];
    const auto has_payload = [](const std::string& text) {
      return text.find("${payload}") != std::string::npos;
    };
    if (args.is_given() && args.is_valid() &&
        std::none_of(protocol.publish.arguments.begin(), protocol.publish.arguments.end(),
                     has_payload)) {
      report(args, "E132", "protocol.publish.args does not carry the message",
             "one of them must be \"${payload}\"");
    }
    const checked_value& receive = from["receive"];
    protocol.receive.name = receive["on"].text();
    protocol.receive.payload = static_cast<std::size_t>(receive["payload"].integer());
    protocol.receive.room = optional_index(receive["room"]);
    protocol.receive.cursor = optional_index(receive["cursor"]);
    read_reset(from["reset"], protocol);
    protocol.resume = static_cast<resume_kind>(from["resume"].choice());
    protocol.retry_prefix = from["retry_prefix"].text();
    protocol.refused_prefix = from["refused_prefix"].text();
    check_resume(from, protocol);
  }

  void read_reset(const checked_value& from, protocol_recipe& protocol) {
    if (!from.is_given()) return;
    receive_template reset;
    reset.name = from["on"].text();
    reset.room = optional_index(from["room"]);
    protocol.reset = std::move(reset);
  }

  // Resuming by cursor needs a cursor from somewhere, and somewhere to give it back.
  void check_resume(const checked_value& from, const protocol_recipe& protocol) {
    if (protocol.resume != resume_kind::cursor || !from["resume"].is_given()) return;
    if (!protocol.receive.cursor && !protocol.join.is_cursor_result) {
      report(from["resume"], "E132", "protocol.resume: there is no cursor to resume from",
             "say which argument carries it: receive: { cursor: N }, or join: { cursor: result }");
    }
    const auto has_cursor = [](const std::string& text) {
      return text.find("${cursor}") != std::string::npos;
    };
    const std::vector<std::string>& args = protocol.join.arguments;
    if (std::none_of(args.begin(), args.end(), has_cursor)) {
      report(from["resume"], "E132", "protocol.resume: the join call does not take the cursor",
             "add \"${cursor}\" to protocol.join.args");
    }
  }

  void read_contract(contract& promises) {
    const checked_value& from = root_["contract"];
    promises.delivery = static_cast<delivery_promise>(from["delivery"].choice());
    promises.order = static_cast<order_promise>(from["order"].choice());
    promises.duplicates = static_cast<duplicates_promise>(from["duplicates"].choice());
    promises.ack = static_cast<ack_promise>(from["ack"].choice());
    promises.resume = from["resume"].flag();
    promises.recovery = from["recovery"].duration();
    if (promises.resume && from["resume"].is_given() && root_["protocol"]["resume"].is_valid() &&
        root_["protocol"]["resume"].text() == "none") {
      report(from["resume"], "E132", "contract.resume is true, but protocol.resume is none",
             "say how clients resume, or promise false");
    }
  }

  const checked_value& root_;
  const std::string& file_;
  const std::vector<std::string>& drivers_;
  problem_list& problems_;
};

}  // namespace

loaded_target parse_target(const std::string& text, const std::string& file,
                           const std::vector<std::string>& drivers) {
  loaded_target result;
  result.text = text;
  problem_list problems;
  yaml_document document = read_yaml(text, file);
  for (diagnostic& problem : document.problems) problems.add(std::move(problem));
  if (!document.root && problems.is_empty()) {
    problems.add({{file, 0, 0},
                  "the file is empty",
                  "E105",
                  0,
                  {},
                  "`ordeal explain target` lists the keys"});
  }
  if (document.root) {
    check_options options;
    options.file = file;
    options.other = {{"backplane", "load", "phases", "faults"},
                     "this is a scenario file, not a target",
                     "`ordeal run FILE` runs it"};
    const checked_value root = check_document(*document.root, target_schema(), options, problems);
    if (root.is_valid()) {
      target loaded = target_reader(root, file, drivers, problems).read();
      if (problems.is_empty()) result.value = std::move(loaded);
    }
  }
  result.problems = problems.sorted();
  return result;
}

loaded_target load_target_file(const std::string& path, const std::vector<std::string>& drivers) {
  problem_list problems;
  const std::optional<std::string> text = read_user_file(path, problems);
  if (text) return parse_target(*text, path, drivers);
  loaded_target result;
  result.problems = problems.sorted();
  return result;
}

loaded_target load_target(const std::string& name_or_file, const std::filesystem::path& share,
                          const std::vector<std::string>& drivers) {
  const std::filesystem::path file = find_target(name_or_file, share);
  if (!file.empty()) return load_target_file(file.string(), drivers);
  const std::vector<std::string> known = known_targets(share);
  loaded_target result;
  diagnostic problem;
  problem.message = "there is no target '" + name_or_file + "'";
  problem.code = "E130";
  problem.suggestion = did_you_mean(name_or_file, known);
  problem.remedy =
      known.empty() ? "no targets were found; set ORDEAL_SHARE, or write the path of a target file"
                    : "targets: " + join(known) + "; or write the path of a target file";
  result.problems.push_back(std::move(problem));
  return result;
}

}  // namespace ordeal::harness
