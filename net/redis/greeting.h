// What is sent to a Redis before its connection is handed out, and what the answers say. Values in,
// values out; private to this folder.
#pragma once

#include <optional>
#include <string>

#include "net/redis/connection.h"

namespace ordeal::net::redis {

struct greeting {
  request what;
  // The place of each reply.
  std::optional<std::size_t> auth, select, role;
  std::size_t hello = 0, ping = 0;
};
greeting make_greeting(const connection_options& options, std::string_view password);

// Adds AUTH and returns the place of its reply, if there is a password.
std::optional<std::size_t> add_login(request& what, const credentials& auth,
                                     std::string_view password);

struct refusal {
  error_code ec;
  std::string detail;
};
// Whether the connection may be used. The server's words, with a remedy where there is one.
refusal judge(const greeting& sent, const exec_result& answers);

// An answer to AUTH that refuses: any error but "there is no password here", after which the connection works.
bool is_refused_login(reply_view answer);

// Of the answer to HELLO; empty where the server does not say (before Redis 6, or a user who may not ask).
struct server_facts {
  std::string mode;  // standalone, cluster, sentinel
  std::string role;  // master, replica
};
server_facts parse_hello(reply_view answer);

// Empty when the server says that it is a master; otherwise what it says that it is.
std::string not_master_words(reply_view role, reply_view hello);

}  // namespace ordeal::net::redis
