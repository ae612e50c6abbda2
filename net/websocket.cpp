#include "net/websocket.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket/error.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <optional>
#include <utility>

#include "net/accept_websocket.h"
#include "net/async/deadline.h"

namespace ordeal::net {
namespace {

namespace beast = boost::beast;
using tcp = asio::ip::tcp;

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

constexpr std::size_t piece_bytes_max = 64U << 10;

// Buffers that one large message blew up are given back above this size.
constexpr std::size_t kept_buffer_bytes_max = 16U << 10;

// A close frame holds 125 bytes, two of them the code.
constexpr std::size_t close_reason_bytes_max = 123;

// Cuts at a UTF-8 character boundary: the peer would refuse half a character.
std::string_view fitting_reason(std::string_view reason) {
  if (reason.size() <= close_reason_bytes_max) return reason;
  std::size_t size = close_reason_bytes_max;
  while (size > 0 && (static_cast<unsigned char>(reason[size]) & 0xC0U) == 0x80U) --size;
  return reason.substr(0, size);
}

std::string to_text(const tcp::endpoint& endpoint) {
  const std::string address = endpoint.address().to_string();
  const std::string port = std::to_string(endpoint.port());
  return endpoint.address().is_v6() ? "[" + address + "]:" + port : address + ":" + port;
}

struct upgrade_result {
  error_code ec;
  unsigned http_status = 0;
};

class beast_websocket final : public websocket {
 public:
  beast_websocket(tcp::socket socket, const websocket_limits& limits, std::string peer,
                  std::shared_ptr<live_websockets> live)
      : stream_(std::move(socket)),
        limits_(limits),
        peer_(std::move(peer)),
        live_(std::move(live)) {
    if (live_) live_->insert(this);
    beast::websocket::stream_base::timeout timeout{};
    timeout.handshake_timeout = limits.handshake_timeout;
    timeout.idle_timeout = beast::websocket::stream_base::none();
    if (limits.idle_timeout.count() > 0) timeout.idle_timeout = limits.idle_timeout;
    timeout.keep_alive_pings = true;
    stream_.set_option(timeout);
    stream_.control_callback(
        [this](beast::websocket::frame_type, beast::string_view) { on_control_frame(); });
    stream_.read_message_max(limits.message_bytes_max);
    stream_.auto_fragment(false);
    stream_.text(true);
  }

  ~beast_websocket() override {
    if (live_) live_->erase(this);
  }

  asio::awaitable<upgrade_result> upgrade_as_client(std::string host, std::string target) {
    upgrade_result result;
    beast::websocket::response_type response;
    const auto [ec] = co_await stream_.async_handshake(response, host, target, as_result);
    result.ec = ec;
    if (ec == beast::websocket::error::upgrade_declined) result.http_status = response.result_int();
    co_return result;
  }

  asio::awaitable<error_code> upgrade_as_server(const upgrade_request& request,
                                                const std::vector<http_header>& headers) {
    auto add_headers = [&headers](beast::websocket::response_type& response) {
      for (const http_header& header : headers) response.set(header.name, header.value);
    };
    stream_.set_option(beast::websocket::stream_base::decorator(add_headers));
    const auto [ec] = co_await stream_.async_accept(request, as_result);
    can_try_write_ = !ec && limits_.idle_timeout.count() == 0;
    co_return ec;
  }

  asio::awaitable<read_result> read() override {
    received_.clear();
    if (received_.capacity() > kept_buffer_bytes_max) received_.shrink_to_fit();
    const auto [ec, size] = co_await stream_.async_read(received_, as_result);
    co_return result_of(ec, size);
  }

  asio::awaitable<read_result> read_some() override {
    received_.clear();
    const auto [ec, size] = co_await stream_.async_read_some(received_, piece_bytes_max, as_result);
    co_return result_of(ec, size);
  }

  asio::awaitable<error_code> write(std::span<const asio::const_buffer> parts) override {
    const asio::const_buffer message = joined(parts);
    is_writing_ = true;
    const auto [ec, size] = co_await stream_.async_write(message, as_result);
    let_go(joined_);
    is_writing_ = false;
    co_return ec;
  }

