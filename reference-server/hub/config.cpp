#include "reference-server/hub/config.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <boost/asio/ip/address.hpp>
#include <cctype>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <sstream>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "net/async/random.h"
#include "reference-server/hub/origins.h"
#include "reference-server/hub/version.h"

namespace ordeal::chat {
namespace {

namespace ip = boost::asio::ip;

// The text of a bad value; the flag's name is put before it.
struct bad_value : std::runtime_error {
  using std::runtime_error::runtime_error;
};

std::uint64_t parse_number(std::string_view text, std::string_view what) {
  std::uint64_t value = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (ec != std::errc() || end != text.data() + text.size() || text.empty()) {
    throw bad_value("'" + std::string(text) + "' is not " + std::string(what));
  }
  return value;
}

struct unit {
  std::string_view suffix;
  std::uint64_t factor;
};

// "<number><unit>" in multiples of the smallest unit.
template <std::size_t Count>
std::uint64_t parse_quantity(std::string_view text, const std::array<unit, Count>& units,
                             std::string_view what) {
  const auto digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const auto suffix = text.substr(digits);
  for (const auto& candidate : units) {
    if (candidate.suffix != suffix || digits == 0) continue;
    const auto number = parse_number(text.substr(0, digits), what);
    if (number == 0 || number > std::numeric_limits<std::uint32_t>::max()) break;
    return number * candidate.factor;
  }
  throw bad_value("'" + std::string(text) + "' is not " + std::string(what));
}

std::chrono::milliseconds parse_duration(const std::string& text) {
  constexpr std::array<unit, 3> units{{{"ms", 1}, {"s", 1'000}, {"m", 60'000}}};
  const auto milliseconds =
      parse_quantity(text, units, "a duration above zero, as in 500ms, 5s or 2m");
  return std::chrono::milliseconds(milliseconds);
}

std::size_t parse_bytes(const std::string& text) {
  constexpr std::array<unit, 4> units{{{"", 1}, {"B", 1}, {"KiB", 1U << 10}, {"MiB", 1U << 20}}};
  return parse_quantity(text, units, "a size above zero, as in 512B, 64KiB or 4MiB");
}

std::size_t parse_count(const std::string& text) {
  constexpr std::array<unit, 1> units{{{"", 1}}};
  return parse_quantity(text, units, "a number above zero");
}

ack_level parse_ack(const std::string& text) {
  if (text == "accepted") return ack_level::accepted;
  if (text == "appended") return ack_level::appended;
  if (text == "stable") return ack_level::stable;
  throw bad_value("'" + text + "' is not one of accepted, appended, stable");
}

delivery_mode parse_delivery(const std::string& text) {
  if (text == "fast") return delivery_mode::fast;
  if (text == "stable") return delivery_mode::stable;
  throw bad_value("'" + text + "' is not one of fast, stable");
}

bool parse_switch(const std::string& text) {
  if (text == "true") return true;
  if (text == "false") return false;
  throw bad_value("'" + text + "' is neither true nor false");
}

ip::tcp::endpoint parse_endpoint(const std::string& text) {
  constexpr auto remedy =
      "' is not an address with a port, as in 127.0.0.1:8080, [::1]:8080, or port 0 for any";
  const auto colon = text.rfind(':');
  if (colon == std::string::npos) throw bad_value("'" + text + remedy);
  std::string host = text.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']')
    host = host.substr(1, host.size() - 2);
  boost::system::error_code ec;
  const auto address = ip::make_address(host, ec);
  if (ec) throw bad_value("'" + text + remedy);
  const auto port = parse_number(std::string_view(text).substr(colon + 1), "a port");
  if (port > 65'535) throw bad_value("'" + text + remedy);
  return ip::tcp::endpoint(address, static_cast<std::uint16_t>(port));
}

// Builds the options of one server_config; every option has its environment twin and the place
// where it goes.
class option_table {
 public:
  option_table(CLI::App& app, server_config& config) : app_(app), config_(config) {}

  void add_all() {
    add_addresses();
    add_redis();
    add_limits();
    add_timing();
  }

 private:
  void add_addresses();
  void add_redis();
  void add_origins();
  void add_limits();
  void add_timing();

