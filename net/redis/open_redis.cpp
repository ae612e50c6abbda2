#include "net/redis/open_redis.h"

#include "net/async/deadline.h"
#include "net/redis/greeting.h"
#include "net/redis/open_stream.h"
#include "net/redis/password_file.h"
#include "net/redis/tls.h"

namespace ordeal::net::redis {
namespace {

// What TLS or a silent end means before anything was answered.
std::string greeting_words(const error_code& ec, const tls_options& tls) {
  if (const std::string words = tls_words(ec); !words.empty()) return words;
  const bool is_cut = ec == make_error_code(errc::closed) || ec == asio::error::connection_reset;
  if (is_cut && !tls.is_on) {
    return "the server closed the connection without an answer (if it expects TLS: rediss:// "
           "instead of redis://)";
  }
  return {};
}

asio::awaitable<open_result> establish(const server_address& at, const connection_options& options,
                                       connect_stage& reached) {
  open_result result;
  const auto password = read_password(options.auth);
  if (!password.error.empty()) {
    result.ec = make_error_code(errc::password_file);
    result.detail = password.error;
    co_return result;
  }
  auto stream = co_await open_stream(at, options.tls, options.tcp_user_timeout, reached);
  result.ec = stream.ec;
  result.detail = std::move(stream.detail);
  if (!stream.opened) co_return result;
  const greeting hello = make_greeting(options, password.password);
  const auto answers = co_await stream.opened->exchange(hello.what);
  refusal verdict = judge(hello, answers);
  result.ec = verdict.ec;
  result.detail = std::move(verdict.detail);
  if (result.ec && result.detail.empty()) result.detail = greeting_words(result.ec, options.tls);
  if (result.ec) co_return result;
  if (hello.role) {
    const reply_view role = answers.replies[*hello.role].view();
    result.detail = not_master_words(role, answers.replies[hello.hello].view());
    if (!result.detail.empty()) {
      result.ec = make_error_code(errc::no_master);
      co_return result;
    }
  }
  result.opened = std::move(stream.opened);
  co_return result;
}

}  // namespace

asio::awaitable<open_result> open_redis(const server_address& at, const connection_options& options,
                                        std::chrono::milliseconds limit) {
  connect_stage reached = connect_stage::dialling;
  auto finished = co_await net::with_deadline(establish(at, options, reached), limit);
  open_result result;
  if (finished) {
    result = std::move(*finished);
  } else {
    result.ec = make_error_code(errc::connect_timeout);
    result.detail = timeout_words(reached);
  }
  result.at = at;
  if (result.ec && result.detail.empty()) result.detail = result.ec.message();
  co_return result;
}

}  // namespace ordeal::net::redis
