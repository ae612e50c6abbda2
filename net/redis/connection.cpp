#include "net/redis/connection.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <charconv>

#include "net/async/assert.h"
#include "net/async/deadline.h"
#include "net/redis/password_file.h"
#include "net/redis/reply_reader.h"

namespace ordeal::net::redis {
namespace {

using tcp = asio::ip::tcp;
constexpr std::size_t read_chunk_bytes = 64U << 10;

void set_option(tcp::socket& socket, int level, int name, int value) {
  // A socket without one of these still works, only dead peers are noticed later.
  (void)::setsockopt(socket.native_handle(), level, name, &value, sizeof value);
}

void tune(tcp::socket& socket, std::chrono::milliseconds user_timeout) {
  const int idle_seconds = std::max(1, static_cast<int>(user_timeout.count() / 2'000));
  set_option(socket, IPPROTO_TCP, TCP_NODELAY, 1);
  set_option(socket, SOL_SOCKET, SO_KEEPALIVE, 1);
  set_option(socket, IPPROTO_TCP, TCP_KEEPIDLE, idle_seconds);
  set_option(socket, IPPROTO_TCP, TCP_KEEPINTVL, 1);
  set_option(socket, IPPROTO_TCP, TCP_KEEPCNT, 3);
  set_option(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, static_cast<int>(user_timeout.count()));
}

class tcp_connection final : public connection {
 public:
  explicit tcp_connection(tcp::socket socket)
      : socket_(std::move(socket)), input_(read_chunk_bytes) {}

  asio::awaitable<exec_result> exec(const request& what, std::chrono::milliseconds limit) override;
  void close() noexcept override;
  bool is_open() const override { return socket_.is_open(); }

  asio::awaitable<exec_result> exchange(const request& what);

 private:
  asio::awaitable<error_code> read_replies(std::size_t count, std::vector<reply>& replies);
  error_code take_replies(std::size_t count, std::vector<reply>& replies);

  tcp::socket socket_;
  reply_reader reader_;
  std::vector<char> input_;
  bool is_busy_ = false;
};

void tcp_connection::close() noexcept {
  error_code ignored;  // the connection is given up either way
  socket_.close(ignored);
}

asio::awaitable<exec_result> tcp_connection::exec(const request& what,
                                                  std::chrono::milliseconds limit) {
  ORDEAL_ASSERT(!is_busy_);
  exec_result result;
  if (!is_open()) {
    result.ec = make_error_code(errc::closed);
    co_return result;
  }
  is_busy_ = true;
  auto finished = co_await net::with_deadline(exchange(what), limit);
  is_busy_ = false;
  if (finished) {
    result = std::move(*finished);
  } else {
    result.ec = make_error_code(errc::command_timeout);
  }
  // After a failure a late reply would be taken for the answer to the next request.
  if (result.ec) close();
  co_return result;
}

asio::awaitable<exec_result> tcp_connection::exchange(const request& what) {
  exec_result result;
  const std::string_view bytes = what.bytes();
  const auto buffer = asio::buffer(bytes.data(), bytes.size());
  const auto token = asio::as_tuple(asio::use_awaitable);
  const auto [write_ec, written] = co_await asio::async_write(socket_, buffer, token);
  if (write_ec == asio::error::operation_aborted) {
    result.ec = write_ec;
    co_return result;
  }
  // Also after a failed write: a server that is full says so, closes, and resets what we send.
  result.ec = co_await read_replies(what.size(), result.replies);
  if (write_ec && !result.ec) result.ec = write_ec;
  co_return result;
}

asio::awaitable<error_code> tcp_connection::read_replies(std::size_t count,
                                                         std::vector<reply>& replies) {
  const auto token = asio::as_tuple(asio::use_awaitable);
  const auto buffer = asio::buffer(input_);
  while (replies.size() < count) {
    const auto [ec, size] = co_await socket_.async_read_some(buffer, token);
    if (ec == asio::error::eof) co_return make_error_code(errc::closed);
    if (ec) co_return ec;
    reader_.feed(std::string_view(input_.data(), size));
    if (const error_code parse_ec = take_replies(count, replies)) co_return parse_ec;
  }
  co_return error_code();
}

error_code tcp_connection::take_replies(std::size_t count, std::vector<reply>& replies) {
  while (std::optional<reply> next = reader_.take()) {
    replies.push_back(std::move(*next));
    // More replies than requests: this is no longer a conversation.
    if (replies.size() > count) return make_error_code(errc::protocol_error);
  }
  return reader_.is_broken() ? make_error_code(errc::protocol_error) : error_code();
}

// What is sent before the connection is handed out, with the place of each reply.
struct greeting {
  request what;
  std::optional<std::size_t> auth;
  std::optional<std::size_t> select;
  std::size_t ping = 0;
};

greeting make_greeting(const connection_options& options, std::string_view password) {
  greeting result;
  if (!password.empty()) {
    result.auth = result.what.size();
    if (options.auth.user.empty()) {
      result.what.add({"AUTH", password});
    } else {
      result.what.add({"AUTH", options.auth.user, password});
    }
  }
  if (options.database != 0) {
    result.select = result.what.size();
    result.what.add({"SELECT", std::to_string(options.database)});
  }
  if (!options.client_name.empty()) result.what.add({"CLIENT", "SETNAME", options.client_name});
  result.ping = result.what.size();
  result.what.add({"PING"});
  return result;
}

struct refusal {
  error_code ec;
  std::string detail;
};

refusal refuse(reply_view answer) {
  refusal result;
  const errc code =
      classify(answer) == reply_class::auth ? errc::auth_failed : errc::refused_by_server;
  result.ec = make_error_code(code);
  result.detail = answer.text();
  return result;
}

// A password is set here but not there: the connection works (backplanes.md section 3).
bool is_auth_without_password(reply_view answer) {
  return answer.text().starts_with("ERR AUTH") &&
         answer.text().find("without any password") != std::string_view::npos;
}

// An error to PING that says nothing about this connection: a failed bgsave, a user who may not
// PING.
bool is_harmless_to_ping(reply_view answer) {
  return answer.text().starts_with("MISCONF") || answer.text().starts_with("NOPERM");
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
  if (sent.auth && replies[*sent.auth]->is_error() &&
      !is_auth_without_password(replies[*sent.auth].view())) {
    return refuse(replies[*sent.auth].view());
  }
  if (sent.select && replies[*sent.select]->is_error()) return refuse(replies[*sent.select].view());
  const reply_view pong = replies[sent.ping].view();
  if (pong.is_error() && !is_harmless_to_ping(pong)) return refuse(pong);
  return result;
}

struct resolved {
  error_code ec;
  std::vector<tcp::endpoint> endpoints;
};

asio::awaitable<resolved> resolve(const std::string& host, std::uint16_t port) {
  resolved result;
  error_code not_numeric;
  const auto address = asio::ip::make_address(host, not_numeric);
  if (!not_numeric) {
    result.endpoints.emplace_back(address, port);
    co_return result;
  }
  tcp::resolver resolver(co_await asio::this_coro::executor);
  const std::string service = std::to_string(port);
  const auto token = asio::as_tuple(asio::use_awaitable);
  const auto [ec, found] = co_await resolver.async_resolve(host, service, token);
  if (ec) result.ec = make_error_code(errc::resolve_failed);
  for (const auto& each : found) result.endpoints.push_back(each.endpoint());
  co_return result;
}

struct dialled {
  error_code ec;
  std::optional<tcp::socket> socket;
};

asio::awaitable<dialled> dial(const connection_options& options) {
  dialled result;
  const auto ex = co_await asio::this_coro::executor;
  const auto token = asio::as_tuple(asio::use_awaitable);
  const auto places = co_await resolve(options.host, options.port);
  result.ec = places.ec;
  for (const tcp::endpoint& place : places.endpoints) {
    tcp::socket socket(ex);
    socket.open(place.protocol(), result.ec);
    if (result.ec) continue;
    tune(socket, options.tcp_user_timeout);
    const auto [ec] = co_await socket.async_connect(place, token);
    result.ec = ec;
    if (ec) continue;
    result.socket.emplace(std::move(socket));
    break;
  }
  co_return result;
}

asio::awaitable<open_result> establish(const connection_options& options) {
  open_result result;
  const auto password = read_password(options.auth);
  if (!password.error.empty()) {
    result.ec = make_error_code(errc::password_file);
    result.detail = password.error;
    co_return result;
  }
  auto call = co_await dial(options);
  result.ec = call.ec;
  if (!call.socket) co_return result;
  auto opened = std::make_unique<tcp_connection>(std::move(*call.socket));
  const greeting hello = make_greeting(options, password.password);
  const auto answers = co_await opened->exchange(hello.what);
  refusal verdict = judge(hello, answers);
  result.ec = verdict.ec;
  result.detail = std::move(verdict.detail);
  if (!result.ec) result.opened = std::move(opened);
  co_return result;
}

void append_length(std::string& bytes, char type, std::size_t length) {
  std::array<char, 24> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), length).ptr;
  bytes += type;
  bytes.append(digits.data(), end);
  bytes += "\r\n";
}

}  // namespace

request& request::add(std::initializer_list<std::string_view> arguments) {
  return add(std::span<const std::string_view>(arguments.begin(), arguments.size()));
}

request& request::add(std::span<const std::string_view> arguments) {
  append_length(bytes_, '*', arguments.size());
  for (const std::string_view argument : arguments) {
    append_length(bytes_, '$', argument.size());
    bytes_ += argument;
    bytes_ += "\r\n";
  }
  ++count_;
  return *this;
}

void request::clear() {
  bytes_.clear();
  count_ = 0;
}

asio::awaitable<open_result> connect(connection_options options) {
  auto finished = co_await net::with_deadline(establish(options), options.connect_timeout);
  open_result result;
  if (finished) {
    result = std::move(*finished);
  } else {
    result.ec = make_error_code(errc::connect_timeout);
  }
  if (result.ec && result.detail.empty()) result.detail = result.ec.message();
  co_return result;
}

}  // namespace ordeal::net::redis
