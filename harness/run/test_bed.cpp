#include "harness/run/test_bed.h"

#include <boost/asio/ip/tcp.hpp>
#include <cstdlib>
#include <stdexcept>

#include "harness/run/own_keys.h"
#include "net/async/log.h"
#include "net/async/random.h"
#include "net/async/regular_file.h"

namespace ordeal::harness {
namespace asio = net::asio;
namespace {

constexpr std::chrono::milliseconds node_grace{5'000};
constexpr std::chrono::milliseconds redis_grace{3'000};
constexpr std::size_t secret_bytes_max = 64U << 10U;

std::string read_secret(const secret_source& from) {
  if (!from.from_env.empty()) {
    const char* value = std::getenv(from.from_env.c_str());
    if (value == nullptr)
      throw std::runtime_error("the environment variable " + from.from_env +
                               " is not set: it holds the Redis password");
    return value;
  }
  const net::file_content read = net::read_regular_file(from.from_file, secret_bytes_max);
  if (!read.problem.empty())
    throw std::runtime_error("cannot read the Redis password from " + from.from_file + ": " +
                             read.problem);
  std::string value = read.text.substr(0, read.text.find('\n'));
  if (value.empty())
    throw std::runtime_error("the first line of " + from.from_file +
                             " is empty: it holds the Redis password");
  return value;
}

}  // namespace

test_bed::test_bed(asio::any_io_executor ex, fault::launcher& launch, const plan& what,
                   results_directory& results, std::filesystem::path binaries,
                   node_set::on_change on_node_change, tap_outlet taps,
                   std::function<std::string(node_id)> login_trouble)
    : ex_(ex),
      launch_(launch),
      plan_(what),
      results_(results),
      binaries_(std::move(binaries)),
      on_node_change_(std::move(on_node_change)),
      taps_(std::move(taps)),
      login_trouble_(std::move(login_trouble)),
      app_("ordeal-" + what.run_nonce) {}

test_bed::~test_bed() = default;

asio::awaitable<fault::step_result> test_bed::start_redis() {
  const redis_recipe& recipe = plan_.scenario.redis;
  fault::redis_settings settings;
  settings.persistence = recipe.persistence;
  settings.user = recipe.user;
  if (recipe.has_password) settings.password = fault::generate_password();
  settings.data_dir = secrets_->path() / "redis";
  settings.log_file = results_.log_file("redis");
  settings.program = recipe.server;
  settings.directives = recipe.directives;
  std::filesystem::create_directory(settings.data_dir);
  redis_ = fault::make_managed_redis(ex_, launch_, settings);
  const fault::step_result started = co_await redis_->start();
  if (const auto refused = redis_->refused_directive(); !started.is_ok && refused) {
    const source_position& where = recipe.directives_where[*refused];
    throw invalid_scenario(where.file + ":" + std::to_string(where.line) + ":" +
                           std::to_string(where.column) +
                           ": backplane.redis.config: " + started.evidence);
  }
  co_return started;
}

asio::awaitable<fault::step_result> test_bed::find_external_redis() {
  const redis_recipe& recipe = plan_.scenario.redis;
  const auto parsed = net::redis::parse_url(recipe.url);
  if (!parsed.options) co_return fault::step_result{false, "backplane.redis.url: " + parsed.error};
  if (parsed.options->tls.is_on || parsed.options->sentinel.is_set()) {
    co_return fault::step_result{
        false, "backplane.redis.url: neither TLS nor sentinels are supported yet; use redis://"};
  }
  external_ = *parsed.options;
  if (recipe.password) external_.auth.password = read_secret(*recipe.password);
  const net::redis::open_result opened = co_await net::redis::connect(external_);
  if (opened.ec) {
    co_return fault::step_result{
        false, "cannot use the Redis at " + external_.host + ":" + std::to_string(external_.port) +
                   ": " + opened.ec.message() +
                   (opened.detail.empty() ? "" : " (" + opened.detail + ")")};
  }
  co_return fault::step_result{true, {}};
}

asio::awaitable<fault::step_result> test_bed::start() {
  secrets_.emplace();
  launch_.remove_at_end(secrets_->path());
  const bool is_managed = plan_.scenario.redis.mode == redis_mode::managed;
  fault::step_result redis_found;
  if (is_managed) {
    redis_found = co_await start_redis();
  } else {
    redis_found = co_await find_external_redis();
  }
  if (!redis_found.is_ok) co_return redis_found;

  asio::ip::tcp::endpoint upstream(asio::ip::address_v4::loopback(),
                                   is_managed ? redis_->port() : external_.port);
  if (!is_managed) {
    asio::ip::tcp::resolver resolver(ex_);
    auto [ec, found] = co_await resolver.async_resolve(
        external_.host, std::to_string(external_.port), asio::as_tuple(asio::use_awaitable));
    if (ec)
      co_return fault::step_result{false, "cannot resolve " + external_.host + ": " + ec.message()};
    upstream = found.begin()->endpoint();
  }
  link_group_ = fault::make_link_group();
  node_surroundings around;
  for (std::size_t i = 0; i < plan_.scenario.nodes; ++i) {
    net::random_stream seeds(plan_.seed, "link", i);
    auto tap = tap_of(node_id(i), plan_.run_nonce, taps_);
    links_.push_back(link_group_->add(upstream, seeds.next(), std::move(tap)));
    around.redis_ports.push_back(links_.back()->port());
  }
  around.app = app_;
  around.run = plan_.run_nonce;
  around.descriptors_max = plan_.scenario.descriptors_max;
  around.redis_user = is_managed ? redis_->user() : external_.auth.user;
  around.redis_password = is_managed ? redis_->password() : external_.auth.password;
  around.binaries = binaries_;
  around.logs = results_.path() / "logs";
  around.login_trouble = login_trouble_;
  around.has_reached_redis = [this](std::size_t node) { return has_reached_redis(node); };
  nodes_ = std::make_unique<node_set>(ex_, launch_, plan_.target, *secrets_, std::move(around),
                                      on_node_change_);
  fault::step_result started = co_await nodes_->start_all();
  co_return started;
}

asio::awaitable<bool> test_bed::has_reached_redis(std::size_t node) {
  const fault::link_counters so_far = co_await links_[node]->counters();
  co_return so_far.accepted > 0;
}

std::string test_bed::waiting() const {
  return nodes_ ? nodes_->waiting() : std::string();
}

asio::awaitable<void> test_bed::stop() {
  if (nodes_) co_await nodes_->stop_all(node_grace);
  links_.clear();
  link_group_.reset();
  if (redis_ && redis_->running_process() != nullptr) co_await redis_->stop(redis_grace);
  if (!redis_ && nodes_) co_await clean_external_redis();
}

asio::awaitable<void> test_bed::clean_external_redis() {
  const fault::step_result cleaned = co_await remove_own_keys(external_, app_);
  if (cleaned.is_ok) co_return;
  net::log(net::log_level::error, "run", "keys of this run are left in the external Redis",
           {{"containing", app_}, {"reason", cleaned.evidence}});
}

std::optional<std::string> test_bed::collapse() const {
  if (!redis_ || redis_faults_ > 0) return std::nullopt;
  const fault::process* running = redis_->running_process();
  if (running != nullptr && !running->exit()) return std::nullopt;
  return "redis-server ended although no fault asked for it; its log: " +
         results_.log_file("redis").string();
}

std::vector<net::websocket_url> test_bed::node_urls() const {
  std::vector<net::websocket_url> urls;
  for (std::size_t i = 0; i < nodes_->node_count(); ++i) {
    net::websocket_url url;
    url.host = "127.0.0.1";
    url.port = nodes_->port(node_id(i));
    urls.push_back(url);
  }
  return urls;
}

std::string test_bed::redis_description() const {
  const std::string& server = plan_.scenario.redis.server;
  const std::string by = server == redis_recipe().server ? "" : " (" + server + ")";
  return redis_ ? redis_->version() + " managed" + by
                : external_.host + ":" + std::to_string(external_.port) + " external";
}

}  // namespace ordeal::harness
