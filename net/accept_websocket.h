// The seam between http.cpp and websocket.cpp, private to net/: turns an upgrade request that the
// server has read into a WebSocket. One thread.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>
#include <memory>
#include <unordered_set>
#include <vector>

#include "net/http.h"
#include "net/websocket.h"

namespace ordeal::net {

using upgrade_request = boost::beast::http::request<boost::beast::http::string_body>;

// The WebSockets of a server that are alive. Each one leaves the set when it is destroyed, by
// whomever.
using live_websockets = std::unordered_set<websocket*>;

// Answers `request` with 101 and `headers`. Joins `live` before the first suspension.
asio::awaitable<connect_result> accept_websocket(asio::ip::tcp::socket socket,
                                                 upgrade_request request,
                                                 std::vector<http_header> headers,
                                                 websocket_limits limits,
                                                 std::shared_ptr<live_websockets> live);

}  // namespace ordeal::net
