// How to reach a Redis: what connect() is given. Plain values; copies of one set of options share the memory of which
// sentinel answered last, nothing else.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ordeal::net::redis {

struct server_address {
  std::string host;
  std::uint16_t port = 0;

  bool operator==(const server_address&) const = default;
};
// "host:port", an IPv6 address in brackets.
std::string to_text(const server_address& at);

// Where a password comes from. The file is read again at every connect, one trailing newline is cut.
struct credentials {
  std::string user;      // empty: the default user
  std::string password;  // empty with an empty file: no AUTH is sent
  std::filesystem::path password_file;
};

// The peer's certificate is always verified, chain and name. The files (PEM) are read again at every connect, so that
// replaced ones are picked up without a restart.
struct tls_options {
  bool is_on = false;
  std::filesystem::path ca_file;  // empty: what the system trusts
  std::string server_name;        // must be in the certificate; empty: the host connected to
  std::filesystem::path certificate_file;  // ours, if the server wants one; with its chain
  std::filesystem::path key_file;          // of that certificate, without a passphrase
};

class sentinel_memory;

struct sentinel_options {
  std::vector<server_address> places;  // empty: no sentinels, the address of the options counts
  std::string master_name;
  credentials auth;      // of the sentinels; those of Redis are never sent to them
  bool has_tls = false;  // to the sentinels, with the files and the server name of tls_options
  std::shared_ptr<sentinel_memory> memory;  // null: every connect() starts with the first place

  bool is_set() const { return !places.empty(); }
};

struct connection_options {
  std::string host = "127.0.0.1";  // host and port mean nothing when there are sentinels
  std::uint16_t port = 6379;
  int database = 0;
  credentials auth;
  tls_options tls;
  sentinel_options sentinel;
  std::chrono::milliseconds connect_timeout{
      2'000};  // resolve, TCP, TLS, AUTH and SELECT together; with sentinels, asking them as well
  std::chrono::milliseconds tcp_user_timeout{
      5'000};               // unacknowledged data for so long: dead (TCP_USER_TIMEOUT)
  std::string client_name;  // CLIENT SETNAME, best effort; empty: not sent
};

// One of these into options; rediss instead of redis is TLS to Redis:
//   redis://[user@]host[:port][/database]
//   redis+sentinel://[user@]host[:port],host[:port].../master-name[/database]
// A password in the URL is refused (it would end up in process lists and logs). On failure the text says what is
// wrong and quotes nothing of the URL.
struct url_result {
  std::optional<connection_options> options;
  std::string error;
};
url_result parse_url(std::string_view url);

}  // namespace ordeal::net::redis