  try_result try_write(std::span<const asio::const_buffer> parts) override {
    if (!can_try_write_ || is_writing_ || is_answering_ || is_aborted_) return try_result::refused;
    const asio::const_buffer message = joined(parts);
    frame_head head;
    const std::size_t head_bytes = write_head(head, message.size());
    std::array<iovec, 2> pieces{
        {{head.data(), head_bytes}, {const_cast<void*>(message.data()), message.size()}}};
    msghdr what{};
    what.msg_iov = pieces.data();
    what.msg_iovlen = pieces.size();
    const ssize_t sent =
        ::sendmsg(stream_.next_layer().native_handle(), &what, MSG_DONTWAIT | MSG_NOSIGNAL);
    const std::size_t sent_bytes = sent > 0 ? static_cast<std::size_t>(sent) : 0;
    const bool is_whole = sent_bytes == head_bytes + message.size();
    if (sent_bytes > 0 && !is_whole) {
      keep_rest(std::string_view(reinterpret_cast<const char*>(head.data()), head_bytes), message,
                sent_bytes);
    }
    let_go(joined_);
    if (sent_bytes == 0)
      return try_result::refused;  // full, or broken: write() waits, or reports it
    return is_whole ? try_result::sent : try_result::partly;
  }

  asio::awaitable<error_code> write_rest() override {
    const asio::const_buffer rest = asio::buffer(rest_);
    const auto [ec, size] = co_await asio::async_write(stream_.next_layer(), rest, as_result);
    rest_ = std::string();
    is_writing_ = false;
    co_return ec;
  }

  asio::awaitable<void> close(close_code code, std::string_view reason) override {
    if (is_aborted_) co_return;
    can_try_write_ = false;
    const std::string_view fitting = fitting_reason(reason);
    beast::websocket::close_reason why;
    why.code = static_cast<std::uint16_t>(code);
    why.reason.assign(fitting.data(), fitting.size());
    co_await with_deadline(closing_handshake(why), limits_.handshake_timeout);
    abort();
  }

  void abort() noexcept override {
    is_aborted_ = true;
    error_code ignored;  // the descriptor is gone either way
    stream_.next_layer().close(ignored);
  }

  std::pair<std::uint16_t, std::string> close_reason() const override {
    const auto& why = stream_.reason();
    return std::pair<std::uint16_t, std::string>(why.code,
                                                 std::string(why.reason.data(), why.reason.size()));
  }

  std::string peer() const override { return peer_; }

 private:
  read_result result_of(error_code ec, std::size_t size) {
    is_answering_ = false;  // an answer to a control frame is out before a later message is in
    read_result result;
    result.ec = ec;
    if (!ec && !stream_.got_text()) {
      result.ec = make_error_code(boost::system::errc::wrong_protocol_type);
    } else if (!ec) {
      result.message = std::string_view(static_cast<const char*>(received_.data().data()), size);
    }
    return result;
  }

  asio::awaitable<error_code> closing_handshake(beast::websocket::close_reason why) {
    const auto [ec] = co_await stream_.async_close(why, as_result);
    co_return ec;
  }

  using frame_head = std::array<unsigned char, 10>;

  // Beast is about to answer a ping or a close by itself. In the middle of a frame of ours that would tear the stream
  // apart, so the connection ends then (a ping of the peer, just while its socket is full and we are writing).
  void on_control_frame() {
    is_answering_ = true;
    if (!rest_.empty()) abort();
  }

  // The head of an unmasked, unfragmented text frame (RFC 6455, 5.2); its size.
  static std::size_t write_head(frame_head& head, std::size_t payload_bytes) {
    const std::size_t length_bytes = payload_bytes < 126 ? 0 : payload_bytes <= 0xffff ? 2 : 8;
    const std::size_t code = length_bytes == 0 ? payload_bytes : length_bytes == 2 ? 126 : 127;
    head[0] = 0x81;
    head[1] = static_cast<unsigned char>(code);
    for (std::size_t i = 0; i < length_bytes; ++i) {
      head[2 + i] = static_cast<unsigned char>(payload_bytes >> (8 * (length_bytes - 1 - i)));
    }
    return 2 + length_bytes;
  }

  void keep_rest(std::string_view head, asio::const_buffer message, std::size_t sent_bytes) {
    const std::string_view payload(static_cast<const char*>(message.data()), message.size());
    const std::size_t head_sent = std::min(sent_bytes, head.size());
    const std::size_t payload_sent = sent_bytes - head_sent;
    rest_.reserve(head.size() - head_sent + payload.size() - payload_sent);
    rest_ = head.substr(head_sent);
    rest_ += payload.substr(payload_sent);
    is_writing_ = true;
  }

