// The HTTP server and the one-request client over loopback. Where the bytes matter, the client is a
// raw socket.
#include "net/http.h"

#include <gmock/gmock.h>
#include <sys/resource.h>
#include <unistd.h>

#include "tests/integration/net/served.h"

namespace ordeal::test {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

net::http_response answer(const net::http_request& request) {
  net::http_response response;
  if (request.path == "/healthz") {
    response.body = "ok";
  } else if (request.path == "/echo") {
    response.content_type = "application/octet-stream";
    response.body = request.method + " " + request.query + " " +
                    std::string(request.header("x-who")) + " " + request.body;
  } else {
    response.status = 404;
  }
  return response;
}

net::http_handlers answering() {
  net::http_handlers handlers;
  handlers.on_request = answer;
  return handlers;
}

asio::awaitable<net::http_result> get(net::http_server& server, std::string target) {
  return net::http_request_once(server.local_endpoint(), "GET", std::move(target), "", 5s);
}

asio::awaitable<std::string> exchange_raw(net::http_server& server, std::string request) {
  tcp::socket socket = co_await connect_raw(server.local_endpoint());
  co_await send_raw(socket, std::move(request));
  co_return co_await receive_to_end(socket);
}

// ---- requests and responses

asio::awaitable<void> ask_known_and_unknown(net::http_server& server) {
  const net::http_result health = co_await get(server, "/healthz");
  EXPECT_FALSE(health.ec) << health.ec.message();
  EXPECT_EQ(health.response.status, 200U);
  EXPECT_EQ(health.response.body, "ok");
  EXPECT_EQ(health.response.content_type, "text/plain; charset=utf-8");
  const net::http_result nothing = co_await get(server, "/nothing");
  EXPECT_FALSE(nothing.ec) << nothing.ec.message();
  EXPECT_EQ(nothing.response.status, 404U);
}

TEST(HttpServer, AnswersByPath) {
  run_served(answering(), ask_known_and_unknown);
}

asio::awaitable<void> post_a_body(net::http_server& server) {
  const net::http_result result = co_await net::http_request_once(server.local_endpoint(), "POST",
                                                                  "/echo?a=b%20c", "the body", 5s);
  EXPECT_EQ(result.response.body, "POST a=b%20c  the body");
  EXPECT_EQ(result.response.content_type, "application/octet-stream");
}

TEST(HttpServer, HandsOverMethodQueryAndBody) {
  run_served(answering(), post_a_body);
}

asio::awaitable<void> send_three_requests_at_once(net::http_server& server) {
  const std::string text =
      co_await exchange_raw(server,
                            "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
                            "GET /echo HTTP/1.1\r\nHost: x\r\nX-Who: me\r\n\r\n"
                            "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(count_of("HTTP/1.1 200 OK", text), 3U);
  EXPECT_THAT(text, HasSubstr("GET  me "));
}

TEST(HttpServer, KeepsAConnectionForSeveralRequests) {
  run_served(answering(), send_three_requests_at_once);
}

asio::awaitable<void> ask_for_the_head(net::http_server& server) {
  const std::string text = co_await exchange_raw(
      server, "HEAD /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(text, HasSubstr("Content-Length: 2\r\n"));
  EXPECT_THAT(text, testing::EndsWith("\r\n\r\n"));
}

TEST(HttpServer, HeadHasNoBody) {
  run_served(answering(), ask_for_the_head);
}

net::http_response say_it_is_known(const net::http_request&) {
  net::http_response response;
  response.status = 304;
  return response;
}

asio::awaitable<void> ask_for_what_is_known(net::http_server& server) {
  const std::string text =
      co_await exchange_raw(server, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(text, testing::StartsWith("HTTP/1.1 304 "));
  EXPECT_THAT(text, testing::EndsWith("\r\n\r\n"));
  for (const char* field : {"Content-Length", "Transfer-Encoding"}) {
    EXPECT_THAT(text, testing::Not(HasSubstr(field)));
  }
}

TEST(HttpServer, NotModifiedHasNeitherBodyNorLength) {
  net::http_handlers handlers;
  handlers.on_request = say_it_is_known;
  run_served(std::move(handlers), ask_for_what_is_known);
}

asio::awaitable<void> ask_without_handlers(net::http_server& server) {
  const net::http_result result = co_await get(server, "/");
  EXPECT_EQ(result.response.status, 404U);
}

TEST(HttpServer, WithoutHandlersNothingIsFound) {
  run_served(net::http_handlers(), ask_without_handlers);
}

// ---- limits

asio::awaitable<void> send_large_body(net::http_server& server) {
  const std::string body(2'000'000, 'x');
  const net::http_result result =
      co_await net::http_request_once(server.local_endpoint(), "POST", "/echo", body, 5s);
  // The refusal may overtake a client that is still writing, so the raw bytes are what counts.
  const std::string text = co_await exchange_raw(
      server,
      "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n" + std::string(5000, 'x'));
  EXPECT_THAT(text, StartsWith("HTTP/1.1 413 "));
  EXPECT_TRUE(result.ec || result.response.status == 413U);
}

TEST(HttpServer, RefusesALargeBody) {
  net::http_server_options options;
  options.body_bytes_max = 1000;
  run_served(answering(), send_large_body, options);
}

asio::awaitable<void> send_large_headers(net::http_server& server) {
  const std::string text = co_await exchange_raw(
      server, "GET / HTTP/1.1\r\nHost: x\r\nX-Long: " + std::string(40'000, 'x') + "\r\n\r\n");
  EXPECT_THAT(text, StartsWith("HTTP/1.1 431 "));
}

TEST(HttpServer, RefusesLargeHeaders) {
  run_served(answering(), send_large_headers);
}

asio::awaitable<void> send_nonsense(net::http_server& server) {
  const std::string text = co_await exchange_raw(server, "what is this\r\n\r\n");
  EXPECT_THAT(text, StartsWith("HTTP/1.1 400 "));
}

TEST(HttpServer, RefusesNonsense) {
  run_served(answering(), send_nonsense);
}

asio::awaitable<void> send_half_a_request(net::http_server& server) {
  const std::string text = co_await exchange_raw(server, "GET / HTTP/1.1\r\nHost:");
  EXPECT_EQ(text, "");
}

TEST(HttpServer, ClosesAConnectionThatDoesNotFinishItsRequest) {
  net::http_server_options options;
  options.first_request_timeout = 100ms;
  run_served(answering(), send_half_a_request, options);
}

asio::awaitable<void> connect_one_too_many(net::http_server& server) {
  tcp::socket first = co_await connect_raw(server.local_endpoint());
  co_await send_raw(first, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
  co_await receive_until(first, "ok");
  co_await send_raw(first, "GET /healthz HTTP/1.1\r\n");  // and goes on speaking
  tcp::socket second = co_await connect_raw(server.local_endpoint());
  const std::string text = co_await receive_to_end(second);
  EXPECT_THAT(text, StartsWith("HTTP/1.1 503 "));
  co_await send_raw(first, "Host: x\r\n\r\n");
  const std::string still_served = co_await receive_until(first, "ok");
  EXPECT_THAT(still_served, StartsWith("HTTP/1.1 200 "));
}

TEST(HttpServer, AnswersAboveTheLimitThatThereIsNoRoom) {
  net::http_server_options options;
  options.connection_count_max = 1;
  run_served(answering(), connect_one_too_many, options);
}

asio::awaitable<void> crowd_in_silence(net::http_server& server) {
  std::vector<tcp::socket> silent;
  for (int i = 0; i < 20; ++i) silent.push_back(co_await connect_raw(server.local_endpoint()));
  const std::string text = co_await exchange_raw(
      server, "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(text, StartsWith("HTTP/1.1 200 "));
  const std::string closed = co_await receive_to_end(silent.front());
  EXPECT_EQ(closed, "") << "who was silent for longest made room";
}

TEST(HttpServer, SilentConnectionsKeepNobodyOut) {
  net::http_server_options options;
  options.http_connection_count_max = 4;
  run_served(answering(), crowd_in_silence, options);
}

asio::awaitable<void> come_from_one_address(net::http_server& server) {
  tcp::socket first = co_await connect_raw(server.local_endpoint());
  co_await send_raw(first, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
  co_await receive_until(first, "ok");
  tcp::socket second = co_await connect_raw(server.local_endpoint());
  const std::string text = co_await receive_to_end(second);
  EXPECT_THAT(text, StartsWith("HTTP/1.1 503 "));
  first.close();
}

TEST(HttpServer, KeepsTheLimitOfAnAddress) {
  net::http_server_options options;
  options.connections_per_address_max = 1;
  run_served(answering(), come_from_one_address, options);
}

asio::awaitable<void> send_ambiguous(net::http_server& server) {
  for (const char* const request :
       {"GET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, gzip\r\n\r\n"}) {
    const std::string text = co_await exchange_raw(server, request);
    EXPECT_THAT(text, StartsWith("HTTP/1.1 400 ")) << request;
  }
}

TEST(HttpServer, RefusesWhatAProxyMayReadOtherwise) {
  run_served(answering(), send_ambiguous);
}

// While it lives, the process cannot open another descriptor.
class descriptor_shortage {
 public:
  descriptor_shortage() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    const int lowest_free = ::dup(STDERR_FILENO);
    ::close(lowest_free);
    rlimit tight = before_;
    tight.rlim_cur = static_cast<rlim_t>(lowest_free);
    ::setrlimit(RLIMIT_NOFILE, &tight);
  }
  descriptor_shortage(const descriptor_shortage&) = delete;
  descriptor_shortage& operator=(const descriptor_shortage&) = delete;
  ~descriptor_shortage() { ::setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

// The kernel completes the connection, but the server cannot accept it until the shortage is over.
asio::awaitable<void> connect_during_a_shortage(net::http_server& server) {
  const auto ex = co_await asio::this_coro::executor;
  tcp::socket socket(ex);
  socket.open(tcp::v4());
  {
    const descriptor_shortage shortage;
    co_await socket.async_connect(server.local_endpoint(), asio::use_awaitable);
    co_await send_raw(socket, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
    const auto early = co_await net::with_deadline(receive_until(socket, "ok"), 50ms);
    EXPECT_FALSE(early);
  }
  const std::string text = co_await receive_until(socket, "ok");
  EXPECT_THAT(text, StartsWith("HTTP/1.1 200 "));
}

TEST(HttpServer, AcceptsAgainAfterDescriptorsRanOut) {
#if defined(__has_feature)
#if __has_feature(undefined_behavior_sanitizer)
  GTEST_SKIP()
      << "UBSan looks at objects through a pipe, and takes them for broken when none can be made";
#endif
#endif
  run_served(answering(), connect_during_a_shortage);
}

TEST(HttpServer, NamesTheAddressThatIsTaken) {
  asio::io_context io{1};
  const auto first =
      net::make_http_server(io.get_executor(), free_loopback_port(), {}, answering());
  const tcp::endpoint taken = first->local_endpoint();
  try {
    net::make_http_server(io.get_executor(), taken, {}, answering());
    FAIL() << "the second server could bind";
  } catch (const std::runtime_error& thrown) {
    EXPECT_EQ(thrown.what(), "cannot listen on 127.0.0.1:" + std::to_string(taken.port()) +
                                 ": Address already in use");
  }
}

// ---- the client

asio::awaitable<void> ask_the_mute(tcp::endpoint server) {
  const net::http_result result = co_await net::http_request_once(server, "GET", "/", "", 100ms);
  EXPECT_EQ(result.ec, asio::error::timed_out);
}

TEST(HttpClient, GivesUpAtItsLimit) {
  asio::io_context io{1};
  tcp::acceptor listener(io, free_loopback_port());
  run_coro(io, ask_the_mute(listener.local_endpoint()));
}

asio::awaitable<void> ask_the_absent(tcp::endpoint server) {
  const net::http_result result = co_await net::http_request_once(server, "GET", "/", "", 5s);
  EXPECT_EQ(result.ec, asio::error::connection_refused);
}

TEST(HttpClient, ReportsARefusedConnection) {
  asio::io_context io{1};
  tcp::acceptor listener(io, free_loopback_port());
  const tcp::endpoint closed = listener.local_endpoint();
  listener.close();
  run_coro(io, ask_the_absent(closed));
}

// ---- stopping

asio::awaitable<void> stop_beside_an_idle_connection(net::http_server& server) {
  tcp::socket idle = co_await connect_raw(server.local_endpoint());
  co_await send_raw(idle, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
  co_await receive_until(idle, "ok");
  server.stop();
  const std::string rest = co_await receive_to_end(idle);
  EXPECT_EQ(rest, "");
  const net::http_result refused = co_await get(server, "/healthz");
  EXPECT_EQ(refused.ec, asio::error::connection_refused);
}

TEST(HttpServer, StopClosesIdleConnectionsAndTheListener) {
  run_served(answering(), stop_beside_an_idle_connection);
}

asio::awaitable<void> stop_within_a_request(net::http_server& server) {
  tcp::socket busy = co_await connect_raw(server.local_endpoint());
  co_await send_raw(busy, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n12345");
  // The server must have seen the first half; another connection's answer comes after it.
  const net::http_result barrier = co_await get(server, "/healthz");
  EXPECT_EQ(barrier.response.body, "ok");
  server.stop();
  co_await send_raw(busy, "67890");
  const std::string text = co_await receive_to_end(busy);
  EXPECT_THAT(text, HasSubstr("1234567890"));
  EXPECT_THAT(text, HasSubstr("Connection: close"));
}

TEST(HttpServer, StopLetsAStartedRequestFinish) {
  run_served(answering(), stop_within_a_request);
}

struct open_websockets {
  int count = 0;
  bool has_run_returned = false;
};

asio::awaitable<void> swallow(std::unique_ptr<net::websocket> ws, open_websockets& open) {
  ++open.count;
  net::read_result received;
  while (!received.ec) received = co_await ws->read();
  --open.count;
}

net::http_handlers swallowing(open_websockets& open) {
  net::http_handlers handlers = answering();
  handlers.on_upgrade = accept_upgrade;
  handlers.on_websocket = [&open](net::http_request, std::unique_ptr<net::websocket> ws) {
    return swallow(std::move(ws), open);
  };
  return handlers;
}

asio::awaitable<void> run_and_note(net::http_server& server, open_websockets& open) {
  co_await server.run();
  open.has_run_returned = true;
}

asio::awaitable<std::unique_ptr<net::websocket>> open_websocket(net::http_server& server) {
  net::connect_result connected =
      co_await net::connect_websocket(chat_url(server.local_endpoint()), net::websocket_limits());
  EXPECT_FALSE(connected.ec) << connected.ec.message();
  co_return std::move(connected.connection);
}

asio::awaitable<void> stop_with_open_websockets(net::http_server& server, open_websockets& open) {
  const auto ex = co_await asio::this_coro::executor;
  net::task_group group(ex);
  group.spawn("server", run_and_note(server, open));
  const auto kept = co_await open_websocket(server);
  server.stop();
  const net::http_result refused = co_await get(server, "/healthz");
  EXPECT_EQ(refused.ec, asio::error::connection_refused);
  EXPECT_EQ(open.count, 1);
  EXPECT_FALSE(open.has_run_returned);
  co_await kept->close(net::close_code::normal, "");
  co_await group.join();
  EXPECT_TRUE(open.has_run_returned);
  EXPECT_EQ(open.count, 0);
}

TEST(HttpServer, RunReturnsAfterTheLastWebSocket) {
  asio::io_context io{1};
  open_websockets open;
  const auto server =
      net::make_http_server(io.get_executor(), free_loopback_port(), {}, swallowing(open));
  run_coro(io, stop_with_open_websockets(*server, open));
}

asio::awaitable<void> abort_open_websockets(net::http_server& server, open_websockets& open) {
  const auto ex = co_await asio::this_coro::executor;
  net::task_group group(ex);
  group.spawn("server", run_and_note(server, open));
  const auto first = co_await open_websocket(server);
  const auto second = co_await open_websocket(server);
  server.stop();
  server.abort_all();
  const net::read_result end = co_await first->read();
  EXPECT_TRUE(end.ec);
  co_await group.join();
  EXPECT_EQ(open.count, 0);
}

TEST(HttpServer, AbortAllEndsWebSockets) {
  asio::io_context io{1};
  open_websockets open;
  const auto server =
      net::make_http_server(io.get_executor(), free_loopback_port(), {}, swallowing(open));
  run_coro(io, abort_open_websockets(*server, open));
}

asio::awaitable<void> cancel_the_server(net::http_server& server, open_websockets& open) {
  const auto ex = co_await asio::this_coro::executor;
  net::task_group group(ex);
  group.spawn("server", run_and_note(server, open));
  const auto ws = co_await open_websocket(server);
  group.cancel();
  const net::read_result end = co_await ws->read();
  EXPECT_TRUE(end.ec);
  co_await group.join();
  EXPECT_EQ(open.count, 0);
}

TEST(HttpServer, CancellingRunAbortsEverything) {
  asio::io_context io{1};
  open_websockets open;
  const auto server =
      net::make_http_server(io.get_executor(), free_loopback_port(), {}, swallowing(open));
  run_coro(io, cancel_the_server(*server, open));
}

asio::awaitable<void> fail(net::http_request, std::unique_ptr<net::websocket>) {
  throw std::runtime_error("planted");
  co_return;
}

asio::awaitable<void> expect_failure(net::http_server& server) {
  const auto ex = co_await asio::this_coro::executor;
  net::task_group group(ex);
  group.spawn("server", server.run());
  const auto idle = co_await connect_raw(server.local_endpoint());
  const auto ws = co_await open_websocket(server);
  std::string thrown;
  try {
    co_await group.join();
  } catch (const std::exception& failure) {
    thrown = failure.what();
  }
  EXPECT_EQ(thrown, "planted");
}

TEST(HttpServer, RunThrowsWhatAHandlerThrows) {
  asio::io_context io{1};
  net::http_handlers handlers;
  handlers.on_upgrade = accept_upgrade;
  handlers.on_websocket = fail;
  const auto server =
      net::make_http_server(io.get_executor(), free_loopback_port(), {}, std::move(handlers));
  run_coro(io, expect_failure(*server));
}

}  // namespace
}  // namespace ordeal::test
