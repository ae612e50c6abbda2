// From an address to a connection that can be spoken on: resolve, TCP, TLS if wanted; no AUTH yet. Private to this
// folder.
#pragma once

#include <string>

#include "net/redis/connection.h"
#include "net/redis/stream_connection.h"

namespace ordeal::net::redis {

// How far an attempt to connect came, for whoever has to say why it took too long.
enum class connect_stage { dialling, tls_handshake, greeting };
// What a timeout at that stage means.
std::string timeout_words(connect_stage reached);

struct open_stream_result {
  error_code ec;
  std::string detail;  // empty: ec says it all
  std::unique_ptr<raw_connection> opened;
};
// The arguments must stay alive until it returns; it sets `reached` as it goes.
asio::awaitable<open_stream_result> open_stream(const server_address& at, const tls_options& tls,
                                                std::chrono::milliseconds tcp_user_timeout,
                                                connect_stage& reached);

}  // namespace ordeal::net::redis