  template <class Store>
  void add(const std::string& flag, const std::string& type, const std::string& shown_default,
           const std::string& help, Store store) {
    const auto take = [flag, store](const std::string& text) {
      try {
        store(text);
      } catch (const bad_value& bad) {
        throw CLI::ValidationError("--" + flag, bad.what());
      }
    };
    auto* const option = app_.add_option_function<std::string>("--" + flag, take, help);
    option->envname(environment_name(flag))->type_name(type)->default_str(shown_default);
  }

  void add_duration(const std::string& flag, std::chrono::milliseconds& value,
                    const std::string& help) {
    add(flag, "DURATION", std::to_string(value.count()) + "ms", help,
        [&value](const std::string& text) { value = parse_duration(text); });
  }
  void add_bytes(const std::string& flag, std::size_t& value, const std::string& help) {
    add(flag, "SIZE", std::to_string(value) + "B", help,
        [&value](const std::string& text) { value = parse_bytes(text); });
  }
  void add_file(const std::string& flag, std::filesystem::path& value, const std::string& help) {
    add(flag, "FILE", "", help, [&value](const std::string& text) { value = text; });
  }
  void add_text(const std::string& flag, const std::string& type, std::string& value,
                const std::string& help) {
    add(flag, type, "", help, [&value](const std::string& text) { value = text; });
  }
  void add_switch(const std::string& flag, bool& value, const std::string& help) {
    add(flag, "true|false", value ? "true" : "false", help,
        [&value](const std::string& text) { value = parse_switch(text); });
  }
  void add_count(const std::string& flag, std::size_t& value, const std::string& help) {
    add(flag, "N", std::to_string(value), help,
        [&value](const std::string& text) { value = parse_count(text); });
  }

  static std::string environment_name(const std::string& flag) {
    std::string name = "ORDEAL_CHAT_";
    for (const char c : flag) {
      name += c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    }
    return name;
  }