  // A server has many connections, and most of them had something long to say once.
  static void let_go(std::string& buffer) {
    if (buffer.capacity() > kept_buffer_bytes_max) buffer = std::string();
  }

  // Copying a batch of small messages costs less than handing the kernel an array of them, and Asio
  // writes at most 16 buffers a system call.
  asio::const_buffer joined(std::span<const asio::const_buffer> parts) {
    if (parts.size() == 1) return parts.front();
    std::size_t size = 0;
    for (const asio::const_buffer& part : parts) size += part.size();
    joined_.clear();
    joined_.reserve(size);
    for (const asio::const_buffer& part : parts) {
      joined_.append(static_cast<const char*>(part.data()), part.size());
    }
    return asio::const_buffer(joined_.data(), joined_.size());
  }

  beast::websocket::stream<tcp::socket, false> stream_;
  beast::flat_buffer received_;
  std::string joined_;
  std::string rest_;  // of a frame that try_write could not finish
  websocket_limits limits_;
  std::string peer_;
  std::shared_ptr<live_websockets> live_;
  bool is_aborted_ = false;
  bool can_try_write_ = false;
  bool is_writing_ = false;    // write() or write_rest() is due or under way
  bool is_answering_ = false;  // Beast may be writing a control frame
};

std::vector<tcp::endpoint> endpoints_of(const websocket_url& url) {
  std::vector<tcp::endpoint> endpoints;
  if (url.host == "localhost") {
    endpoints.emplace_back(asio::ip::address_v4::loopback(), url.port);
    endpoints.emplace_back(asio::ip::address_v6::loopback(), url.port);
    return endpoints;
  }
  error_code ec;
  const auto address = asio::ip::make_address(url.host, ec);
  if (!ec) endpoints.emplace_back(address, url.port);
  return endpoints;
}

struct connected_socket {
  error_code ec = asio::error::host_not_found;
  std::optional<tcp::socket> socket;
  tcp::endpoint peer;
};

asio::awaitable<connected_socket> connect_first(std::vector<tcp::endpoint> endpoints) {
  const auto ex = co_await asio::this_coro::executor;
  connected_socket result;
  for (const tcp::endpoint& endpoint : endpoints) {
    result.socket.emplace(ex);
    result.peer = endpoint;
    const auto [ec] = co_await result.socket->async_connect(endpoint, as_result);
    result.ec = ec;
    if (!ec) break;
  }
  co_return result;
}

asio::awaitable<connect_result> connect_and_upgrade(websocket_url url, websocket_limits limits) {
  connect_result result;
  std::vector<tcp::endpoint> endpoints = endpoints_of(url);
  connected_socket connected = co_await connect_first(std::move(endpoints));
  result.ec = connected.ec;
  if (!result.ec) connected.socket->set_option(tcp::no_delay(true), result.ec);
  if (result.ec) co_return result;
  auto connection = std::make_unique<beast_websocket>(std::move(*connected.socket), limits,
                                                      to_text(connected.peer), nullptr);
  std::string host = url.host + ":" + std::to_string(url.port);
  const upgrade_result upgraded = co_await connection->upgrade_as_client(std::move(host), url.path);
  result.ec = upgraded.ec;
  result.http_status = upgraded.http_status;
  if (!result.ec) result.connection = std::move(connection);
  co_return result;
}

}  // namespace

asio::awaitable<connect_result> connect_websocket(websocket_url url, websocket_limits limits) {
  auto finished =
      co_await with_deadline(connect_and_upgrade(url, limits), limits.handshake_timeout);
  if (finished) co_return std::move(*finished);
  connect_result result;
  result.ec = asio::error::timed_out;
  co_return result;
}

asio::awaitable<connect_result> accept_websocket(tcp::socket socket, upgrade_request request,
                                                 std::vector<http_header> headers,
                                                 websocket_limits limits,
                                                 std::shared_ptr<live_websockets> live) {
  connect_result result;
  error_code ec;
  const tcp::endpoint peer = socket.remote_endpoint(ec);
  if (!ec) socket.set_option(tcp::no_delay(true), ec);
  if (ec) {
    result.ec = ec;
    co_return result;
  }
  auto connection =
      std::make_unique<beast_websocket>(std::move(socket), limits, to_text(peer), std::move(live));
  result.ec = co_await connection->upgrade_as_server(request, headers);
  if (!result.ec) result.connection = std::move(connection);
  co_return result;
}

}  // namespace ordeal::net
