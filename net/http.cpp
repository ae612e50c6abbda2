#include "net/http.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/beast/websocket/rfc6455.hpp>
#include <map>
#include <sstream>
#include <stdexcept>
#include <unordered_map>
#include <utility>

#include "net/accept_websocket.h"
#include "net/async/clock.h"
#include "net/async/deadline.h"
#include "net/async/log.h"
#include "net/async/task_group.h"

namespace ordeal::net {
namespace {

namespace beast = boost::beast;
namespace http = beast::http;
using tcp = asio::ip::tcp;

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

// Without descriptors or memory accept fails at once, again and again: wait for connections to end.
constexpr std::chrono::milliseconds accept_pause{100};
constexpr std::chrono::seconds accept_complaint_interval{10};
constexpr std::size_t turned_away_count_max = 4;  // at a time: each takes a descriptor

// How much of a request that was refused half read is still swallowed, so that the refusal arrives
// before the reset.
constexpr std::chrono::milliseconds drain_time_max{1'000};
constexpr std::size_t drain_bytes_max = 1U << 20;

http_request to_plain(const upgrade_request& from) {
  http_request plain;
  plain.method = std::string(from.method_string());
  const std::string_view target(from.target().data(), from.target().size());
  const std::size_t question_mark = target.find('?');
  plain.path = std::string(target.substr(0, question_mark));
  if (question_mark != std::string_view::npos)
    plain.query = std::string(target.substr(question_mark + 1));
  for (const auto& field : from) {
    http_header header;
    header.name = std::string(field.name_string());
    header.value = std::string(field.value());
    plain.headers.push_back(std::move(header));
  }
  plain.body = from.body();
  return plain;
}

http_response text_response(unsigned status, std::string_view text) {
  http_response response;
  response.status = status;
  response.body = text;
  return response;
}

// The answer to a request that could not be read; nullopt when the peer went away.
std::optional<http_response> refusal_of(error_code ec) {
  if (ec == http::error::end_of_stream || ec == http::error::partial_message) return std::nullopt;
  if (ec == http::error::header_limit)
    return text_response(431, "the request headers are too large\n");
  if (ec == http::error::body_limit) return text_response(413, "the request body is too large\n");
  const bool is_malformed = ec.category() == make_error_code(http::error::bad_method).category();
  if (is_malformed) return text_response(400, "malformed request: " + ec.message() + "\n");
  return std::nullopt;
}

// What one side of a proxy may take for another request than the other side; null: nothing.
const char* ambiguity_of(const upgrade_request& request) {
  const auto hosts = request.count(http::field::host);
  if (hosts > 1) return "more than one Host header\n";
  if (hosts == 0 && request.version() >= 11) return "no Host header\n";
  const auto encoding = request[http::field::transfer_encoding];
  if (!encoding.empty() && !request.chunked())
    return "the last Transfer-Encoding of a request must be chunked\n";
  return nullptr;
}

http::response<http::string_body> to_beast(http_response from, bool is_head, bool is_kept_alive) {
  http::response<http::string_body> response;
  response.version(11);
  response.result(from.status);
  response.set(http::field::content_type, from.content_type);
  for (const http_header& header : from.headers) response.set(header.name, header.value);
  response.keep_alive(is_kept_alive);
  response.body() = std::move(from.body);
  response.prepare_payload();
  // A length in a 304 would be that of the body which it leaves out (RFC 9110, 8.6).
  if (from.status == 304) response.content_length(boost::none);
  if (is_head) response.body().clear();
  return response;
}

class connection;
using live_connections = std::map<std::uint64_t, connection*>;  // by age

// A connection as long as it speaks HTTP.
class connection {
 public:
  connection(tcp::socket connected, std::uint64_t number, live_connections& live)
      : socket(std::move(connected)), number_(number), live_(live) {
    live_.emplace(number, this);
  }
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;
  ~connection() { live_.erase(number_); }

  void close() {
    error_code ignored;  // the descriptor is gone either way
    socket.close(ignored);
  }

  // Between requests: nothing of the next one has arrived.
  bool is_idle() const {
    return parser && !parser->got_some() && buffer.size() == 0 && socket.is_open();
  }

  tcp::socket socket;
  beast::flat_buffer buffer;
  std::optional<http::request_parser<http::string_body>> parser;  // set while a request is read

 private:
  std::uint64_t number_;
  live_connections& live_;
};

asio::awaitable<error_code> read_request(connection& from) {
  const auto [ec, size] =
      co_await http::async_read(from.socket, from.buffer, *from.parser, as_result);
  co_return ec;
}

asio::awaitable<error_code> write_response(connection& to,
                                           http::response<http::string_body>& response) {
  const auto [ec, size] = co_await http::async_write(to.socket, response, as_result);
  co_return ec;
}

asio::awaitable<error_code> drain(connection& from) {
  error_code failure;
  from.socket.shutdown(tcp::socket::shutdown_send, failure);
  for (std::size_t total = 0; !failure && total < drain_bytes_max;) {
    from.buffer.clear();
    const asio::mutable_buffer room = from.buffer.prepare(std::size_t{16} << 10);
    const auto [ec, size] = co_await from.socket.async_read_some(room, as_result);
    failure = ec;
    total += size;
  }
  co_return failure;
}

class beast_http_server final : public http_server {
 public:
  beast_http_server(asio::any_io_executor ex, tcp::acceptor acceptor, http_server_options options,
                    http_handlers handlers)
      : acceptor_(std::move(acceptor)),
        endpoint_(acceptor_.local_endpoint()),
        options_(options),
        handlers_(std::move(handlers)),
        group_(ex),
        connection_ended_(ex) {}

  tcp::endpoint local_endpoint() const override { return endpoint_; }
  asio::awaitable<void> run() override;
  void stop() override;
  void abort_all() noexcept override;

 private:
  // Counts a connection from accept to its end, whatever it speaks.
  class ticket {
   public:
    ticket(beast_http_server& server, asio::ip::address from)
        : server_(server), from_(std::move(from)) {
      ++server_.connection_count_;
      ++server_.by_address_[from_];
    }
    ticket(const ticket&) = delete;
    ticket& operator=(const ticket&) = delete;
    ~ticket() {
      --server_.connection_count_;
      const auto known = server_.by_address_.find(from_);
      if (--known->second == 0) server_.by_address_.erase(known);
      server_.connection_ended_.notify_all();
    }

   private:
    beast_http_server& server_;
    asio::ip::address from_;
  };

  asio::awaitable<void> accept_loop();
  asio::awaitable<void> pause_accepting(error_code why);
  void take(tcp::socket socket);
  bool is_full() const;
  bool close_silent();
  void turn_away(std::unique_ptr<connection> peer);
  asio::awaitable<void> say_full(std::unique_ptr<connection> peer);
  void complain(std::string_view what, std::string_view why);
  void tell_trouble(bool is_out);
  asio::awaitable<void> serve(std::unique_ptr<ticket> counted, std::unique_ptr<connection> peer);
  asio::awaitable<void> serve_requests(std::unique_ptr<connection> peer);
  asio::awaitable<void> serve_websocket(std::unique_ptr<connection> peer, upgrade_request request,
                                        http_request plain, std::vector<http_header> headers);
  asio::awaitable<bool> respond(connection& peer, http_response response, bool is_head,
                                bool is_kept_alive);
  asio::awaitable<void> refuse(connection& peer, http_response response);

  http_response answer(const http_request& request) const {
    return handlers_.on_request ? handlers_.on_request(request) : text_response(404, "not found\n");
  }
  http_response decide_upgrade(const http_request& request) const {
    return handlers_.on_upgrade ? handlers_.on_upgrade(request) : text_response(404, "not found\n");
  }

  tcp::acceptor acceptor_;
  tcp::endpoint endpoint_;
  http_server_options options_;
  http_handlers handlers_;
  task_group group_;
  condition connection_ended_;
  std::size_t connection_count_ = 0;
  live_connections connections_;
  std::shared_ptr<live_websockets> websockets_ = std::make_shared<live_websockets>();
  std::uint64_t accepted_count_ = 0;
  std::unordered_map<asio::ip::address, std::size_t> by_address_;
  std::size_t turned_away_count_ = 0;  // those that are being told
  time_point next_complaint_{};
  bool is_out_of_descriptors_ = false;
  bool is_stopping_ = false;
};

asio::awaitable<void> beast_http_server::run() {
  co_await accept_loop();
  auto state = co_await asio::this_coro::cancellation_state;
  while (connection_count_ > 0 && state.cancelled() == asio::cancellation_type::none) {
    co_await connection_ended_.wait();
    state = co_await asio::this_coro::cancellation_state;
  }
  if (state.cancelled() != asio::cancellation_type::none) {
    stop();
    abort_all();
    group_.cancel();
  }
  co_await group_.join();
}

asio::awaitable<void> beast_http_server::accept_loop() {
  while (acceptor_.is_open()) {
    auto [ec, socket] = co_await acceptor_.async_accept(as_result);
    const auto state = co_await asio::this_coro::cancellation_state;
    if (!acceptor_.is_open() || state.cancelled() != asio::cancellation_type::none) break;
    if (ec == asio::error::connection_aborted) continue;
    if (ec) {
      co_await pause_accepting(ec);
    } else {
      tell_trouble(false);
      take(std::move(socket));
    }
  }
}

void beast_http_server::take(tcp::socket socket) {
  error_code ec;
  const auto remote = socket.remote_endpoint(ec);
  if (ec) return;  // gone already
  auto peer = std::make_unique<connection>(std::move(socket), ++accepted_count_, connections_);
  const auto from = by_address_.find(remote.address());
  const std::size_t of_address = from == by_address_.end() ? 0 : from->second;
  const std::size_t of_address_max = options_.connections_per_address_max;
  if (of_address_max != 0 && of_address >= of_address_max) return turn_away(std::move(peer));
  if (is_full() && !close_silent()) return turn_away(std::move(peer));
  auto counted = std::make_unique<ticket>(*this, remote.address());
  group_.spawn("connection", serve(std::move(counted), std::move(peer)));
}

// With one that has just come.
bool beast_http_server::is_full() const {
  return connections_.size() > options_.http_connection_count_max ||
         connection_count_ >= options_.connection_count_max;
}

// Who has been silent for longest; false: everybody has said something.
bool beast_http_server::close_silent() {
  for (const auto& [number, each] : connections_) {
    if (!each->is_idle()) continue;
    each->close();
    return true;
  }
  return false;
}

void beast_http_server::turn_away(std::unique_ptr<connection> peer) {
  complain("new connections are refused", "there are as many as this server may have");
  if (turned_away_count_ >= turned_away_count_max) return;
  group_.spawn("refusal", say_full(std::move(peer)));
}

asio::awaitable<void> beast_http_server::say_full(std::unique_ptr<connection> peer) {
  ++turned_away_count_;
  co_await refuse(*peer, text_response(503, "this server has no room for another connection\n"));
  --turned_away_count_;
}

void beast_http_server::complain(std::string_view what, std::string_view why) {
  if (now() < next_complaint_) return;
  next_complaint_ = now() + accept_complaint_interval;
  log(log_level::warn, "http", std::string(what), {{"reason", std::string(why)}});
}

void beast_http_server::tell_trouble(bool is_out) {
  if (is_out == is_out_of_descriptors_) return;
  is_out_of_descriptors_ = is_out;
  if (handlers_.on_accept_trouble) handlers_.on_accept_trouble(is_out);
}

asio::awaitable<void> beast_http_server::pause_accepting(error_code why) {
  const bool is_out = why == boost::system::errc::too_many_files_open ||
                      why == boost::system::errc::too_many_files_open_in_system;
  tell_trouble(is_out);
  complain(is_out ? "out of descriptors: cannot accept connections, trying on"
                  : "cannot accept connections, trying on",
           why.message());
  co_await sleep_for(accept_pause);
}

asio::awaitable<void> beast_http_server::serve(std::unique_ptr<ticket> /*counted*/,
                                               std::unique_ptr<connection> peer) {
  try {
    co_await serve_requests(std::move(peer));
  } catch (...) {
    stop();  // the group cancels the siblings, and run() throws this
    throw;
  }
}

asio::awaitable<void> beast_http_server::serve_requests(std::unique_ptr<connection> peer) {
  bool is_kept_alive = true;
  auto limit = options_.first_request_timeout;
  while (is_kept_alive && !is_stopping_) {
    peer->parser.emplace();
    peer->parser->body_limit(options_.body_bytes_max);
    peer->parser->header_limit(static_cast<std::uint32_t>(options_.header_bytes_max));
    const auto ec = co_await with_deadline(read_request(*peer), limit);
    limit = options_.request_timeout;
    if (!ec) break;
    if (*ec) {
      std::optional<http_response> refusal = refusal_of(*ec);
      if (refusal) co_await refuse(*peer, std::move(*refusal));
      break;
    }
    upgrade_request request = peer->parser->release();
    peer->parser.reset();
    if (const char* const wrong = ambiguity_of(request)) {
      co_await refuse(*peer, text_response(400, wrong));
      break;
    }
    http_request plain = to_plain(request);
    http_response response;
    if (beast::websocket::is_upgrade(request)) {
      response = decide_upgrade(plain);
      if (response.status == 101) {
        co_await serve_websocket(std::move(peer), std::move(request), std::move(plain),
                                 std::move(response.headers));
        co_return;
      }
    } else {
      response = answer(plain);
    }
    is_kept_alive = request.keep_alive() && !is_stopping_;
    const bool is_head = request.method() == http::verb::head;
    const bool is_sent = co_await respond(*peer, std::move(response), is_head, is_kept_alive);
    is_kept_alive = is_kept_alive && is_sent;
  }
}

asio::awaitable<void> beast_http_server::serve_websocket(std::unique_ptr<connection> peer,
                                                         upgrade_request request,
                                                         http_request plain,
                                                         std::vector<http_header> headers) {
  if (peer->buffer.size() > 0) {
    // Frames before our 101 break RFC 6455, and Beast could not be handed them.
    co_await refuse(*peer, text_response(400, "bytes after the upgrade request\n"));
    co_return;
  }
  tcp::socket socket = std::move(peer->socket);
  peer.reset();
  connect_result accepted = co_await accept_websocket(
      std::move(socket), std::move(request), std::move(headers), options_.websocket, websockets_);
  if (accepted.ec) co_return;
  co_await handlers_.on_websocket(std::move(plain), std::move(accepted.connection));
}

asio::awaitable<bool> beast_http_server::respond(connection& peer, http_response response,
                                                 bool is_head, bool is_kept_alive) {
  auto message = to_beast(std::move(response), is_head, is_kept_alive);
  const auto ec = co_await with_deadline(write_response(peer, message), options_.request_timeout);
  co_return ec && !*ec;
}

asio::awaitable<void> beast_http_server::refuse(connection& peer, http_response response) {
  if (handlers_.on_refused) handlers_.on_refused(response.status);
  if (response.status == 431)
    complain("a request was refused", "its headers are larger than this server takes");
  const bool is_sent = co_await respond(peer, std::move(response), false, false);
  if (is_sent) co_await with_deadline(drain(peer), drain_time_max);
}

void beast_http_server::stop() {
  is_stopping_ = true;
  error_code ignored;  // the descriptor is gone either way
  acceptor_.close(ignored);
  for (const auto& [number, each] : connections_) {
    if (each->is_idle()) each->close();
  }
}

void beast_http_server::abort_all() noexcept {
  for (const auto& [number, each] : connections_) each->close();
  for (websocket* each : *websockets_) each->abort();
}

}  // namespace

std::string_view http_request::header(std::string_view name) const {
  for (const http_header& each : headers) {
    if (beast::iequals(each.name, name)) return each.value;
  }
  return {};
}

std::unique_ptr<http_server> make_http_server(asio::any_io_executor ex, tcp::endpoint listen,
                                              http_server_options options, http_handlers handlers) {
  tcp::acceptor acceptor(ex);
  error_code ec;
  acceptor.open(listen.protocol(), ec);
  if (!ec) acceptor.set_option(tcp::acceptor::reuse_address(true), ec);
  if (!ec) acceptor.bind(listen, ec);
  if (!ec) acceptor.listen(asio::socket_base::max_listen_connections, ec);
  if (ec) {
    std::ostringstream text;
    text << "cannot listen on " << listen << ": " << ec.message();
    throw std::runtime_error(text.str());
  }
  return std::make_unique<beast_http_server>(ex, std::move(acceptor), options, std::move(handlers));
}

}  // namespace ordeal::net