  CLI::App& app_;
  server_config& config_;
};

void option_table::add_addresses() {
  server_config& config = config_;
  add("listen", "ADDRESS:PORT", "127.0.0.1:0",
      "Where to serve; port 0 takes a free one and logs it",
      [&config](const std::string& text) { config.listen = parse_endpoint(text); });
  add_origins();
  add("node", "NAME", "node-<random>", "Name of this node in logs and in Redis",
      [&config](const std::string& text) { config.log.node_name = text; });
  add("app", "NAME", config.log.app,
      "Nodes of one application share one log; prefix of the keys in Redis",
      [&config](const std::string& text) { config.log.app = text; });
  add("log-level", "LEVEL", "info", "debug, info, warn, error or off",
      [&config](const std::string& text) {
        if (!net::parse_log_level(text, config.level)) {
          throw bad_value("'" + text + "' is not one of debug, info, warn, error, off");
        }
      });
  add("ack", "LEVEL", "appended",
      "When a Send is answered: accepted (this node will append it, if it lives), appended (it is "
      "in "
      "the log) or stable (another node holds it, too)",
      [&config](const std::string& text) { config.log.ack = parse_ack(text); });
  add("delivery", "MODE", "fast",
      "fast delivers what is read from the log; stable waits until another node holds it, too, so "
      "that a lost Redis takes nothing back",
      [&config](const std::string& text) { config.log.delivery = parse_delivery(text); });
}

// What a URL says; the other flags may have been read before it, and stay.
void take_url(net::redis::connection_options from, net::redis::connection_options& into) {
  into.host = std::move(from.host);
  into.port = from.port;
  into.database = from.database;
  into.auth.user = std::move(from.auth.user);
  into.tls.is_on = from.tls.is_on;
  into.sentinel.places = std::move(from.sentinel.places);
  into.sentinel.master_name = std::move(from.sentinel.master_name);
  into.sentinel.memory = std::move(from.sentinel.memory);
}

void option_table::add_redis() {
  auto& redis = config_.log.redis;
  add("redis-url", "URL", "redis://127.0.0.1:6379",
      "redis://[user@]host[:port][/db], or "
      "redis+sentinel://[user@]host[:port],host.../master[/db]; "
      "rediss for TLS; without a password",
      [&redis](const std::string& text) {
        auto parsed = net::redis::parse_url(text);
        if (!parsed.options) throw bad_value(parsed.error);
        take_url(std::move(*parsed.options), redis);
      });
  add_file("redis-password-file", redis.auth.password_file,
           "Holds the Redis password; read again at every connect");
  add_file("redis-tls-ca-file", redis.tls.ca_file,
           "Whom to trust (PEM), instead of what the system trusts; as the two below read again at "
           "every connect");
  add_file("redis-tls-cert-file", redis.tls.certificate_file,
           "Our certificate (PEM), for a Redis that wants one");
  add_file("redis-tls-key-file", redis.tls.key_file, "The key of that certificate");
  add_text("redis-tls-server-name", "NAME", redis.tls.server_name,
           "Name in the certificate of Redis, when it is not the host of the URL");
  add_switch("redis-sentinel-tls", redis.sentinel.has_tls,
             "TLS to the sentinels, with the same files and name");
  add_text("redis-sentinel-user", "NAME", redis.sentinel.auth.user,
           "User at the sentinels, when it is not the default one");
  add_file("redis-sentinel-password-file", redis.sentinel.auth.password_file,
           "Holds the password of the sentinels, which are not sent that of Redis");
}

// The one option that may be given several times.
void option_table::add_origins() {
  std::vector<std::string>& origins = config_.limits.allowed_origins;
  const auto take = [&origins](const std::vector<std::string>& texts) {
    for (const std::string& text : texts) {
      std::string origin = normal_origin(text);
      if (origin.empty()) {
        throw CLI::ValidationError("--allow-origin", "'" + text +
                                                         "' is not an origin, as in "
                                                         "https://chat.example.org, or * for all");
      }
      origins.push_back(std::move(origin));
    }
    return true;
  };
  const std::string help =
      "Pages of this origin may use the hub from a browser, besides those that the server's own "
      "host serves (by number or as localhost, when it listens on loopback); may be repeated; * "
      "allows "
      "every origin";
  auto* const option =
      app_.add_option_function<std::vector<std::string>>("--allow-origin", take, help);
  option->envname(environment_name("allow-origin"))->type_name("URL")->delimiter(',');
  option->expected(1)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

void option_table::add_limits() {
  hub_limits& limits = config_.limits;
  add_bytes("message-bytes-max", limits.message_bytes_max, "Largest text of a message");
  add_bytes("room-name-bytes-max", limits.room_name_bytes_max, "Longest name of a room");
  add_bytes("message-id-bytes-max", limits.message_id_bytes_max, "Longest clientMessageId");
  add_count("rooms-per-client-max", limits.rooms_per_client_max,
            "Rooms that one connection may be in");
  add_count("connections-max", limits.connections_max,
            "Clients of this node; fewer where its limit of open files (ulimit -n) leaves no room");
  add_bytes("header-bytes-max", limits.header_bytes_max,
            "Size of an HTTP request's headers; cookies and tokens are part of them");
  add_count(
      "connections-per-address-max", limits.connections_per_address_max,
      "Connections from one address, 0 for any number: behind a load balancer all come from it");
  add_count("sends-in-flight-max", limits.sends_in_flight_max,
            "Unanswered Sends of a client above which its socket is not read");
  add_bytes("out-queue-bytes-max", limits.out_queue_bytes_max,
            "Unsent data of a client above which it is cut off, to resume with its cursor");
  add_bytes("out-total-bytes-max", limits.out_total_bytes_max,
            "The same for all clients together, what they share counted once; above it those go "
            "that have taken nothing for longest");
  add_bytes("reconnect-buffer-bytes-max", limits.reconnect_buffer_bytes_max,
            "Stateful reconnect: data sent to a client and not yet acknowledged; about what a "
            "client gets "
            "in a second");
  add_count("reconnect-sessions-max", limits.reconnect_sessions_max,
            "Stateful reconnect: broken connections that are waited for");
  add_bytes("reconnect-bytes-max", limits.reconnect_bytes_max,
            "Stateful reconnect: data kept for all that are waited for");
  add_count("retained-entries", config_.log.retained_entries,
            "Entries kept in Redis for late cursors");
  add("retained-bytes", "SIZE", "half of Redis' maxmemory, 512MiB without one",
      "The same in bytes of Redis' memory; at least the newest 128 entries are kept",
      [this](const std::string& text) { config_.log.retained_bytes = parse_bytes(text); });
  add_count(
      "replay-entries", config_.log.replay_entries,
      "Entries kept in this node's memory, to resume clients and to restore a Redis that lost "
      "them");
  add_bytes("replay-bytes-max", config_.log.replay_bytes_max, "Most memory for these entries");
  add_bytes("outbox-bytes-max", config_.log.outbox_bytes_max,
            "Accepted messages not yet safe in the log");
}

void option_table::add_timing() {
  hub_limits& limits = config_.limits;
  add_duration("handshake-timeout", limits.handshake_timeout,
               "From the connection to the hub's handshake");
  add_duration("ping-interval", limits.ping_interval,
               "The server pings a client after so much quiet");
  add_duration("client-timeout", limits.client_timeout,
               "A client that is silent for so long is closed, and one that takes nothing of what "
               "waits for it is cut off, to resume with its cursor");
  add_duration("catch-up-wait", limits.catch_up_wait,
               "A node that is behind its log waits in total so long for clients that take it "
               "slowly; then they are cut off like others");
  add_duration("reconnect-timeout", limits.reconnect_timeout,
               "Stateful reconnect: a broken connection is waited for so long");
  add_duration("heartbeat-interval", config_.log.heartbeat_interval,
               "Between heartbeats through the log");
  add_duration("recovery-grace", config_.log.recovery_grace,
               "After a loss: so long a recovery waits for known nodes that do not report");
  add_duration("boot-grace", config_.log.boot_grace,
               "On an empty Redis: so long a new node waits for one that has read the log");
  add_duration("drain-timeout", config_.drain_timeout, "From SIGTERM to the end, at most");
}

std::string checked_redis(const net::redis::connection_options& redis) {
  const auto& tls = redis.tls;
  const auto& sentinel = redis.sentinel;
  if (!redis.auth.password.empty() && !redis.auth.password_file.empty()) {
    return "both ORDEAL_CHAT_REDIS_PASSWORD and a password file are set: keep one of them";
  }
  if (!sentinel.auth.password.empty() && !sentinel.auth.password_file.empty()) {
    return "both ORDEAL_CHAT_REDIS_SENTINEL_PASSWORD and a file for it are set: keep one of them";
  }
  const bool has_sentinel_flag = sentinel.has_tls || !sentinel.auth.user.empty() ||
                                 !sentinel.auth.password.empty() ||
                                 !sentinel.auth.password_file.empty();
  if (has_sentinel_flag && !sentinel.is_set()) {
    return "an option for sentinels (--redis-sentinel-..., ORDEAL_CHAT_REDIS_SENTINEL_...) is set, "
           "but --redis-url does not start with redis+sentinel:// or rediss+sentinel://";
  }
  const bool has_tls_flag = !tls.ca_file.empty() || !tls.server_name.empty() ||
                            !tls.certificate_file.empty() || !tls.key_file.empty();
  if (has_tls_flag && !tls.is_on && !sentinel.has_tls) {
    return "an option for TLS (--redis-tls-...) is set, but nothing uses TLS: write rediss:// "
           "instead of redis:// in --redis-url, or set --redis-sentinel-tls true";
  }
  if (tls.certificate_file.empty() != tls.key_file.empty()) {
    return "--redis-tls-cert-file and --redis-tls-key-file need each other: give both or neither";
  }
  if (!sentinel.auth.user.empty() && sentinel.auth.password.empty() &&
      sentinel.auth.password_file.empty()) {
    return "--redis-sentinel-user needs a password: --redis-sentinel-password-file or "
           "ORDEAL_CHAT_REDIS_SENTINEL_PASSWORD";
  }
  return {};
}

std::string checked(const server_config& config) {
  if (auto error = checked_redis(config.log.redis); !error.empty()) return error;
  if (config.limits.out_queue_bytes_max < 2 * config.limits.record_bytes_max()) {
    return "--out-queue-bytes-max must be at least " +
           std::to_string(2 * config.limits.record_bytes_max()) +
           " bytes, room for two messages of --message-bytes-max as JSON";
  }
  if (config.limits.out_total_bytes_max < config.limits.out_queue_bytes_max) {
    return "--out-total-bytes-max must not be less than --out-queue-bytes-max";
  }
  if (config.limits.client_timeout <= config.limits.ping_interval) {
    return "--client-timeout must be longer than --ping-interval";
  }
  if (config.log.app.empty()) return "--app is empty";
  return {};
}

// A line of a configuration file that was not understood is quoted up to its key: what follows may be a password.
std::string without_values(const std::string& message) {
  constexpr std::string_view prefix = "INI was not able to parse ";
  if (!message.starts_with(prefix)) return message;
  const std::string line = message.substr(prefix.size());
  const std::string key = line.substr(0, line.find_first_of(" \t:="));
  return "there is no option '" + key +
         "' (a line is key = value, keys as the flags without dashes" +
         (key.find("password") == std::string::npos
              ? ")"
              : "; a password comes from a file that redis-password-file names, or from the "
                "environment)");
}

// Names what nobody knows, and never shows the words beside it: one may be a password that was meant for a flag.
std::string describe_extras(const std::vector<std::string>& words) {
  for (const std::string& word : words) {
    if (!word.starts_with("-")) continue;
    const std::string flag = word.substr(0, word.find('='));
    const std::string hint =
        flag.find("password") == std::string::npos ? "; --help lists the options"
        : flag.find("sentinel") != std::string::npos
            ? "; a password comes from --redis-sentinel-password-file or "
              "ORDEAL_CHAT_REDIS_SENTINEL_PASSWORD"
            : "; a password comes from --redis-password-file or ORDEAL_CHAT_REDIS_PASSWORD";
    return "there is no option " + flag + hint;
  }
  return "takes no arguments without a flag; --help lists the options";
}

}  // namespace

config_result parse_config(int argc, const char* const* argv) {
  server_config config;
  config.listen = ip::tcp::endpoint(ip::address_v4::loopback(), 0);
  config.log.node_name = "node-" + net::random_id(6);
  if (const char* const password = std::getenv("ORDEAL_CHAT_REDIS_PASSWORD")) {
    config.log.redis.auth.password = password;
  }
  if (const char* const password = std::getenv("ORDEAL_CHAT_REDIS_SENTINEL_PASSWORD")) {
    config.log.redis.sentinel.auth.password = password;
  }

  CLI::App app("Chat server with a replicated log in Redis: the reference target of ordeal.",
               "ordeal-chat");
  app.set_version_flag("--version", std::string("ordeal-chat ") + version);
  app.set_config("--config", "",
                 "Read options from this file, TOML or INI, keys as the flags without dashes")
      ->envname("ORDEAL_CHAT_CONFIG");
  app.allow_config_extras(false);
  app.footer(
      "Every flag has an environment twin: ORDEAL_CHAT_LISTEN for --listen and so on. Flags win "
      "over the\n"
      "environment, the environment over the file. The Redis password comes from "
      "--redis-password-file or from\n"
      "the variable ORDEAL_CHAT_REDIS_PASSWORD, never from a flag; that of the sentinels likewise, "
      "from\n"
      "ORDEAL_CHAT_REDIS_SENTINEL_PASSWORD.\n"
      "Exit codes: 0 after SIGTERM, SIGINT or SIGHUP, 1 when it cannot serve, 2 for a bad option.");
  option_table(app, config).add_all();

  config_result result;
  try {
    app.parse(argc, argv);
  } catch (const CLI::ExtrasError&) {
    result.exit_code = 2;
    result.output = "ordeal-chat: " + describe_extras(app.remaining()) + "\n";
    return result;
  } catch (const CLI::ConfigError& error) {
    result.exit_code = 2;
    result.output = "ordeal-chat: --config: " + without_values(error.what()) + "\n";
    return result;
  } catch (const CLI::ParseError& error) {
    std::ostringstream out;
    std::ostringstream diagnostics;
    const bool is_request = app.exit(error, out, diagnostics) == 0;
    result.exit_code = is_request ? 0 : 2;
    result.output = is_request ? out.str() : std::string("ordeal-chat: ") + error.what() + "\n";
    return result;
  }
  if (const auto error = checked(config); !error.empty()) {
    result.exit_code = 2;
    result.output = "ordeal-chat: " + error + "\n";
    return result;
  }
  config.limits.is_local = config.listen.address().is_loopback();
  result.config = std::move(config);
  return result;
}

}  // namespace ordeal::chat
