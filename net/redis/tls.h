// TLS over a connected socket. tls.cpp is the only source that includes Asio's TLS. Private to this folder.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <string>

#include "net/redis/open_stream.h"

namespace ordeal::net::redis {

// Reads the files, shakes hands, verifies the chain and that the certificate is for `host` (or the server name of the
// options). Each failure has a detail with its remedy.
asio::awaitable<open_stream_result> start_tls(asio::ip::tcp::socket socket,
                                              const tls_options& options, std::string host);

// What an error of a connection means, and what to change, when TLS made it: also after the handshake, since with TLS
// 1.3 a server refuses our certificate only then. Empty for any other error.
std::string tls_words(const error_code& ec);

}  // namespace ordeal::net::redis
