#include "fault-injection/redis/managed_redis.h"

#include <algorithm>
#include <boost/algorithm/string/replace.hpp>
#include <fstream>
#include <sstream>
#include <utility>

#include "fault-injection/redis/client_list.h"
#include "fault-injection/redis/loopback.h"
#include "fault-injection/redis/redis_config.h"
#include "net/async/clock.h"
#include "net/async/condition.h"
#include "net/async/random.h"

namespace ordeal::fault {
namespace {

using net::redis::connection_options;
using net::redis::exec_result;
using net::redis::request;
using std::chrono::milliseconds;

constexpr milliseconds start_limit{
    20'000};  // an append-only file of some hundred MB is loaded in that time
constexpr milliseconds ping_limit{500};  // of one attempt while it starts
constexpr milliseconds poll_first{5}, poll_max{100};
constexpr milliseconds admin_limit{5'000};
constexpr milliseconds kick_limit{2'000};

step_result failed(std::string evidence) {
  return step_result{false, std::move(evidence)};
}
step_result done(std::string evidence) {
  return step_result{true, std::move(evidence)};
}

bool is_timeout(net::redis::error_code ec) {
  return ec == net::redis::errc::connect_timeout || ec == net::redis::errc::command_timeout;
}

std::string describe(const net::redis::open_result& opened) {
  return opened.detail.empty() ? opened.ec.message() : opened.detail;
}

// The error of a round trip that was to succeed: of the transport or of the first error reply;
// empty: none.
std::string error_of(const exec_result& result) {
  if (result.ec) return result.ec.message();
  for (const net::redis::reply& reply : result.replies) {
    if (reply.view().is_error()) return std::string(reply.view().text());
  }
  return "";
}

// The last line that is not blank, of what was appended after `begin`.
std::string last_line(const std::filesystem::path& file, std::uintmax_t begin) {
  std::ifstream text(file);
  text.seekg(static_cast<std::streamoff>(begin));
  std::string line, last;
  while (std::getline(text, line)) {
    if (line.find_first_not_of(" \t\r") != std::string::npos) last = line;
  }
  return last;
}

std::string text_from(const std::filesystem::path& file, std::uintmax_t begin) {
  std::ifstream from(file);
  from.seekg(static_cast<std::streamoff>(begin));
  std::ostringstream text;
  text << from.rdbuf();
  return text.str();
}

class private_redis final : public managed_redis {
 public:
  private_redis(launcher& launch, redis_settings settings)
      : launch_(launch),
        settings_(std::move(settings)),
        application_(application_user(settings_)),
        admin_password_(generate_password()) {}

  std::uint16_t port() const override { return port_.number(); }
  std::string version() const override { return version_; }
  std::optional<std::size_t> refused_directive() const override { return refused_; }
  const std::string& user() const override { return settings_.user; }
  const std::string& password() const override { return settings_.password; }

  process* running_process() override {
    return process_ && !process_->exit() ? process_.get() : nullptr;
  }

  asio::awaitable<step_result> start() override {
    refused_.reset();
    if (running_process() != nullptr) co_return failed(name() + " runs already");
    if (const std::string problem = check_redis_settings(settings_); !problem.empty())
      co_return failed(problem);
    std::error_code no_log_yet;
    const auto size = std::filesystem::file_size(settings_.log_file, no_log_yet);
    log_begin_ = no_log_yet ? 0 : size;

    process_spec spec;
    spec.name = name();
    spec.command = {settings_.program, "-"};
    spec.workdir = settings_.data_dir;
    spec.log_file = settings_.log_file;
    spec.stdin_text = redis_config(settings_, port(), admin_password_, is_login_enabled_);
    launch_result launched = co_await launch_.launch(std::move(spec));
    if (!launched.started) {
      if (!launched.is_program_missing) co_return failed(launched.error);
      co_return failed("cannot find " + settings_.program +
                       (settings_.program == redis_settings().program
                            ? ": install the package redis-server"
                            : ": install it, or correct backplane.redis.server"));
    }
    process_ = std::move(launched.started);
    step_result result = co_await answer_first_ping();
    if (!result.is_ok) process_.reset();
    co_return result;
  }

  asio::awaitable<process_exit> stop(milliseconds grace) override {
    if (!process_) co_return process_exit();
    co_return co_await process_->stop(grace);
  }

  asio::awaitable<exec_result> admin(request what) override {
    // A connection each time: no state to mend after a kill, and faults may overlap.
    connection_options options = options_for(std::string(admin_user), admin_password_, admin_limit);
    auto opened = co_await net::redis::connect(std::move(options));
    exec_result result;
    result.ec = opened.ec;
    if (opened.ec) co_return result;
    result = co_await opened.opened->exec(what, admin_limit);
    co_return result;
  }

  asio::awaitable<std::string> ping(milliseconds limit) override {
    connection_options options = options_for(std::string(admin_user), admin_password_, limit);
    std::string answer = co_await ping_with(std::move(options), limit);
    co_return answer;
  }

  asio::awaitable<step_result> try_login(std::string password, milliseconds limit) override {
    connection_options options = options_for(settings_.user, std::move(password), limit);
    const std::string answer = co_await ping_with(std::move(options), limit);
    if (answer == "PONG") co_return done("logged in as " + application_ + " on a new connection");
    if (answer.empty())
      co_return failed("no answer to a login in " + std::to_string(limit.count()) + " ms");
    co_return failed("login as " + application_ + " on a new connection: " + answer);
  }

  asio::awaitable<step_result> set_password(std::string password) override {
    const std::string rule = ">" + password;
    request what;
    what.add({"ACL", "SETUSER", application_, "resetpass", rule});
    const exec_result result = co_await admin(std::move(what));
    if (const std::string error = error_of(result); !error.empty()) {
      co_return failed("ACL SETUSER: " + without_secrets(error, password));
    }
    settings_.password = std::move(password);
    co_return done("the password of " + application_ + " is changed");
  }

  asio::awaitable<step_result> set_login_enabled(bool is_enabled) override {
    const std::string_view state = is_enabled ? "on" : "off";
    request what;
    what.add({"ACL", "SETUSER", application_, state});
    const exec_result result = co_await admin(std::move(what));
    if (const std::string error = error_of(result); !error.empty())
      co_return failed("ACL SETUSER: " + error);
    is_login_enabled_ = is_enabled;
    co_return done("the user " + application_ + " is " + std::string(state));
  }

  asio::awaitable<step_result> kick() override {
    request list, kill;
    list.add({"CLIENT", "LIST"});
    kill.add({"CLIENT", "KILL", "USER", application_});
    const exec_result before = co_await admin(list);
    if (const std::string error = error_of(before); !error.empty())
      co_return failed("CLIENT LIST: " + error);
    const auto doomed = connections_of(before.replies[0].view().text(), application_);
    const exec_result killed = co_await admin(std::move(kill));
    if (const std::string error = error_of(killed); !error.empty())
      co_return failed("CLIENT KILL: " + error);

    const auto deadline = net::now() + kick_limit;
    std::size_t left = doomed.size();
    while (true) {
      const exec_result after = co_await admin(list);
      if (const std::string error = error_of(after); !error.empty())
        co_return failed("CLIENT LIST: " + error);
      const auto open = connections_of(after.replies[0].view().text(), application_);
      const auto is_open = [&open](const std::string& id) {
        return std::find(open.begin(), open.end(), id) != open.end();
      };
      left = static_cast<std::size_t>(std::count_if(doomed.begin(), doomed.end(), is_open));
      if (left == 0 || net::now() >= deadline) break;
      co_await net::sleep_for(poll_first);
    }
    const std::string count = std::to_string(doomed.size());
    if (left > 0)
      co_return failed(std::to_string(left) + " of " + count +
                       " connections are still in CLIENT LIST");
    co_return done("closed " + count + " connections of " + application_ +
                   ", gone from CLIENT LIST");
  }

 private:
  connection_options options_for(std::string user, std::string password, milliseconds limit) const {
    connection_options options;
    options.port = port();
    options.auth.user = std::move(user);
    options.auth.password = std::move(password);
    options.connect_timeout = limit;
    return options;
  }

  // The text of the answer or of the error; empty when there was none within `limit`.
  static asio::awaitable<std::string> ping_with(connection_options options, milliseconds limit) {
    const auto deadline = net::now() + limit;
    const auto opened = co_await net::redis::connect(std::move(options));
    if (opened.ec) co_return is_timeout(opened.ec) ? std::string() : describe(opened);
    const auto rest = std::chrono::ceil<milliseconds>(deadline - net::now());
    const auto left = std::max(rest, milliseconds(1));
    request what;
    what.add({"PING"});
    const exec_result result = co_await opened.opened->exec(what, left);
    if (result.ec) co_return is_timeout(result.ec) ? std::string() : result.ec.message();
    co_return std::string(result.replies[0].view().text());
  }

  asio::awaitable<step_result> answer_first_ping() {
    const auto deadline = net::now() + start_limit;
    std::string answer;
    for (milliseconds pause = poll_first; net::now() < deadline;
         pause = std::min(pause * 2, poll_max)) {
      answer = co_await ping(ping_limit);
      if (process_->exit()) co_return failed(why_ended());
      if (answer == "PONG") co_return co_await identify();
      co_await net::sleep_for(pause);
    }
    if (answer.empty()) answer = "none";
    co_return failed(name() + " did not answer PING with PONG in " +
                     std::to_string(start_limit.count() / 1000) + " s (last answer: " + answer +
                     "); its log ends with: " + log_end());
  }

  // That it is our process which answers, and which version it is.
  asio::awaitable<step_result> identify() {
    request what;
    what.add({"INFO", "server"});
    const exec_result result = co_await admin(std::move(what));
    if (const std::string error = error_of(result); !error.empty())
      co_return failed("INFO: " + error);
    const std::string_view info = result.replies[0].view().text();
    const std::string pid = info_field(info, "process_id");
    if (pid != std::to_string(process_->pid())) {
      co_return failed("another server answers on port " + std::to_string(port()));
    }
    version_ = version_of(info);
    co_return done(name() + " " + version_ + " (pid " + pid + ") answers PONG on port " +
                   std::to_string(port()));
  }

  std::string name() const { return std::filesystem::path(settings_.program).filename(); }

  std::string why_ended() {
    const auto complaint = find_complaint(text_from(settings_.log_file, log_begin_));
    if (complaint) refused_ = directive_of(complaint->line, settings_);
    if (!refused_) {
      return name() + " ended at its start (" + process_->exit()->describe() + "): " + log_end();
    }
    const redis_directive& wrong = settings_.directives[*refused_];
    return name() + " refuses '" + wrong.name + " " + wrong.value + "': " + complaint->words;
  }

  std::string log_end() const {
    const std::string line = last_line(settings_.log_file, log_begin_);
    return line.empty() ? "its log is empty" : without_secrets(line, settings_.password);
  }

  // What a server says may quote what it was told.
  std::string without_secrets(std::string text, const std::string& secret) const {
    for (const std::string* const hidden : {&secret, &admin_password_})
      boost::algorithm::replace_all(text, *hidden, "***");
    return text;
  }

  launcher& launch_;
  redis_settings settings_;  // `password` is the one of now
  std::string application_;
  std::string admin_password_;
  reserved_port port_;
  std::string version_;
  std::optional<std::size_t> refused_;
  bool is_login_enabled_ = true;
  std::uintmax_t log_begin_ = 0;  // where the log of the last start begins
  std::unique_ptr<process> process_;
};

}  // namespace

std::unique_ptr<managed_redis> make_managed_redis(asio::any_io_executor, launcher& launch,
                                                  redis_settings settings) {
  return std::make_unique<private_redis>(launch, std::move(settings));
}

std::string generate_password() {
  return net::random_id(32);
}

asio::awaitable<std::string> read_run_id(managed_redis& redis) {
  request what;
  what.add({"INFO", "server"});
  const exec_result result = co_await redis.admin(std::move(what));
  if (!error_of(result).empty()) co_return std::string();
  co_return info_field(result.replies[0].view().text(), "run_id");
}

}  // namespace ordeal::fault
