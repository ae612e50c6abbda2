#include "net/redis/greeting.h"

namespace ordeal::net::redis {
namespace {

refusal refuse(errc code, std::string_view words) {
  refusal result;
  result.ec = make_error_code(code);
  result.detail = words;
  return result;
}

refusal refuse(reply_view answer) {
  const bool is_auth = classify(answer) == reply_class::auth;
  return refuse(is_auth ? errc::auth_failed : errc::refused_by_server, answer.text());
}

// An error to PING that says nothing about this connection: a failed bgsave, a user who may not PING.
bool is_harmless_to_ping(reply_view answer) {
  return answer.text().starts_with("MISCONF") || answer.text().starts_with("NOPERM");
}

refusal judge_mode(std::string_view mode) {
  if (mode == "cluster") {
    return refuse(errc::wrong_kind,
                  "this is a node of a Redis Cluster, which is not supported: point --redis-url at "
                  "a standalone Redis (redis://) or at its sentinels (redis+sentinel://)");
  }
  if (mode == "sentinel") {
    return refuse(errc::wrong_kind,
                  "this is a Redis Sentinel, not a Redis: point --redis-url at it with "
                  "redis+sentinel://host:port/master-name");
  }
  return {};
}

}  // namespace

std::optional<std::size_t> add_login(request& what, const credentials& auth,
                                     std::string_view password) {
  if (password.empty()) return std::nullopt;
  const std::size_t place = what.size();
  if (auth.user.empty()) {
    what.add({"AUTH", password});
  } else {
    what.add({"AUTH", auth.user, password});
  }
  return place;
}

greeting make_greeting(const connection_options& options, std::string_view password) {
  greeting result;
  result.auth = add_login(result.what, options.auth, password);
  if (options.database != 0) {
    result.select = result.what.size();
    result.what.add({"SELECT", std::to_string(options.database)});
  }
  if (!options.client_name.empty()) result.what.add({"CLIENT", "SETNAME", options.client_name});
  // Tells mode and role even to a user without the rights for INFO and ROLE, and without a version changes nothing.
  result.hello = result.what.size();
  result.what.add({"HELLO"});
  if (options.sentinel.is_set()) {
    result.role = result.what.size();
    result.what.add({"ROLE"});
  }
  result.ping = result.what.size();
  result.what.add({"PING"});
  return result;
}

bool is_refused_login(reply_view answer) {
  if (!answer.is_error()) return false;
  const std::string_view text = answer.text();
  return !text.starts_with("ERR AUTH") ||
         text.find("without any password") == std::string_view::npos;
}

refusal judge(const greeting& sent, const exec_result& answers) {
  refusal result;
  result.ec = answers.ec;
  const auto& replies = answers.replies;
  // A server that is full, or loading, says so in its first reply and may close before the rest.
  if (answers.ec) {
    if (!replies.empty() && replies.front()->is_error()) return refuse(replies.front().view());
    return result;
  }
  if (sent.auth && is_refused_login(replies[*sent.auth].view())) {
    return refuse(replies[*sent.auth].view());
  }
  // Before SELECT, which a Cluster refuses in words that do not help.
  const refusal mode = judge_mode(parse_hello(replies[sent.hello].view()).mode);
  if (mode.ec) return mode;
  if (sent.select && replies[*sent.select]->is_error()) return refuse(replies[*sent.select].view());
  const reply_view pong = replies[sent.ping].view();
  if (pong.is_error() && !is_harmless_to_ping(pong)) return refuse(pong);
  return result;
}

server_facts parse_hello(reply_view answer) {
  server_facts result;
  for (std::size_t i = 0; i + 1 < answer.size(); i += 2) {
    if (answer[i].text() == "mode") result.mode = answer[i + 1].text();
    if (answer[i].text() == "role") result.role = answer[i + 1].text();
  }
  return result;
}

std::string not_master_words(reply_view role, reply_view hello) {
  const std::string_view word = role[0].text();
  if (word == "master") return {};
  if (word == "slave") {
    server_address of;
    of.host = role[1].text();
    of.port = static_cast<std::uint16_t>(role[2].integer());
    return "is a replica of " + to_text(of);
  }
  // ROLE needs the right for dangerous commands, which many users do not have.
  const std::string said = parse_hello(hello).role;
  if (said == "master") return {};
  if (!said.empty()) return "is a " + said;
  return "does not say whether it is a master: allow its user HELLO or ROLE (ACL SETUSER ... "
         "+hello +role)";
}

}  // namespace ordeal::net::redis
