// A real redis-server for integration tests: private directory, free loopback port, configuration
// (with the password) on stdin. It can be killed, stopped, paused and started again on the same
// port with the same data. Synchronous: call it from the test's thread between runs of the
// io_context, or from a coroutine that may block for a moment. Throws std::runtime_error when Redis
// cannot be started. Dies with the test process.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "net/redis/connection.h"
#include "tests/support/certificates.h"

namespace ordeal::test {

enum class persistence { none, aof_always };

struct redis_server_tls {
  certificate_files own;
  std::filesystem::path ca_file;
  bool wants_client_certificate = false;
};

struct redis_server_options {
  persistence keep = persistence::none;
  std::optional<redis_server_tls> tls;  // on a second port, beside the plain one
  std::string password;                 // of the default user; empty: open
  bool is_cluster = false;              // the only node of a Redis Cluster
  std::string extra_config;             // more lines for redis.conf
};

class redis_server {
 public:
  explicit redis_server(redis_server_options options = {});  // started
  redis_server(const redis_server&) = delete;
  redis_server& operator=(const redis_server&) = delete;
  ~redis_server();  // killed, directory removed

  std::uint16_t port() const { return port_; }
  std::uint16_t tls_port() const { return tls_port_; }
  pid_t pid() const { return pid_; }
  const std::filesystem::path& directory() const { return directory_; }

  // Until it answers PING with PONG.
  void start();
  void kill();  // SIGKILL, waited for
  void stop();  // SIGTERM, waited for
  void pause();
  void resume();

  // One command on a connection of its own, logged in with the current password. Error replies are
  // returned.
  net::redis::reply command(std::initializer_list<std::string_view> arguments);
  net::redis::reply command(std::span<const std::string_view> arguments);

  // CONFIG SET requirepass, and in later starts; existing connections stay.
  void set_password(std::string password);

  // Options to connect to it, with the password as it is now.
  net::redis::connection_options connection() const;
  // The same over TLS.
  net::redis::connection_options tls_connection() const;

 private:
  redis_server_options options_;
  std::filesystem::path directory_;
  std::uint16_t port_ = 0;
  std::uint16_t tls_port_ = 0;
  pid_t pid_ = -1;
};

// A real redis-sentinel that watches one master. Everything else as above.
struct redis_sentinel_options {
  std::string master_name = "chat-master";
  std::uint16_t master_port = 0;
  std::string master_password;
  std::string master_user;
  std::size_t quorum = 1;
  std::string password;      // of the sentinel itself
  std::string extra_config;  // more lines for its configuration
  std::optional<redis_server_tls> tls;
};

class redis_sentinel {
 public:
  explicit redis_sentinel(redis_sentinel_options options);  // started
  redis_sentinel(const redis_sentinel&) = delete;
  redis_sentinel& operator=(const redis_sentinel&) = delete;
  ~redis_sentinel();

  std::uint16_t port() const { return port_; }
  std::uint16_t tls_port() const { return tls_port_; }
  net::redis::server_address address() const { return {"127.0.0.1", port_}; }
  void kill();
  void pause();
  void resume();
  net::redis::reply command(std::initializer_list<std::string_view> arguments);

 private:
  redis_sentinel_options options_;
  std::filesystem::path directory_;
  std::uint16_t port_ = 0;
  std::uint16_t tls_port_ = 0;
  pid_t pid_ = -1;
};

// A loopback port that nobody listens on, below the range of outgoing connections: while the server
// is down nobody can be given its port by chance, nor connect to itself.
std::uint16_t free_port();

}  // namespace ordeal::test
