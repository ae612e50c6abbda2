// A private redis-server: started with its configuration on stdin (no secret in argv or in a file),
// on a free loopback port, with its data in a private directory; restarted on the same port with
// the same data.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "fault-injection/fault.h"
#include "fault-injection/process/process.h"
#include "net/redis/connection.h"

namespace ordeal::fault {

enum class redis_persistence { none, rdb, aof, aof_always };

// A line of the server's configuration: "maxmemory", "64mb". It has passed why_refused().
struct redis_directive {
  std::string name, value;
};

struct redis_settings {
  redis_persistence persistence = redis_persistence::aof;
  std::string user;                // the application's ACL user; empty: the default user
  std::string password;            // the application's; empty: open Redis
  std::filesystem::path data_dir;  // private, exists
  std::filesystem::path log_file;
  std::string program = "redis-server";  // or valkey-server ...: a name on PATH, or a path
  std::vector<redis_directive>
      directives;  // in the end of its configuration, where the last word counts
};

class managed_redis {
 public:
  virtual ~managed_redis() = default;

  virtual std::uint16_t port() const = 0;
  virtual std::string version() const = 0;  // "7.0.15", "valkey 8.1.1"; after the first start
  virtual asio::awaitable<step_result>
  start() = 0;  // until it answers PING with PONG (not LOADING)
  // Which of the settings' directives the server did not take at the last start(), by its index; the
  // step's evidence has its words.
  virtual std::optional<std::size_t> refused_directive() const = 0;
  virtual process* running_process() = 0;  // null while it is down
  virtual asio::awaitable<process_exit> stop(
      std::chrono::milliseconds grace) = 0;  // TERM, then KILL

  // The application's credentials as they are now (generated passwords included).
  virtual const std::string& user() const = 0;
  virtual const std::string& password() const = 0;

  // One round trip on a new connection of the harness's own admin user.
  virtual asio::awaitable<net::redis::exec_result> admin(net::redis::request what) = 0;
  // PING as an independent observer on a new connection straight to the server: "PONG", an error text, or empty when
  // there was no reply within `limit`.
  virtual asio::awaitable<std::string> ping(std::chrono::milliseconds limit) = 0;
  // Tries to log in as the application with this password on a new connection: ok, or the server's words.
  virtual asio::awaitable<step_result> try_login(std::string password,
                                                 std::chrono::milliseconds limit) = 0;

  // Changes the application's password in the server and for later restarts.
  virtual asio::awaitable<step_result> set_password(std::string password) = 0;
  // Bars (false) or admits the application's logins by switching its user, or the default user, off
  // or on. Connections that are open stay logged in.
  virtual asio::awaitable<step_result> set_login_enabled(bool is_enabled) = 0;
  // Closes every connection of the application; the count is in the evidence. Confirms by CLIENT LIST.
  virtual asio::awaitable<step_result> kick() = 0;
};

// Picks a free port; nothing is started yet.
std::unique_ptr<managed_redis> make_managed_redis(asio::any_io_executor ex, launcher& launch,
                                                  redis_settings settings);

// The id that a server draws at each start, read with INFO; empty when it does not answer.
asio::awaitable<std::string> read_run_id(managed_redis& redis);

// A free loopback TCP port, never the same twice: it was just bound and closed, and outgoing
// connections do not get it. Callable from any thread. Throws std::runtime_error when there is
// none.
std::uint16_t free_loopback_port();

// A password that needs no quoting anywhere: 32 characters of 0-9a-v.
std::string generate_password();

}  // namespace ordeal::fault
