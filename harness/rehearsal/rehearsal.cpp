#include "harness/rehearsal/rehearsal.h"

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <utility>

#include "harness/history/envelope.h"
#include "net/async/clock.h"
#include "net/async/deadline.h"

namespace ordeal::harness {
namespace asio = net::asio;
namespace {

using std::chrono::milliseconds;

// Longer than SignalR takes to answer with an error while its Redis is away.
constexpr milliseconds answer_limit{6'000};
constexpr milliseconds receive_limit{2'000};  // of a message that was published
constexpr milliseconds attempts_limit{10'000}, attempt_interval{250};
constexpr const char* answer_limit_text = "6 s";

rehearsal_message message_for(const plan& what, std::size_t node, int attempt) {
  // Not the run's own nonce: nothing of it is taken for a message of the run.
  std::string nonce = what.run_nonce;
  std::rotate(nonce.begin(), nonce.begin() + 1, nonce.end());
  if (nonce == what.run_nonce) nonce.front() = nonce.front() == 'a' ? 'b' : 'a';
  message_id id;
  id.sender = client_id(node);
  id.seq = 1;
  const payload_recipe& recipe = what.scenario.load.payload;
  rehearsal_message message;
  message.client = nonce + "-rehearsal-" + std::to_string(node + 1);
  message.room = what.run_nonce + "-rehearsal";
  message.id = nonce + "-" + std::to_string(node + 1) + "-" + std::to_string(attempt);
  message.payload = make_envelope(nonce, id, run_time{}, recipe.bytes_max, recipe.content);
  message.mark = std::string(envelope_prefix) + nonce + ".";
  return message;
}

asio::awaitable<net::error_code> write_all(net::websocket& to, std::vector<std::string> frames) {
  for (const std::string& each : frames) {
    const std::array<asio::const_buffer, 1> parts{asio::buffer(each)};
    const net::error_code ec = co_await to.write(parts);
    if (ec) co_return ec;
  }
  co_return net::error_code();
}

asio::awaitable<void> talk(net::websocket& socket, rehearsal_script& script) {
  net::time_point deadline = net::now() + answer_limit;
  bool was_answered = false;
  std::vector<std::string> frames = script.on_open();
  while (true) {
    const net::error_code ec = co_await write_all(socket, std::move(frames));
    if (ec) script.on_end("write: " + ec.message());
    if (script.is_over()) co_return;
    if (script.is_answered() && !std::exchange(was_answered, true))
      deadline = net::now() + receive_limit;
    auto reading = socket.read();
    const auto left = deadline - net::now();
    const auto got = co_await net::with_deadline(std::move(reading), left);
    if (!got) {
      script.on_silence(answer_limit_text);
      co_return;
    }
    if (got->ec) {
      const std::string said = socket.close_reason().second;
      script.on_end(said.empty() ? got->ec.message() : said);
      co_return;
    }
    frames = script.on_frame(got->message);
  }
}

asio::awaitable<std::optional<objection>> try_once(const target& of, net::websocket_url url,
                                                   std::string node, rehearsal_message message) {
  rehearsal_script script(of, std::move(node), std::move(message));
  url.path = script.path();
  net::websocket_limits limits;
  limits.handshake_timeout = answer_limit;
  limits.idle_timeout = {};
  net::connect_result connected = co_await net::connect_websocket(url, limits);
  if (connected.ec) {
    script.on_no_connection(connected.http_status, connected.ec.message());
    co_return script.result();
  }
  co_await talk(*connected.connection, script);
  if (script.is_complete()) {
    co_await connected.connection->close(net::close_code::normal, "the rehearsal is over");
  } else {
    connected.connection->abort();
  }
  co_return script.result();
}

}  // namespace

asio::awaitable<std::optional<objection>> rehearse(const plan& what,
                                                   std::vector<net::websocket_url> urls) {
  for (std::size_t node = 0; node < urls.size(); ++node) {
    const auto deadline = net::now() + attempts_limit;
    const std::string name = name_of(static_cast<node_id>(node));
    for (int attempt = 1;; ++attempt) {
      const rehearsal_message message = message_for(what, node, attempt);
      const auto found = co_await try_once(what.target, urls[node], name, message);
      if (!found) break;
      if (found->is_final || net::now() >= deadline) co_return found;
      co_await net::sleep_for(attempt_interval);
    }
  }
  co_return std::nullopt;
}

}  // namespace ordeal::harness
