// WebSocket connections, both sides, over loopback. Peers that break the rules are raw TCP sockets.
#include "net/websocket.h"

#include <gmock/gmock.h>

#include "net/async/clock.h"
#include "tests/integration/net/served.h"

namespace ordeal::test {
namespace {

using testing::HasSubstr;

std::string repeated(std::size_t count, char c) {
  return std::string(count, c);
}

asio::awaitable<net::error_code> send(net::websocket& to, std::string text) {
  const asio::const_buffer part(text.data(), text.size());
  co_return co_await to.write(std::span<const asio::const_buffer>(&part, 1));
}

asio::awaitable<void> echo(net::http_request, std::unique_ptr<net::websocket> ws) {
  for (;;) {
    const net::read_result received = co_await ws->read();
    if (received.ec) break;
    const net::error_code ec = co_await send(*ws, std::string(received.message));
    if (ec) break;
  }
}

net::http_handlers serving(
    std::function<asio::awaitable<void>(net::http_request, std::unique_ptr<net::websocket>)>
        on_websocket) {
  net::http_handlers handlers;
  handlers.on_upgrade = accept_upgrade;
  handlers.on_websocket = std::move(on_websocket);
  return handlers;
}

asio::awaitable<std::unique_ptr<net::websocket>> connect(net::http_server& server,
                                                         net::websocket_limits limits = {}) {
  net::connect_result connected =
      co_await net::connect_websocket(chat_url(server.local_endpoint()), limits);
  if (connected.ec) throw std::runtime_error("connect: " + connected.ec.message());
  co_return std::move(connected.connection);
}

// ---- messages written without waiting

std::size_t partly_count = 0;

// Writes with try_write and falls back as sessions do. The client does not read at first: the socket fills up.
asio::awaitable<void> flood(net::http_request, std::unique_ptr<net::websocket> ws) {
  for (std::size_t i = 0; i < 400; ++i) {
    const std::string head = "message " + std::to_string(i) + " ";
    const std::string tail = repeated(i * 97 % 70'000, static_cast<char>('a' + i % 26));
    const std::array<asio::const_buffer, 2> parts{asio::buffer(head), asio::buffer(tail)};
    const std::span<const asio::const_buffer> message(parts);
    const auto tried = ws->try_write(message);
    net::error_code ec;
    if (tried == net::websocket::try_result::partly) {
      ++partly_count;
      EXPECT_EQ(ws->try_write(message), net::websocket::try_result::refused);
      ec = co_await ws->write_rest();
    } else if (tried == net::websocket::try_result::refused) {
      ec = co_await ws->write(message);
    }
    EXPECT_FALSE(ec) << ec.message();
  }
  co_await ws->read();
}

asio::awaitable<void> read_flood(net::http_server& server) {
  const auto ws = co_await connect(server);
  co_await net::sleep_for(std::chrono::milliseconds(200));  // lets the sockets fill up
  for (std::size_t i = 0; i < 400; ++i) {
    const net::read_result received = co_await ws->read();
    const std::string expected = "message " + std::to_string(i) + " " +
                                 repeated(i * 97 % 70'000, static_cast<char>('a' + i % 26));
    EXPECT_FALSE(received.ec) << received.ec.message();
    EXPECT_TRUE(received.message == expected) << "message " << i;
    if (received.ec) break;
  }
}

TEST(WebSocket, TryWriteTakesPartsAndFullSocketsInOrder) {
  net::http_server_options options;
  options.websocket.idle_timeout = {};
  partly_count = 0;
  run_served(serving(flood), read_flood, options);
  EXPECT_GT(partly_count, 0U) << "no write was cut in the middle: the test has lost its point";
}

asio::awaitable<void> try_with_idle_timeout(net::http_request, std::unique_ptr<net::websocket> ws) {
  const std::string text = "hello";
  const asio::const_buffer part = asio::buffer(text);
  const std::span<const asio::const_buffer> message(&part, 1);
  EXPECT_EQ(ws->try_write(message), net::websocket::try_result::refused);
  co_await send(*ws, text);
}

asio::awaitable<void> read_one(net::http_server& server) {
  const auto ws = co_await connect(server);
  const net::read_result received = co_await ws->read();
  EXPECT_EQ(received.message, "hello");
}

// Beast's own pings could fall into the middle of such a write.
TEST(WebSocket, TryWriteIsRefusedWhereBeastSendsPings) {
  run_served(serving(try_with_idle_timeout), read_one);
}

// ---- messages

asio::awaitable<void> exchange_messages_of_many_sizes(net::http_server& server) {
  const auto ws = co_await connect(server);
  for (const std::size_t size :
       {0U, 1U, 125U, 126U, 1535U, 1536U, 4096U, 65535U, 65536U, 1U << 20}) {
    const std::string sent = repeated(size, 'x');
    const net::error_code ec = co_await send(*ws, sent);
    EXPECT_FALSE(ec) << ec.message();
    const net::read_result echoed = co_await ws->read();
    EXPECT_FALSE(echoed.ec) << echoed.ec.message();
    EXPECT_TRUE(echoed.message == sent) << "of " << size << " bytes";
  }
}

TEST(WebSocket, EchoesMessagesOfEverySize) {
  run_served(serving(echo), exchange_messages_of_many_sizes);
}

asio::awaitable<void> write_in_parts(net::http_server& server) {
  const auto ws = co_await connect(server);
  for (const std::size_t part_count : {1U, 2U, 3U, 17U, 200U}) {
    std::vector<std::string> pieces;
    std::vector<asio::const_buffer> parts;
    std::string whole;
    for (std::size_t i = 0; i < part_count; ++i)
      pieces.push_back(repeated(i * 7 % 300, static_cast<char>('a' + i % 26)));
    for (const std::string& piece : pieces) {
      parts.emplace_back(piece.data(), piece.size());
      whole += piece;
    }
    const net::error_code ec = co_await ws->write(parts);
    EXPECT_FALSE(ec) << ec.message();
    const net::read_result echoed = co_await ws->read();
    EXPECT_FALSE(echoed.ec) << echoed.ec.message();
    EXPECT_EQ(echoed.message, whole) << part_count << " parts";
  }
}

TEST(WebSocket, PartsArriveAsOneMessage) {
  run_served(serving(echo), write_in_parts);
}

// The frames of a burst arrive together; each read must yield one message of them.
asio::awaitable<void> send_burst(net::http_request, std::unique_ptr<net::websocket> ws) {
  for (int i = 0; i < 500; ++i) co_await send(*ws, "message " + std::to_string(i));
  co_await ws->read();
}

asio::awaitable<void> read_burst(net::http_server& server) {
  const auto ws = co_await connect(server);
  for (int i = 0; i < 500; ++i) {
    const net::read_result received = co_await ws->read();
    EXPECT_EQ(received.message, "message " + std::to_string(i));
    if (received.ec) break;
  }
}

TEST(WebSocket, KeepsABurstInOrder) {
  run_served(serving(send_burst), read_burst);
}

asio::awaitable<void> compare_addresses(net::http_server& server) {
  const auto ws = co_await connect(server);
  EXPECT_EQ(ws->peer(), "127.0.0.1:" + std::to_string(server.local_endpoint().port()));
}

TEST(WebSocket, NamesItsPeer) {
  run_served(serving(echo), compare_addresses);
}

TEST(WebSocket, ServerSeesRequestPathAndQuery) {
  net::http_request seen;
  const auto handler = [&seen](net::http_request request, std::unique_ptr<net::websocket> ws) {
    seen = request;
    return echo(std::move(request), std::move(ws));
  };
  run_served(serving(handler), compare_addresses);
  EXPECT_EQ(seen.method, "GET");
  EXPECT_EQ(seen.path, "/chat");
  EXPECT_EQ(seen.query, "room=1");
  EXPECT_EQ(seen.header("UPGRADE"), "websocket");
}

// ---- ends

asio::awaitable<void> send_too_much(net::http_server& server) {
  const auto ws = co_await connect(server);
  co_await send(*ws, repeated(1001, 'x'));
  const net::read_result received = co_await ws->read();
  EXPECT_TRUE(received.ec);
  EXPECT_EQ(ws->close_reason().first, 1009);
}

TEST(WebSocket, ClosesOnAMessageAboveTheLimit) {
  net::http_server_options options;
  options.websocket.message_bytes_max = 1000;
  run_served(serving(echo), send_too_much, options);
}

// Counts what comes in pieces, up to the first 'e', and answers with the count.
asio::awaitable<void> count_pieces(net::http_request, std::unique_ptr<net::websocket> ws) {
  std::size_t total = 0;
  std::size_t longest = 0;
  bool has_end = false;
  while (!has_end) {
    const net::read_result received = co_await ws->read_some();
    if (received.ec) co_return;
    total += received.message.size();
    longest = std::max(longest, received.message.size());
    has_end = received.message.find('e') != std::string_view::npos;
  }
  EXPECT_LE(longest, std::size_t{64} << 10);
  co_await send(*ws, std::to_string(total));
}

asio::awaitable<void> send_in_one_message(net::http_server& server) {
  const auto ws = co_await connect(server);
  co_await send(*ws, "");
  co_await send(*ws, "short");
  co_await send(*ws, repeated(3'000'000, 'x') + "e");
  const net::read_result received = co_await ws->read();
  EXPECT_EQ(received.message, "3000006");
}

TEST(WebSocket, ReadsAnEndlessMessageInPieces) {
  net::http_server_options options;
  options.websocket.message_bytes_max = 0;
  run_served(serving(count_pieces), send_in_one_message, options);
}

asio::awaitable<void> close_politely(net::http_request, std::unique_ptr<net::websocket> ws) {
  co_await ws->close(net::close_code::try_again_later, "draining");
}

asio::awaitable<void> expect_draining(net::http_server& server) {
  const auto ws = co_await connect(server);
  const net::read_result received = co_await ws->read();
  EXPECT_TRUE(received.ec);
  const std::pair<std::uint16_t, std::string> expected(std::uint16_t{1013}, "draining");
  EXPECT_EQ(ws->close_reason(), expected);
}

TEST(WebSocket, PeerSeesTheCloseReason) {
  run_served(serving(close_politely), expect_draining);
}

asio::awaitable<void> close_with_long_reason(net::http_request,
                                             std::unique_ptr<net::websocket> ws) {
  // 122 bytes, then a character of two bytes that straddles the limit of 123.
  co_await ws->close(net::close_code::normal, repeated(122, 'r') + "\xc3\xa9 and more");
}

asio::awaitable<void> expect_cut_reason(net::http_server& server) {
  const auto ws = co_await connect(server);
  co_await ws->read();
  EXPECT_EQ(ws->close_reason().second, repeated(122, 'r'));
}

TEST(WebSocket, CutsALongReasonBetweenCharacters) {
  run_served(serving(close_with_long_reason), expect_cut_reason);
}

// The usual case of a server that ends a session: its reader waits while it closes.
asio::awaitable<void> read_to_end(net::websocket& ws, net::error_code& ec) {
  const net::read_result received = co_await ws.read();
  ec = received.ec;
}

asio::awaitable<void> close_beside_a_reader(net::http_server& server) {
  const auto ws = co_await connect(server);
  const auto ex = co_await asio::this_coro::executor;
  net::task_group readers(ex);
  net::error_code read_ec;
  readers.spawn("reader", read_to_end(*ws, read_ec));
  co_await ws->close(net::close_code::normal, "bye");
  co_await ws->close(net::close_code::normal, "again");
  co_await readers.join();
  EXPECT_TRUE(read_ec);
}

TEST(WebSocket, ClosesWhileAReadIsPending) {
  run_served(serving(echo), close_beside_a_reader);
}

asio::awaitable<void> abort_beside_a_reader(net::http_server& server) {
  const auto ws = co_await connect(server);
  const auto ex = co_await asio::this_coro::executor;
  net::task_group readers(ex);
  net::error_code read_ec;
  readers.spawn("reader", read_to_end(*ws, read_ec));
  co_await asio::post(ex, asio::use_awaitable);
  ws->abort();
  ws->abort();
  co_await readers.join();
  const net::error_code write_ec = co_await send(*ws, "too late");
  EXPECT_TRUE(write_ec);
  const std::pair<std::uint16_t, std::string> none;
  EXPECT_EQ(ws->close_reason(), none);
}

asio::awaitable<void> swallow(net::http_request, std::unique_ptr<net::websocket> ws) {
  net::read_result received;
  while (!received.ec) received = co_await ws->read();
}

TEST(WebSocket, AbortEndsAPendingRead) {
  run_served(serving(swallow), abort_beside_a_reader);
}

asio::awaitable<void> cancel_a_reader(net::http_server& server) {
  const auto ws = co_await connect(server);
  const auto ex = co_await asio::this_coro::executor;
  net::task_group readers(ex);
  net::error_code read_ec;
  readers.spawn("reader", read_to_end(*ws, read_ec));
  co_await asio::post(ex, asio::use_awaitable);
  readers.cancel();
  co_await readers.join();
  EXPECT_EQ(read_ec, asio::error::operation_aborted);
}

TEST(WebSocket, CancellingTheReaderEndsItsRead) {
  run_served(serving(swallow), cancel_a_reader);
}

asio::awaitable<void> vanish(net::http_request, std::unique_ptr<net::websocket> ws) {
  ws->abort();
  co_return;
}

asio::awaitable<void> read_from_the_vanished(net::http_server& server) {
  const auto ws = co_await connect(server);
  const net::read_result received = co_await ws->read();
  EXPECT_TRUE(received.ec);
}

TEST(WebSocket, ReadEndsWhenThePeerVanishes) {
  run_served(serving(vanish), read_from_the_vanished);
}

// ---- time limits

const std::string raw_upgrade_request =
    "GET /chat HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

asio::awaitable<tcp::socket> upgrade_raw(net::http_server& server) {
  tcp::socket socket = co_await connect_raw(server.local_endpoint());
  co_await send_raw(socket, raw_upgrade_request);
  const std::string answer = co_await receive_until(socket, "\r\n\r\n");
  EXPECT_THAT(answer, HasSubstr("HTTP/1.1 101 "));
  co_return socket;
}

net::http_server_options impatient() {
  net::http_server_options options;
  options.websocket.handshake_timeout = 200ms;
  options.websocket.idle_timeout = 200ms;
  return options;
}

asio::awaitable<void> stay_silent(net::http_server& server) {
  tcp::socket socket = co_await upgrade_raw(server);
  const std::string rest = co_await receive_to_end(socket);
  // The server asked before it gave up: an empty ping.
  EXPECT_THAT(rest, testing::StartsWith(std::string("\x89\x00", 2)));
}

TEST(WebSocket, GivesUpOnASilentPeer) {
  run_served(serving(swallow), stay_silent, impatient());
}

asio::awaitable<void> speak_late(net::http_request, std::unique_ptr<net::websocket> ws) {
  const auto ex = co_await asio::this_coro::executor;
  net::task_group readers(ex);
  net::error_code ignored;
  readers.spawn("reader", read_to_end(*ws, ignored));
  co_await net::sleep_for(700ms);  // three and a half idle timeouts
  co_await send(*ws, "still here");
  co_await readers.join();
}

asio::awaitable<void> listen_for_long(net::http_server& server) {
  const auto ws = co_await connect(server, impatient().websocket);
  const net::read_result received = co_await ws->read();
  EXPECT_EQ(received.message, "still here") << received.ec.message();
}

TEST(WebSocket, PingsKeepAQuietConnectionOpen) {
  run_served(serving(speak_late), listen_for_long, impatient());
}

asio::awaitable<void> close_at_the_deaf(net::http_request, std::unique_ptr<net::websocket> ws) {
  const net::time_point start = net::now();
  co_await ws->close(net::close_code::going_away, "");
  EXPECT_LT(net::now() - start, 5s);
}

asio::awaitable<void> never_answer(net::http_server& server) {
  tcp::socket socket = co_await connect_raw(server.local_endpoint());
  co_await send_raw(socket, raw_upgrade_request);
  const std::string all = co_await receive_to_end(socket);
  EXPECT_THAT(all, testing::EndsWith(std::string("\r\n\r\n\x88\x02\x03\xe9")));
}

TEST(WebSocket, ClosingAPeerThatDoesNotAnswerIsBounded) {
  run_served(serving(close_at_the_deaf), never_answer, impatient());
}

asio::awaitable<void> close_but_hold_on(net::http_server& server) {
  tcp::socket socket = co_await upgrade_raw(server);
  const std::string masked_close_frame("\x88\x82\x00\x00\x00\x00\x03\xe8", 8);
  co_await send_raw(socket, masked_close_frame);
  const std::string rest = co_await receive_to_end(socket);
  EXPECT_THAT(rest, testing::StartsWith(std::string("\x88\x02\x03\xe8", 4)));
  // drive() aborts when this returns; the handler must have ended by itself before.
  for (int i = 0; i < 500 && socket.is_open(); ++i) {
    net::error_code ec;
    socket.write_some(asio::buffer("\x8a\x80\x00\x00\x00", 6), ec);
    if (ec) co_return;  // the server has closed its end
    co_await net::sleep_for(10ms);
  }
  ADD_FAILURE() << "the server kept the closed connection for 5 s";
}

TEST(WebSocket, APeerThatClosesButKeepsTcpOpenIsLeft) {
  run_served(serving(swallow), close_but_hold_on, impatient());
}

asio::awaitable<void> connect_to(tcp::endpoint server, net::error_code expected) {
  net::websocket_limits limits;
  limits.handshake_timeout = 200ms;
  const net::connect_result result = co_await net::connect_websocket(chat_url(server), limits);
  EXPECT_EQ(result.ec, expected) << result.ec.message();
  EXPECT_EQ(result.connection, nullptr);
}

TEST(WebSocket, UpgradeThatIsNeverAnsweredTimesOut) {
  asio::io_context io{1};
  tcp::acceptor listener(io, free_loopback_port());
  run_coro(io, connect_to(listener.local_endpoint(), asio::error::timed_out));
}

TEST(WebSocket, ConnectionRefused) {
  asio::io_context io{1};
  tcp::acceptor listener(io, free_loopback_port());
  const tcp::endpoint closed = listener.local_endpoint();
  listener.close();
  run_coro(io, connect_to(closed, asio::error::connection_refused));
}

asio::awaitable<void> connect_to_localhost(net::http_server& server) {
  net::websocket_url url = chat_url(server.local_endpoint());
  url.host = "localhost";
  const net::connect_result result = co_await net::connect_websocket(url, net::websocket_limits());
  EXPECT_FALSE(result.ec) << result.ec.message();
}

TEST(WebSocket, ConnectsToLocalhost) {
  run_served(serving(echo), connect_to_localhost);
}

asio::awaitable<void> connect_to_a_name() {
  net::websocket_url url;
  url.host = "no-such-host.invalid";
  url.port = 1;
  const net::connect_result result = co_await net::connect_websocket(url, net::websocket_limits());
  EXPECT_EQ(result.ec, asio::error::host_not_found);
}

TEST(WebSocket, OnlyAddressesAndLocalhostAreKnown) {
  asio::io_context io{1};
  run_coro(io, connect_to_a_name());
}

// ---- upgrades

asio::awaitable<void> connect_in_vain(net::http_server& server) {
  const net::connect_result result =
      co_await net::connect_websocket(chat_url(server.local_endpoint()), net::websocket_limits());
  EXPECT_TRUE(result.ec);
  EXPECT_EQ(result.http_status, 503U);
  EXPECT_EQ(result.connection, nullptr);
}

TEST(WebSocket, RefusedUpgradeTellsTheStatus) {
  net::http_handlers handlers = serving(echo);
  handlers.on_upgrade = [](const net::http_request&) { return status_only(503); };
  run_served(std::move(handlers), connect_in_vain);
}

asio::awaitable<void> upgrade_without_key(net::http_server& server) {
  tcp::socket socket = co_await connect_raw(server.local_endpoint());
  co_await send_raw(
      socket, "GET /chat HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n");
  const std::string answer = co_await receive_until(socket, "\r\n\r\n");
  EXPECT_THAT(answer, HasSubstr("HTTP/1.1 400 "));
}

TEST(WebSocket, MalformedUpgradeIsRefused) {
  run_served(serving(echo), upgrade_without_key);
}

asio::awaitable<void> upgrade_and_send_at_once(net::http_server& server) {
  tcp::socket socket = co_await connect_raw(server.local_endpoint());
  co_await send_raw(socket, raw_upgrade_request + "early");
  const std::string answer = co_await receive_to_end(socket);
  EXPECT_THAT(answer, HasSubstr("HTTP/1.1 400 "));
}

TEST(WebSocket, BytesBeforeTheAnswerAreRefused) {
  run_served(serving(echo), upgrade_and_send_at_once);
}

asio::awaitable<void> send_binary(net::http_server& server) {
  tcp::socket socket = co_await upgrade_raw(server);
  const std::string masked_binary_frame("\x82\x81\x00\x00\x00\x00x", 7);
  co_await send_raw(socket, masked_binary_frame);
  const std::string rest = co_await receive_to_end(socket);
  EXPECT_EQ(rest, "");
}

TEST(WebSocket, BinaryMessagesEndTheConnection) {
  net::error_code seen;
  const auto handler = [&seen](net::http_request, std::unique_ptr<net::websocket> ws) {
    struct body {
      static asio::awaitable<void> run(std::unique_ptr<net::websocket> connection,
                                       net::error_code& ec) {
        co_await read_to_end(*connection, ec);
      }
    };
    return body::run(std::move(ws), seen);
  };
  run_served(serving(handler), send_binary);
  EXPECT_EQ(seen, boost::system::errc::wrong_protocol_type);
}

TEST(WebSocket, UpgradeCarriesTheHeadersOfTheDecision) {
  net::http_handlers handlers = serving(echo);
  handlers.on_upgrade = [](const net::http_request&) {
    net::http_response response = status_only(101);
    response.headers.push_back(net::http_header{"X-Node", "7"});
    return response;
  };
  struct body {
    static asio::awaitable<void> run(net::http_server& server) {
      tcp::socket socket = co_await connect_raw(server.local_endpoint());
      co_await send_raw(socket, raw_upgrade_request);
      const std::string answer = co_await receive_until(socket, "\r\n\r\n");
      EXPECT_THAT(answer, HasSubstr("X-Node: 7\r\n"));
    }
  };
  run_served(std::move(handlers), body::run);
}

}  // namespace
}  // namespace ordeal::test
