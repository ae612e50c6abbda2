#include "net/redis/sentinel.h"

#include <algorithm>
#include <charconv>

#include "net/redis/greeting.h"
#include "net/redis/password_file.h"
#include "net/redis/tls.h"

namespace ordeal::net::redis {
namespace {

bool contains(const std::vector<server_address>& places, const server_address& at) {
  return std::find(places.begin(), places.end(), at) != places.end();
}

std::optional<server_address> parse_address(std::string_view host, std::string_view port) {
  server_address result;
  const auto [end, failure] = std::from_chars(port.data(), port.data() + port.size(), result.port);
  if (failure != std::errc{} || end != port.data() + port.size() || result.port == 0)
    return std::nullopt;
  // It goes into log lines and to the resolver.
  const auto is_fine = [](char c) { return c > ' ' && c < '\x7f'; };
  if (host.empty() || host.size() > 255 || !std::all_of(host.begin(), host.end(), is_fine))
    return std::nullopt;
  result.host = host;
  return result;
}

// A password is missing or wrong: the sentinel's, which people take for that of Redis (centrifugo#375).
std::string refused_login_words(std::string_view text) {
  std::string words = "refused the login: " + std::string(text);
  if (text.starts_with("NOAUTH")) words += "; it wants a password of its own, not that of Redis";
  return words + " (--redis-sentinel-password-file, --redis-sentinel-user)";
}

std::string error_words(reply_view answer) {
  const std::string text(answer.text());
  if (classify(answer) == reply_class::auth) return refused_login_words(text);
  if (text.starts_with("ERR unknown command"))
    return "is no sentinel: it does not know the command SENTINEL";
  return "answered: " + text;
}

struct logged_in {
  error_code ec;
  std::string detail;
  std::vector<reply> replies;  // of what was asked after AUTH
  std::unique_ptr<raw_connection> opened;
};

std::string failure_words(const error_code& ec, std::string detail, bool has_tls) {
  if (detail.empty()) detail = tls_words(ec);
  if (detail.empty()) detail = ec.message();
  const bool is_cut = ec == make_error_code(errc::closed) || ec == asio::error::connection_reset;
  if (is_cut && !has_tls) detail += " (if it expects TLS: --redis-sentinel-tls true)";
  return "cannot be used: " + detail;
}

// Connects, and sends AUTH and the question in one go.
asio::awaitable<logged_in> log_in(const server_address& at, const connection_options& options,
                                  request question, connect_stage& reached) {
  logged_in result;
  const sentinel_options& sentinel = options.sentinel;
  const auto password = read_password(sentinel.auth);
  if (!password.error.empty()) {
    result.ec = make_error_code(errc::password_file);
    result.detail = "cannot be asked: " + password.error;
    co_return result;
  }
  tls_options tls = options.tls;
  tls.is_on = sentinel.has_tls;
  auto stream = co_await open_stream(at, tls, options.tcp_user_timeout, reached);
  if (stream.ec) {
    result.ec = stream.ec;
    result.detail = failure_words(stream.ec, std::move(stream.detail), tls.is_on);
    co_return result;
  }
  request what;
  const auto auth = add_login(what, sentinel.auth, password.password);
  const std::size_t first = what.size();
  what.append(question);
  auto answers = co_await stream.opened->exchange(what);
  if (auth && !answers.replies.empty() && is_refused_login(answers.replies[0].view())) {
    result.detail = refused_login_words(answers.replies[0]->text());
    co_return result;
  }
  result.ec = answers.ec;
  if (answers.ec) {
    // One that is full says so and closes.
    const bool has_words = !answers.replies.empty() && answers.replies[0]->is_error();
    result.detail = has_words ? error_words(answers.replies[0].view())
                              : failure_words(answers.ec, {}, tls.is_on);
    co_return result;
  }
  for (std::size_t i = first; i < answers.replies.size(); ++i)
    result.replies.push_back(std::move(answers.replies[i]));
  result.opened = std::move(stream.opened);
  co_return result;
}

}  // namespace

std::vector<server_address> sentinel_memory::order() const {
  std::vector<server_address> result;
  if (right_) result.push_back(*right_);
  for (const auto* const source : {&given_, &learned_}) {
    for (const server_address& each : *source) {
      if (!contains(result, each)) result.push_back(each);
    }
  }
  return result;
}

void sentinel_memory::on_learned(std::vector<server_address> others) {
  if (others.size() > learned_max) others.resize(learned_max);
  learned_ = std::move(others);
}

std::optional<server_address> parse_master_address(reply_view answer) {
  if (answer.size() != 2) return std::nullopt;
  return parse_address(answer[0].text(), answer[1].text());
}

std::vector<server_address> parse_sentinels(reply_view answer) {
  std::vector<server_address> result;
  for (std::size_t i = 0; i < answer.size(); ++i) {
    const reply_view fields = answer[i];
    std::string_view host, port;
    for (std::size_t field = 0; field + 1 < fields.size(); field += 2) {
      if (fields[field].text() == "ip") host = fields[field + 1].text();
      if (fields[field].text() == "port") port = fields[field + 1].text();
    }
    const auto found = parse_address(host, port);
    if (found && !contains(result, *found)) result.push_back(*found);
  }
  return result;
}

void add_master_question(request& what, const std::string& master_name) {
  what.add({"SENTINEL", "get-master-addr-by-name", master_name});
}

asio::awaitable<sentinel_answer> ask_sentinel(const server_address& at,
                                              const connection_options& options,
                                              connect_stage& reached) {
  sentinel_answer result;
  const std::string& name = options.sentinel.master_name;
  request question;
  add_master_question(question, name);
  question.add({"SENTINEL", "sentinels", name});
  auto answers = co_await log_in(at, options, std::move(question), reached);
  result.ec = answers.ec;
  result.detail = std::move(answers.detail);
  if (!answers.opened) co_return result;
  const reply_view answer = answers.replies[0].view();
  result.master = parse_master_address(answer);
  result.others = parse_sentinels(answers.replies[1].view());
  if (result.master) {
    result.opened = std::move(answers.opened);
  } else if (answer.is_error()) {
    result.detail = error_words(answer);
  } else {
    result.detail = answer.is_nil() ? "knows no master of that name (the part of the URL after the "
                                      "sentinels' addresses)"
                                    : "gave an answer that is no address";
  }
  co_return result;
}

asio::awaitable<subscribed> subscribe_to_switches(const server_address& at,
                                                  const connection_options& options) {
  subscribed result;
  connect_stage reached = connect_stage::dialling;
  request question;
  question.add({"SUBSCRIBE", "+switch-master"});
  auto answers = co_await log_in(at, options, std::move(question), reached);
  result.detail = std::move(answers.detail);
  if (!answers.opened) co_return result;
  if (answers.replies[0]->is_error()) {
    result.detail = error_words(answers.replies[0].view());
    co_return result;
  }
  result.opened = std::move(answers.opened);
  co_return result;
}

}  // namespace ordeal::net::redis
