#include "harness/run/nodes.h"

#include <algorithm>
#include <cstdlib>
#include <iomanip>
#include <sstream>

#include "fault-injection/redis/managed_redis.h"
#include "harness/history/reason_text.h"
#include "net/async/deadline.h"
#include "net/http.h"
#include "reports/text.h"

namespace ordeal::harness {
namespace asio = net::asio;
namespace {

constexpr std::chrono::milliseconds probe_interval{50};
constexpr std::chrono::milliseconds probe_limit{1'000};
constexpr std::chrono::seconds slow_start{5};  // then it is told what holds it up
constexpr std::size_t quoted_bytes_max = 200;
constexpr std::chrono::minutes prepare_limit{10};
constexpr std::chrono::milliseconds log_interval{
    250};  // of looking whether logs have grown too long

std::string seconds_text(std::chrono::nanoseconds duration) {
  std::ostringstream text;
  text << std::setprecision(3) << std::chrono::duration<double>(duration).count() << " s";
  return text.str();
}

asio::awaitable<bool> can_connect(asio::ip::tcp::endpoint where) {
  const auto ex = co_await asio::this_coro::executor;
  asio::ip::tcp::socket socket(ex);
  auto [ec] = co_await socket.async_connect(where, asio::as_tuple(asio::use_awaitable));
  co_return !ec;
}

asio::awaitable<void> stop_one(std::shared_ptr<fault::process> which,
                               std::chrono::milliseconds grace) {
  co_await which->stop(grace);
}

}  // namespace

node_set::node_set(asio::any_io_executor ex, fault::launcher& launch, const target& what,
                   private_directory& secrets, node_surroundings around, on_change changed)
    : ex_(ex),
      launch_(launch),
      target_(what),
      secrets_(secrets),
      around_(std::move(around)),
      changed_(std::move(changed)),
      nodes_(around_.redis_ports.size()),
      watchers_(ex),
      is_stopping_(ex) {
  tell_password(around_.redis_password);
  for (member& each : nodes_) each.port = fault::free_loopback_port();
}

node_set::~node_set() = default;

void node_set::tell_password(std::string_view password) {
  password_file_ = secrets_.write_file("redis-password", std::string(password) + "\n");
  around_.redis_password = password;
  passwords_told_.emplace_back(password);
}

fault::process* node_set::running_process(std::size_t node) {
  const auto& running = nodes_[node].running;
  return running && !running->exit() ? running.get() : nullptr;
}

std::chrono::microseconds node_set::cpu_time() const {
  std::chrono::microseconds sum{0};
  for (const member& each : nodes_) {
    if (each.running && !each.running->exit()) sum += fault::process_cpu_time(each.running->pid());
  }
  return sum;
}

bool node_set::is_cpu_time_complete() const {
  const auto runs = [](const member& each) { return each.running && !each.running->exit(); };
  return !has_restarted_ && std::all_of(nodes_.begin(), nodes_.end(), runs);
}

placeholder_values node_set::values_of(std::size_t index) const {
  const std::string port = std::to_string(around_.redis_ports[index]);
  const std::string address = around_.redis_host + ":" + port;
  const std::string& user = around_.redis_user;
  const std::string& password = around_.redis_password;
  const std::string login = password.empty() ? user : user + ":" + password;
  return {
      {"bin", around_.binaries.string()},
      {"app", around_.app},
      {"run", around_.run},
      {"node.name", name(index)},
      {"node.index", std::to_string(index + 1)},
      {"node.port", std::to_string(nodes_[index].port)},
      {"redis.host", around_.redis_host},
      {"redis.port", port},
      {"redis.user", user},
      {"redis.password", password},
      {"redis.password_file", password_file_.string()},
      {"redis.url", "redis://" + (user.empty() ? "" : user + "@") + address + "/0"},
      {"redis.url_with_password", "redis://" + (login.empty() ? "" : login + "@") + address + "/0"},
  };
}

fault::process_spec node_set::spec_of(std::size_t index) const {
  const launch_recipe& recipe = *target_.launch;
  const placeholder_values values = values_of(index);
  fault::process_spec spec;
  spec.name = name(index);
  for (const std::string& word : recipe.command) spec.command.push_back(substitute(word, values));
  for (const auto& [key, value] : recipe.env) spec.env.emplace_back(key, substitute(value, values));
  spec.workdir = recipe.workdir;
  spec.log_file = log_of(index);
  spec.descriptors_max = around_.descriptors_max;
  return spec;
}

asio::awaitable<fault::step_result> node_set::prepare() {
  const launch_recipe& recipe = *target_.launch;
  if (recipe.prepare.empty()) co_return fault::step_result{true, {}};
  fault::process_spec spec;
  spec.name = "prepare";
  const placeholder_values values = values_of(0);
  for (const std::string& word : recipe.prepare) spec.command.push_back(substitute(word, values));
  spec.workdir = recipe.workdir;
  spec.log_file = around_.logs / "prepare.log";
  auto launched = co_await launch_.launch(spec);
  if (!launched.started) co_return fault::step_result{false, launched.error};
  auto ended = co_await net::with_deadline(launched.started->wait_exit(), prepare_limit);
  if (ended && !ended->by_signal && ended->code == 0) co_return fault::step_result{true, {}};
  const std::string how =
      ended ? ended->describe() : "no end within " + seconds_text(prepare_limit);
  co_return fault::step_result{
      false, "the target's `prepare` command failed: " + how + quoted_log(spec.log_file)};
}

asio::awaitable<fault::step_result> node_set::start_all() {
  watchers_.spawn("logs", keep_logs());
  fault::step_result prepared = co_await prepare();
  if (!prepared.is_ok) co_return prepared;
  std::vector<fault::step_result> results(nodes_.size());
  net::task_group starts(ex_);
  is_first_start_ = true;
  for (std::size_t i = 0; i < nodes_.size(); ++i)
    starts.spawn(name(i), start_and_wait(i, results[i]));
  co_await starts.join();
  is_first_start_ = false;
  for (const fault::step_result& result : results) {
    if (!result.is_ok) co_return result;
  }
  co_return fault::step_result{true, {}};
}

asio::awaitable<void> node_set::start_and_wait(std::size_t index, fault::step_result& result) {
  result = co_await start(index);
  if (result.is_ok) result = co_await wait_ready(index);
}

asio::awaitable<fault::step_result> node_set::start(std::size_t index) {
  member& which = nodes_[index];
  if (running_process(index) != nullptr)
    co_return fault::step_result{false, name(index) + " runs already"};
  if (which.running) has_restarted_ = true;
  const fault::process_spec spec = spec_of(index);
  auto launched = co_await launch_.launch(spec);
  if (!launched.started) co_return fault::step_result{false, launched.error};
  which.running = std::move(launched.started);
  which.is_exit_expected = false;
  changed_(node_id(index), node_state::starting, true,
           "pid " + std::to_string(which.running->pid()));
  watchers_.spawn(name(index), watch(index, which.running));
  co_return fault::step_result{true, "pid " + std::to_string(which.running->pid())};
}

asio::awaitable<void> node_set::watch(std::size_t index, std::shared_ptr<fault::process> which) {
  const fault::process_exit ended = co_await which->wait_exit();
  const bool was_planned = nodes_[index].is_exit_expected;
  const node_state state = was_planned ? node_state::stopped : node_state::exited;
  changed_(node_id(index), state, was_planned,
           ended.describe() + (was_planned ? "" : quoted_log(log_of(index))));
}

asio::awaitable<fault::step_result> node_set::wait_ready(std::size_t index) {
  const readiness& ready = target_.launch->ready;
  const auto begun = net::now();
  log_watch log(log_of(index), ready.text);
  while (net::now() - begun < ready.timeout) {
    if (running_process(index) == nullptr) {
      const auto& ended = nodes_[index].running;
      const std::string how = ended && ended->exit() ? ended->exit()->describe() : "gone";
      co_return fault::step_result{
          false, name(index) + " ended before it was ready: " + how + quoted_log(log_of(index))};
    }
    const bool is_up = co_await is_ready(index, log);
    if (is_up) {
      changed_(node_id(index), node_state::ready, true,
               "after " + seconds_text(net::now() - begun));
      co_return fault::step_result{
          true, name(index) + " ready after " + seconds_text(net::now() - begun)};
    }
    if (is_first_start_ && around_.login_trouble) {
      const std::string refused = around_.login_trouble(node_id(index));
      if (!refused.empty())
        co_return fault::step_result{false, name(index) + " is not ready: " + refused};
    }
    if (is_first_start_ && waiting_.empty() && net::now() - begun > slow_start) {
      const std::string why = co_await why_not_ready(index);
      waiting_ = name(index) + " is not ready after " + seconds_text(slow_start) + ": " + why;
    }
    co_await net::sleep_for(probe_interval);
  }
  const std::string why = co_await why_not_ready(index);
  co_return fault::step_result{false, name(index) + " was not ready within " +
                                          seconds_text(ready.timeout) + ": " + why +
                                          quoted_log(log_of(index))};
}

asio::awaitable<std::string> node_set::why_not_ready(std::size_t index) {
  const readiness& ready = target_.launch->ready;
  std::string why = ready.kind == ready_kind::tcp   ? "no connection to its port"
                    : ready.kind == ready_kind::log ? "no log line with '" + ready.text + "'"
                                                    : "no 200 from " + ready.text;
  const std::string& answer = nodes_[index].last_answer;
  if (!answer.empty()) why += " (it answers " + answer + ")";
  if (!is_first_start_ || !target_.has_backplane || !around_.has_reached_redis) co_return why;
  const bool has_reached = co_await around_.has_reached_redis(index);
  if (!has_reached)
    why +=
        "; it has not connected to the Redis under test: look at what launch.env and "
        "launch.command give it of "
        "${redis.url}, or ${redis.host} and ${redis.port}";
  co_return why;
}

asio::awaitable<bool> node_set::is_ready(std::size_t index, log_watch& log) {
  const readiness& ready = target_.launch->ready;
  const asio::ip::tcp::endpoint where(asio::ip::address_v4::loopback(), nodes_[index].port);
  if (ready.kind == ready_kind::log) co_return log.has_appeared();
  if (ready.kind == ready_kind::tcp) {
    const auto connected = co_await net::with_deadline(can_connect(where), probe_limit);
    co_return connected.value_or(false);
  }
  const net::http_result answer =
      co_await net::http_request_once(where, "GET", ready.text, "", probe_limit);
  std::string& said = nodes_[index].last_answer;
  said.clear();
  if (!answer.ec) {
    const std::string body = answer.response.body.substr(0, quoted_bytes_max);
    const std::string line = without_secrets(body.substr(0, body.find('\n')), secrets());
    said = std::to_string(answer.response.status);
    if (!line.empty()) said += ": " + report::terminal_text(line);
  }
  co_return !answer.ec && answer.response.status == 200;
}

std::filesystem::path node_set::log_of(std::size_t index) const {
  return around_.logs / (name(index) + ".log");
}

std::vector<std::string> node_set::secrets() const {
  std::vector<std::string> secrets = passwords_told_;
  for (const std::string& name : target_.secrets) {
    const char* const value = std::getenv(name.c_str());
    if (value != nullptr) secrets.emplace_back(value);
  }
  return secrets;
}

// Without the secrets that were given to the nodes.
std::string node_set::quoted_log(const std::filesystem::path& log) const {
  return without_secrets(log_excerpt(log), secrets());
}

asio::awaitable<void> node_set::keep_logs() {
  log_keeper keeper(around_.logs);
  while (!is_stopping_.is_set()) {
    co_await is_stopping_.wait_for(log_interval);
    keeper.tick();
  }
}

asio::awaitable<void> node_set::stop_all(std::chrono::milliseconds grace) {
  net::task_group stops(ex_);
  std::vector<std::shared_ptr<fault::process>> running;
  for (member& each : nodes_) {
    each.is_exit_expected = true;
    if (each.running && !each.running->exit()) running.push_back(each.running);
  }
  for (const auto& each : running) stops.spawn(each->name(), stop_one(each, grace));
  co_await stops.join();
  is_stopping_.set();
  co_await watchers_.join();
}

}  // namespace ordeal::harness
