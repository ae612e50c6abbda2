// A Redis connection: hiredis as RESP codec over an Asio socket, with or without TLS. Requests are pipelined:
// everything in one request goes out in one write, the replies come back together.
//
// One thread, one call at a time. After any error the connection is broken for good: make a new one.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "net/redis/options.h"
#include "net/redis/reply.h"

namespace ordeal::net::redis {

namespace asio = boost::asio;
using error_code = boost::system::error_code;

enum class errc {
  resolve_failed = 1,  // the host name is unknown
  connect_timeout,     // no TCP connection, no TLS handshake, or no answer to AUTH, in time
  command_timeout,     // no reply in time; the outcome of what was sent is unknown
  protocol_error,      // the peer does not speak RESP2
  reply_too_large,     // it speaks without end
  closed,              // the peer closed the connection
  auth_failed,         // WRONGPASS, NOAUTH, or a user that is disabled
  password_file,       // the password file cannot be read
  refused_by_server,   // an error reply to SELECT or PING at connect: LOADING, max clients, ...
  wrong_kind,          // a node of a Redis Cluster, or a sentinel where a Redis was expected
  tls_files,           // the CA, certificate or key file cannot be used
  tls_failed,    // no TLS: a certificate that is not trusted, or a peer that does not speak it
  tls_expected,  // the peer speaks TLS and was spoken to without
  no_master      // no sentinel named a master that is one
};
error_code make_error_code(errc value);

// Commands of one round trip.
class request {
 public:
  request& add(std::initializer_list<std::string_view> arguments);
  request& add(std::span<const std::string_view> arguments);
  request& append(const request& more);
  std::size_t size() const { return count_; }
  void clear();
  std::string_view bytes() const { return bytes_; }

 private:
  std::string bytes_;
  std::size_t count_ = 0;
};

struct exec_result {
  error_code ec;               // transport or protocol; error REPLIES are not errors here
  std::vector<reply> replies;  // as many as the request has commands, when !ec
};

struct open_result;

class connection {
 public:
  virtual ~connection() = default;

  // Sends `what` and waits for all its replies. Fails when nothing has come or gone for `limit`: a long
  // reply over a slow link may take longer. `what` must stay alive until it returns.
  virtual asio::awaitable<exec_result> exec(const request& what,
                                            std::chrono::milliseconds limit) = 0;

  // The same in two parts, so that the next request can be on its way before the first is answered. send() returns when
  // the system has taken `what`, hear() when the replies to the oldest request that has none are there.
  virtual asio::awaitable<error_code> send(const request& what,
                                           std::chrono::milliseconds limit) = 0;
  virtual asio::awaitable<exec_result> hear(std::chrono::milliseconds limit) = 0;

  // At once; an outstanding call ends with an error.
  virtual void close() noexcept = 0;
  virtual bool is_open() const = 0;
  // Bytes that have come and gone; grows also while an exec is under way.
  virtual std::uint64_t bytes_moved() const = 0;
};

struct open_result {
  error_code ec;
  std::string detail;  // the server's words, or the file's problem, with its remedy; never a secret
  std::unique_ptr<connection> opened;
  server_address at;  // where it leads: with sentinels, the master that they named
};

// Resolves, connects, shakes hands (TLS), AUTHs, SELECTs. A server without a password answers AUTH
// with an error: that is accepted, the connection works. With sentinels
// it asks them in turn for the master, starting with the one that was right last, and takes a
// master that says itself that it is one. A node of a Redis Cluster is refused.
asio::awaitable<open_result> connect(connection_options options);

// How an error reply is to be treated by whoever wants to try again (docs/log-protocol.md, H24). The redirections of a
// Redis Cluster (MOVED, ASK, CROSSSLOT) are fatal: nothing here follows them.
enum class reply_class { ok, retryable, script_missing, read_only, auth, fatal };
reply_class classify(reply_view reply);

}  // namespace ordeal::net::redis

template <>
struct boost::system::is_error_code_enum<ordeal::net::redis::errc> : std::true_type {};
