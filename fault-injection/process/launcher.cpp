#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <map>
#include <system_error>

#include "fault-injection/process/launcher.h"
#include "net/async/clock.h"

namespace ordeal::fault {
namespace {

std::string absolute_text(const std::filesystem::path& path) {
  return path.empty() ? std::string() : std::filesystem::absolute(path).string();
}

class warded_process final : public process {
 public:
  warded_process(std::shared_ptr<warden_channel> channel, std::shared_ptr<child_record> record,
                 std::string name)
      : channel_(std::move(channel)), record_(std::move(record)), name_(std::move(name)) {}
  ~warded_process() override {
    if (is_known_to_run()) channel_->signal(record_->id, SIGKILL);
  }

  pid_t pid() const override { return record_->pid; }
  const std::string& name() const override { return name_; }
  const std::optional<process_exit>& exit() const override { return record_->exit; }

  bool signal(int number) override {
    return is_known_to_run() && channel_->signal(record_->id, number);
  }

  asio::awaitable<process_exit> wait_exit() override {
    const auto record = record_;
    while (!record->exit) co_await record->changed.wait();
    co_return *record->exit;
  }

  asio::awaitable<process_exit> stop(std::chrono::milliseconds grace) override {
    const auto record = record_;
    const auto channel = channel_;
    signal(SIGTERM);
    signal(SIGCONT);  // a paused process could not answer the TERM
    const auto deadline = net::now() + grace;
    while (!record->exit && net::now() < deadline) co_await record->changed.wait_until(deadline);
    if (!record->exit) channel->signal(record->id, SIGKILL);
    while (!record->exit) co_await record->changed.wait();
    co_return *record->exit;
  }

 private:
  bool is_known_to_run() const { return !record_->exit && !record_->failure; }

  std::shared_ptr<warden_channel> channel_;
  std::shared_ptr<child_record> record_;
  std::string name_;
};

class warden_launcher final : public launcher {
 public:
  warden_launcher(asio::any_io_executor ex, int socket, pid_t warden_pid)
      : channel_(std::make_shared<warden_channel>(ex, socket, warden_pid)) {}

  void remove_at_end(const std::filesystem::path& directory) override {
    channel_->remove_at_end(absolute_text(directory));
  }

  asio::awaitable<launch_result> launch(process_spec spec) override {
    launch_result result;
    const auto record = std::make_shared<child_record>(channel_->executor());
    // From here on the child dies with `started`, also when this coroutine is destroyed while it
    // waits.
    auto started = std::make_unique<warded_process>(channel_, record, spec.name);
    const int error_number = channel_->launch(record, request_for(spec));
    if (error_number != 0) {
      record->failure = failed_event{record->id, launch_step::fork, error_number};
      result.error = "cannot start " + spec.name + ": " + why_not_asked(error_number);
      co_return result;
    }
    while (record->pid < 0 && !record->failure && !record->exit) co_await record->changed.wait();
    if (record->failure) {
      const failed_event& why = *record->failure;
      result.error = describe_failure(spec, why);
      result.is_program_missing = why.step == launch_step::program && why.error_number == ENOENT;
      co_return result;
    }
    if (record->pid < 0) {
      result.error = "cannot start " + spec.name + ": " + why_not_asked(EPIPE);
      co_return result;
    }
    result.started = std::move(started);
    co_return result;
  }

 private:
  static std::string why_not_asked(int error_number) {
    if (error_number == EMSGSIZE)
      return "its command, environment and stdin together are too large";
    if (error_number == EPIPE) return "the warden, which starts the processes, has ended";
    return "the warden cannot be reached: " + std::generic_category().message(error_number);
  }

  std::shared_ptr<warden_channel> channel_;
};

}  // namespace

launch_request request_for(const process_spec& spec) {
  std::map<std::string, std::string> environment;
  for (const char* const name : {"PATH", "HOME", "LANG", "TZ", "TMPDIR"}) {
    if (const char* const value = std::getenv(name)) environment[name] = value;
  }
  for (const auto& [name, value] : spec.env) environment[name] = value;

  launch_request request;
  request.command = spec.command;
  for (const auto& [name, value] : environment) request.environment.push_back(name + "=" + value);
  request.workdir = absolute_text(spec.workdir.empty() ? std::filesystem::path(".") : spec.workdir);
  request.log_file = absolute_text(spec.log_file);
  request.stdin_text = spec.stdin_text;
  request.descriptors_max = spec.descriptors_max;
  return request;
}

std::string describe_failure(const process_spec& spec, const failed_event& why) {
  const std::string reason = std::generic_category().message(why.error_number);
  const std::string program = spec.command.empty() ? "" : spec.command.front();
  std::string text = "cannot start " + spec.name + ": ";
  switch (why.step) {
    case launch_step::fork:
      return text + "no new process: " + reason;
    case launch_step::stdin_text:
      return text + "cannot give it its stdin: " + reason;
    case launch_step::log_file:
      return text + "cannot open its log file " + spec.log_file.string() + ": " + reason;
    case launch_step::workdir:
      return text + "cannot enter its working directory " + spec.workdir.string() + ": " + reason;
    case launch_step::limits:
      return text + "cannot limit it to " + std::to_string(spec.descriptors_max) +
             " descriptors: " + reason + "; this process may not give away more than it may have";
    case launch_step::program:
      break;
  }
  const bool is_searched = program.find('/') == std::string::npos;
  if (program.empty()) return text + "its command is empty";
  if (why.error_number != ENOENT) return text + "cannot run '" + program + "': " + reason;
  if (is_searched) return text + "no program '" + program + "' on PATH";
  return text + "there is no program '" + program + "', or its interpreter is missing";
}

std::unique_ptr<launcher> make_warden_launcher(asio::any_io_executor ex, int socket,
                                               pid_t warden_pid) {
  return std::make_unique<warden_launcher>(ex, socket, warden_pid);
}

}  // namespace ordeal::fault
