#include "net/redis/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/impl/src.hpp>
#include <boost/asio/ssl/stream.hpp>

#include "net/redis/tls_files.h"
#include "net/redis/tls_peer.h"

namespace ordeal::net::redis {
namespace {

using tcp = asio::ip::tcp;
using tls_connection = stream_connection<asio::ssl::stream<tcp::socket>>;

bool is_end(const error_code& ec) {
  return ec == asio::error::eof || ec == asio::ssl::error::stream_truncated;
}

// Redis closes without a farewell of TLS, and a TCP connection may end at any time: the replies are counted, so
// nothing is lost by taking a truncated stream for a closed one.
error_code translate_tls(error_code ec) {
  return is_end(ec) ? make_error_code(errc::closed) : ec;
}

std::string handshake_words(const error_code& ec) {
  if (is_end(ec) || ec == asio::error::connection_reset) {
    return "the server closed the connection during the TLS handshake: does it speak TLS at this "
           "port? (if not: redis:// instead of rediss://, for sentinels --redis-sentinel-tls "
           "false)";
  }
  const std::string words = tls_words(ec);
  return words.empty() ? "the TLS handshake failed: " + ec.message() : words;
}

}  // namespace

std::string tls_words(const error_code& ec) {
  if (ec.category() != asio::error::get_ssl_category()) return {};
  switch (ERR_GET_REASON(static_cast<unsigned long>(ec.value()))) {
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_HTTP_REQUEST:
    case SSL_R_UNEXPECTED_MESSAGE:
      return "the server does not speak TLS at this port: use redis:// instead of rediss:// (for "
             "sentinels --redis-sentinel-tls false), or its TLS port";
    case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
      return "the server wants a client certificate: give one (--redis-tls-cert-file and "
             "--redis-tls-key-file)";
    case SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE:
      return "the server refused the TLS handshake: it may want a client certificate "
             "(--redis-tls-cert-file and --redis-tls-key-file), or shares no cipher with us";
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
      return "the server does not trust the CA of our certificate (--redis-tls-cert-file)";
    case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
      return "the server says that our certificate has expired (--redis-tls-cert-file)";
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
    case SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE:
      return "the server refused our certificate (--redis-tls-cert-file): " + ec.message();
    case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
    case SSL_R_UNSUPPORTED_PROTOCOL:
      return "the server speaks only versions of TLS before 1.2: enable 1.2 or 1.3 there";
    default:
      return "TLS failed: " + ec.message();
  }
}

asio::awaitable<open_stream_result> start_tls(tcp::socket socket, const tls_options& options,
                                              std::string host) {
  open_stream_result result;
  asio::ssl::context context(asio::ssl::context::tls_client);
  ::SSL_CTX_set_min_proto_version(context.native_handle(), TLS1_2_VERSION);
  ::SSL_CTX_set_options(context.native_handle(), SSL_OP_NO_RENEGOTIATION);
  result.detail = load_tls_files(context.native_handle(), options);
  if (!result.detail.empty()) {
    result.ec = make_error_code(errc::tls_files);
    co_return result;
  }
  auto opened = std::make_unique<tls_connection>(translate_tls, std::move(socket), context);
  ::ssl_st* const handshake = opened->stream().native_handle();
  const std::string& name = options.server_name.empty() ? host : options.server_name;
  tls_peer peer;
  if (!peer.expect(handshake, name)) {
    result.ec = make_error_code(errc::tls_failed);
    result.detail =
        "the TLS server name (--redis-tls-server-name, or else the host) cannot be the name of a "
        "server";
    co_return result;
  }
  const auto token = asio::as_tuple(asio::use_awaitable);
  const auto role = asio::ssl::stream_base::client;
  const auto [ec] = co_await opened->stream().async_handshake(role, token);
  if (ec) {
    result.ec = make_error_code(errc::tls_failed);
    result.detail = peer.refusal(options);
    if (result.detail.empty()) result.detail = handshake_words(ec);
    co_return result;
  }
  result.opened = std::move(opened);
  co_return result;
}

}  // namespace ordeal::net::redis
