// ordeal-bench-appends: how many messages several nodes append through one Redis, and what the log
// adds to the way of a message. Each node is a process of its own; Redis is a private one. Beside
// the numbers stands the floor: what Redis alone does with the same number of plain XADDs,
// pipelined.
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdio>
#include <iostream>
#include <unordered_map>
#include <vector>

#include "net/async/clock.h"
#include "net/async/condition.h"
#include "net/async/log.h"
#include "net/async/run_main.h"
#include "net/async/task_group.h"
#include "reference-server/log/chat_log.h"
#include "tests/support/redis_server.h"

namespace ordeal::bench {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

constexpr std::size_t message_bytes = 130;

struct options {
  int nodes = 3;
  int seconds = 8;
  int rate = 0;             // of all nodes together; 0: as fast as it goes
  int outstanding = 2'000;  // of each node, when as fast as it goes
  std::string delivery = "fast";
};

struct node_result {
  std::uint64_t appended = 0;
  std::uint64_t failed = 0;
  double cpu_seconds = 0;
  double ack_p50_ms = 0, ack_p99_ms = 0;
  double delivered_p50_ms = 0, delivered_p99_ms = 0;
};

double cpu_seconds_used(int who) {
  rusage used{};
  ::getrusage(who, &used);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

double percentile_ms(std::vector<double>& values, double part) {
  if (values.empty()) return 0;
  const auto place = static_cast<std::size_t>(part * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(place),
                   values.end());
  return values[place] * 1e3;
}

class bench_node final : public chat::log_subscriber {
 public:
  bench_node(asio::io_context& io, const test::redis_server& redis, const options& what, int number)
      : what_(what), number_(number), ex_(io.get_executor()), tasks_(ex_) {
    chat::log_options log;
    log.redis = redis.connection();
    log.node_name = "bench-" + std::to_string(number);
    log.boot_grace = 300ms;
    if (what.delivery == "stable") log.delivery = chat::delivery_mode::stable;
    log_ = chat::make_chat_log(ex_, log);
  }

  asio::awaitable<void> run() {
    tasks_.spawn("log", log_->run(*this));
    while (!log_->health().is_ready) co_await net::sleep_for(10ms);
    co_await net::sleep_for(500ms);  // the others, too
    const int senders = what_.rate > 0 ? 1 : what_.outstanding;
    started_ = net::now() + 1s;
    ends_ = started_ + std::chrono::seconds(what_.seconds);
    net::task_group load(ex_);
    for (int i = 0; i < senders; ++i) {
      if (what_.rate > 0) load.spawn("pace", pace(load));
      if (what_.rate == 0) load.spawn("sender", send_on());
    }
    while (net::now() < started_) co_await net::sleep_for(1ms);
    const double cpu_before = cpu_seconds_used(RUSAGE_SELF);
    while (net::now() < ends_) co_await net::sleep_for(5ms);
    result_.cpu_seconds = cpu_seconds_used(RUSAGE_SELF) - cpu_before;
    co_await load.join();
    log_->stop(2s);
    co_await tasks_.join();
  }

  node_result result() {
    result_.ack_p50_ms = percentile_ms(ack_seconds_, 0.5);
    result_.ack_p99_ms = percentile_ms(ack_seconds_, 0.99);
    result_.delivered_p50_ms = percentile_ms(delivered_seconds_, 0.5);
    result_.delivered_p99_ms = percentile_ms(delivered_seconds_, 0.99);
    return result_;
  }

  void on_entries(const std::vector<chat::entry_ptr>& batch) override {
    const auto at = net::now();
    for (const auto& each : batch) {
      const auto sent = sent_.find(each->client_message_id);
      if (sent == sent_.end()) continue;
      if (is_measured(sent->second))
        delivered_seconds_.push_back(seconds_between(sent->second, at));
      sent_.erase(sent);
    }
  }
  void on_gap(std::uint64_t, std::uint64_t) override {}
  void on_fork(chat::position, chat::position, chat::position) override {}
  void on_state_change() override {}

 private:
  static double seconds_between(net::time_point from, net::time_point to) {
    return std::chrono::duration<double>(to - from).count();
  }
  bool is_measured(net::time_point at) const { return at >= started_ && at < ends_; }

  asio::awaitable<void> send_one() {
    const std::string id = std::to_string(number_) + "-" + std::to_string(++count_);
    const auto began = net::now();
    sent_.emplace(id, began);
    const auto outcome = co_await log_->append("room", id, std::string(message_bytes, 'x'));
    const auto ended = net::now();
    if (!is_measured(ended)) co_return;
    const bool is_in = outcome.status == chat::append_status::appended;
    ++(is_in ? result_.appended : result_.failed);
    ack_seconds_.push_back(seconds_between(began, ended));
  }
  asio::awaitable<void> send_on() {
    while (net::now() < ends_) co_await send_one();
  }
  asio::awaitable<void> pace(net::task_group& load) {
    const auto interval = std::chrono::nanoseconds(1s) * what_.nodes / what_.rate;
    asio::steady_timer timer(ex_, net::now());
    while (timer.expiry() < ends_) {
      load.spawn("send", send_one());
      timer.expires_at(timer.expiry() + interval);
      const auto token = asio::as_tuple(asio::use_awaitable);
      co_await timer.async_wait(token);
    }
  }

  const options& what_;
  int number_;
  asio::any_io_executor ex_;
  net::task_group tasks_;
  std::unique_ptr<chat::chat_log> log_;
  net::time_point started_ = net::time_point::max(), ends_ = net::time_point::max();
  std::uint64_t count_ = 0;
  std::unordered_map<std::string, net::time_point> sent_;
  std::vector<double> ack_seconds_, delivered_seconds_;
  node_result result_;
};

[[noreturn]] void run_node(const test::redis_server& redis, const options& what, int number,
                           int out) {
  int code = 1;
  try {
    asio::io_context io(1);
    bench_node node(io, redis, what, number);
    net::run_main(io, node.run());
    const node_result result = node.result();
    code = ::write(out, &result, sizeof result) == sizeof result ? 0 : 1;
  } catch (const std::exception& thrown) {
    std::cerr << "node " << number << ": " << thrown.what() << '\n';
  }
  std::_Exit(code);
}

// Plain XADDs of the same size, pipelined on one connection, with nobody reading.
asio::awaitable<void> measure_floor(net::redis::connection_options where, double& per_second) {
  auto opened = co_await net::redis::connect(std::move(where));
  if (!opened.opened) throw std::runtime_error("cannot connect to the private Redis");
  constexpr int batches = 200, batch = 256;
  net::redis::request adds;
  const std::string text(message_bytes, 'x');
  for (int i = 0; i < batch; ++i)
    adds.add({"XADD", "floor", "*", "k", "m", "o", "0123456789abcdef", "s", "1", "r", "room", "c",
              "id", "t", text});
  const auto began = net::now();
  for (int i = 0; i < batches; ++i) {
    const auto result = co_await opened.opened->exec(adds, 10s);
    if (result.ec) throw std::runtime_error("the private Redis does not answer");
  }
  per_second = batches * batch / std::chrono::duration<double>(net::now() - began).count();
}

double floor_per_second(const test::redis_server& redis) {
  double per_second = 0;
  asio::io_context io(1);
  net::run_main(io, measure_floor(redis.connection(), per_second));
  return per_second;
}

int run(const options& what) {
  net::set_log_level(net::log_level::warn);
  double floor = 0;
  {
    test::redis_server redis;
    floor = floor_per_second(redis);
  }
  test::redis_server redis;
  std::vector<std::pair<pid_t, int>> children;
  for (int number = 1; number <= what.nodes; ++number) {
    int ends[2] = {-1, -1};
    if (::pipe(ends) != 0) throw std::runtime_error("no pipe");
    const pid_t child = ::fork();
    if (child == 0) run_node(redis, what, number, ends[1]);
    ::close(ends[1]);
    children.emplace_back(child, ends[0]);
  }
  std::uint64_t appended = 0, failed = 0;
  double cpu_seconds = 0;
  bool is_whole = true;
  std::printf("%-8s %12s %8s %10s %10s %14s %14s\n", "", "appended/s", "failed", "ack p50", "p99",
              "delivered p50", "p99 (ms)");
  for (std::size_t i = 0; i < children.size(); ++i) {
    node_result got;
    is_whole = ::read(children[i].second, &got, sizeof got) == sizeof got && is_whole;
    ::close(children[i].second);
    int status = 0;
    ::waitpid(children[i].first, &status, 0);
    appended += got.appended;
    failed += got.failed;
    cpu_seconds += got.cpu_seconds;
    std::printf("node %-3zu %12.0f %8ju %10.2f %10.2f %14.2f %14.2f\n", i + 1,
                static_cast<double>(got.appended) / what.seconds,
                static_cast<std::uintmax_t>(got.failed), got.ack_p50_ms, got.ack_p99_ms,
                got.delivered_p50_ms, got.delivered_p99_ms);
  }
  const double per_second = static_cast<double>(appended) / what.seconds;
  std::printf("all      %12.0f %8ju   %.1f us of node processor time a message\n", per_second,
              static_cast<std::uintmax_t>(failed),
              cpu_seconds * 1e6 / static_cast<double>(appended));
  std::printf(
      "floor    %12.0f            plain XADDs in batches of 256, one connection, no reader; ratio "
      "%.2f\n",
      floor, per_second / floor);
  return is_whole && appended > 0 ? 0 : 1;
}

}  // namespace
}  // namespace ordeal::bench

int main(int argc, char** argv) {
  ordeal::bench::options what;
  CLI::App app("Messages appended through one Redis by several nodes", "ordeal-bench-appends");
  app.add_option("--nodes", what.nodes)->check(CLI::Range(1, 16));
  app.add_option("--seconds", what.seconds)->check(CLI::Range(1, 600));
  app.add_option("--rate", what.rate,
                 "Messages a second of all nodes together; 0: as fast as it goes")
      ->check(CLI::Range(0, 1'000'000));
  app.add_option("--outstanding", what.outstanding, "Unanswered messages of each node")
      ->check(CLI::Range(1, 30'000));
  app.add_option("--delivery", what.delivery)->check(CLI::IsMember({"fast", "stable"}));
  CLI11_PARSE(app, argc, argv);
  try {
    return ordeal::bench::run(what);
  } catch (const std::exception& thrown) {
    std::cerr << "error: " << thrown.what() << '\n';
    return 2;
  }
}
