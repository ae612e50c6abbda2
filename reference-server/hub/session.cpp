#include "reference-server/hub/session.h"

#include <array>
#include <boost/asio/this_coro.hpp>
#include <boost/json.hpp>
#include <exception>
#include <span>
#include <utility>

#include "net/async/log.h"
#include "reference-server/hub/records.h"

namespace ordeal::chat {
namespace {

namespace hub = net::hub;
namespace json = boost::json;

// How often a congested log is looked at: it does not tell when it has room again.
constexpr std::chrono::milliseconds congestion_poll{5};

}  // namespace

session::session(asio::any_io_executor ex, hub_context& context,
                 std::unique_ptr<net::websocket> socket)
    : client_link(context.limits.out_queue_bytes_max),
      context_(context),
      socket_(std::move(socket)),
      tasks_(ex),
      changed_(ex),
      rooms_(context, *this),
      splitter_(context.limits.record_bytes_max()) {
  alive_.opened = alive_.received = alive_.sent = net::now();
}

session::~session() {
  context_.flush.forget(*this);
}

asio::awaitable<void> session::run() {
  tasks_.spawn("writer", write_loop());
  tasks_.spawn("reader", read_loop());
  std::exception_ptr failure;
  try {
    co_await tasks_.join();
  } catch (...) {
    failure = std::current_exception();
  }
  socket_->abort();
  rooms_.leave_all();
  ++context_.count.ends[cause_];
  if (failure) std::rethrow_exception(failure);
}

asio::awaitable<void> session::read_loop() {
  std::exception_ptr failure;
  try {
    co_await read_to_the_end();
  } catch (...) {
    failure = std::current_exception();
  }
  // However it ended, nobody is left to answer. Messages that the log accepted stay accepted.
  is_over_ = true;
  writable_.wake();
  tasks_.cancel();
  if (failure) std::rethrow_exception(failure);
}

asio::awaitable<void> session::read_to_the_end() {
  for (;;) {
    const auto received = co_await socket_->read();
    if (received.ec) break;
    alive_.received = net::now();
    context_.count.received_bytes += received.message.size();
    co_await take_records(received.message);
  }
  rooms_.leave_all();
  if (!is_ending_) socket_->abort();
  // The writer finds out at once, without the flusher: that one may have stopped for good.
  is_flush_due_ = true;
  if (is_ending_) writable_.wake();
  while (is_ending_ && !is_writer_done_) co_await changed_.wait();
}

asio::awaitable<void> session::take_records(std::string_view frame) {
  splitter_.feed(frame);
  while (const auto record = splitter_.take()) {
    if (is_saturated()) co_await wait_until_unsaturated();
    // A client that is being closed is read only to see the end of the connection.
    if (!is_ending_ && !is_draining_) take_record(*record);
  }
  if (splitter_.is_overflown()) end_broken("a record is too long");
}

// Backpressure: while this waits, the socket is not read.
asio::awaitable<void> session::wait_until_unsaturated() {
  alive_.is_reading = false;
  const auto give_up = net::now() + context_.limits.congestion_wait_max;
  while (is_saturated() && !is_ending_) {
    const auto now = net::now();
    const bool is_full = sends_in_flight_ >= context_.limits.sends_in_flight_max;
    if (!is_full && now >= give_up) break;  // the Send is answered with retry
    if (is_full) {
      co_await changed_.wait();
    } else {
      co_await changed_.wait_until(now + congestion_poll);
    }
  }
  alive_.is_reading = true;
  alive_.received = net::now();
}

bool session::is_saturated() const {
  if (is_ending_) return false;
  if (sends_in_flight_ >= context_.limits.sends_in_flight_max) return true;
  // Without Redis the outbox does not drain; the log then says at once what it cannot take.
  return context_.log.is_congested() && context_.log.health().state == log_state::open;
}

void session::take_record(std::string_view record) {
  if (!alive_.has_handshaken) {
    take_handshake(record);
    return;
  }
  std::array<unsigned char, 4096> memory;
  json::monotonic_resource resource(memory.data(), memory.size());
  const auto decoded = hub::decode(record, &resource);
  if (!decoded) {
    end_broken(std::string("a record cannot be read: ") + hub::describe(decoded.error()));
    return;
  }
  switch (decoded->type) {
    case hub::message_type::invocation:
      take_invocation(*decoded);
      break;
    case hub::message_type::close:
      end(end_cause::peer, net::close_code::normal, {}, false);
      break;
    case hub::message_type::ping:
    case hub::message_type::completion:
      break;
    case hub::message_type::handshake_request:
    case hub::message_type::handshake_response:
    case hub::message_type::other:
      end_broken("message type " + std::to_string(decoded->type_number) + " is not supported");
      break;
  }
}

void session::take_handshake(std::string_view record) {
  const auto decoded = hub::decode_handshake_request(record);
  std::string error;
  if (!decoded) {
    error = std::string("the handshake cannot be read: ") + hub::describe(decoded.error());
  } else if (decoded->protocol != "json") {
    error = "only the protocol json is supported";
  } else if (decoded->version != 1) {
    error = "only version 1 of the protocol is supported";
  }
  if (error.empty()) {
    alive_.has_handshaken = true;
    send(shared_record(hub::encode_handshake_response()));
    return;
  }
  end_with(shared_record(hub::encode_handshake_response(error)), end_cause::handshake,
           net::close_code::protocol_error, error);
}

void session::take_invocation(const hub::message& invocation) {
  std::string invocation_id(invocation.invocation_id);
  call wanted = parse_call(invocation, context_.limits);
  if (auto* const sent = std::get_if<send_call>(&wanted)) {
    ++context_.count.sends;
    ++sends_in_flight_;
    tasks_.spawn("send", append(std::move(invocation_id), std::move(*sent)));
  } else if (auto* const joined = std::get_if<join_call>(&wanted)) {
    tasks_.spawn("join", rooms_.join(std::move(invocation_id), std::move(*joined)));
  } else if (auto* const left = std::get_if<leave_call>(&wanted)) {
    rooms_.leave(left->room);
    if (invocation_id.empty()) return;
    send(shared_record(hub::encode_completion_void(invocation_id)));
  } else if (auto* const refused = std::get_if<refused_call>(&wanted)) {
    ++context_.count.send_failures[send_failure::refused_arguments];
    answer_error(invocation_id, refused->error);
  }
}

// Runs up to log.append's first suspension inside spawn(): the log accepts in the order of the
// invocations.
asio::awaitable<void> session::append(std::string invocation_id, send_call wanted) {
  append_outcome outcome;
  if (context_.log.is_congested() && context_.log.health().state == log_state::open) {
    ++context_.count.send_failures[send_failure::retry_congested];
    answer_error(invocation_id, "retry: the outbox of this node is full");
  } else {
    outcome = co_await context_.log.append(
        std::move(wanted.room), std::move(wanted.client_message_id), std::move(wanted.text));
    answer(invocation_id, outcome);
  }
  --sends_in_flight_;
  changed_.notify_all();
  if (is_draining_ && sends_in_flight_ == 0) drain();
}

void session::answer(const std::string& invocation_id, const append_outcome& outcome) {
  switch (outcome.status) {
    case append_status::accepted:
      if (!invocation_id.empty())
        send(shared_record(hub::encode_completion_result(invocation_id, json::value())));
      return;
    case append_status::appended: {
      if (invocation_id.empty()) return;
      const json::value result(format_cursor(context_.log.health().log_id, outcome.at));
      send(shared_record(hub::encode_completion_result(invocation_id, result)));
      return;
    }
    case append_status::retry_later:
      ++context_.count.send_failures[send_failure::retry_log];
      answer_error(invocation_id, "retry: " + outcome.reason);
      return;
    case append_status::refused:
      ++context_.count.send_failures[send_failure::refused_log];
      answer_error(invocation_id, "refused: " + outcome.reason);
      return;
  }
}

void session::answer_error(std::string_view invocation_id, std::string_view error) {
  if (invocation_id.empty()) return;
  send(shared_record(hub::encode_completion_error(invocation_id, error)));
}

void session::send(record_ptr record) {
  queue.push(std::move(record));
  context_.flush.mark(*this);
}

void session::flush() {
  if (queue.is_overflown() && !queue.is_closed()) {
    end_for_resume(end_cause::slow, "too slow: resume with your cursor");
  }
  is_flush_due_ = true;
  const bool is_writer_idle = writable_.is_waiting() && frame_.empty();
  if (is_writer_idle && !queue.is_closed()) write_at_once();
  if (is_flush_due_) writable_.wake();
}

// What the socket takes without waiting goes out from here, without resuming the writer: a broadcast costs one system
// call a socket and little else. The writer gets what is left.
void session::write_at_once() {
  is_flush_due_ = false;
  while (!queue.is_empty()) {
    next_frame();
    const auto result = socket_->try_write(parts_);
    if (result != net::websocket::try_result::sent) {
      has_rest_ = result == net::websocket::try_result::partly;
      is_flush_due_ = true;
      return;
    }
    on_frame_written();
  }
}

asio::awaitable<void> session::wait_for_room() {
  while (queue.bytes() > queue.bytes_max() / 2) co_await changed_.wait();
}

asio::awaitable<void> session::write_loop() {
  co_await write_frames();
  if (is_ending_) co_await socket_->close(close_code_, close_reason_);
  is_writer_done_ = true;
  changed_.notify_all();
}

// Until the last record is out, or the connection is broken: the reader sees that as well.
asio::awaitable<void> session::write_frames() {
  for (;;) {
    while (!is_flush_due_ && !is_over_) co_await writable_.wait();
    if (is_over_) co_return;
    if (frame_.empty()) next_frame();
    is_flush_due_ = !queue.is_empty();
    if (frame_.empty()) continue;
    net::error_code ec;
    if (has_rest_) {
      ec = co_await socket_->write_rest();
      has_rest_ = false;
    } else {
      const std::span<const asio::const_buffer> parts(parts_);
      ec = co_await socket_->write(parts);
    }
    if (ec) {
      socket_->abort();
      co_return;
    }
    on_frame_written();
    if (queue.is_closed() && queue.is_empty()) co_return;
  }
}

void session::next_frame() {
  queue.take(frame_, context_.limits.frame_bytes_max);
  parts_.clear();
  for (const auto& record : frame_) parts_.push_back(asio::buffer(*record));
}

void session::on_frame_written() {
  const bool was_crowded = queue.bytes() > queue.bytes_max() / 2;
  queue.written();
  if (was_crowded) changed_.notify_all();
  alive_.sent = net::now();
  for (const auto& record : frame_) context_.count.sent_bytes += record->size();
  context_.count.frames.observe(frame_.size());
  frame_.clear();
}

void session::tick(net::time_point now) {
  if (is_ending_) {
    if (now >= close_deadline_) socket_->abort();
    return;
  }
  switch (due_action(alive_, context_.limits, now)) {
    case keepalive_action::none:
      break;
    case keepalive_action::ping: {
      static const record_ptr ping = shared_record(hub::encoded_ping());
      send(ping);
      break;
    }
    case keepalive_action::handshake_timeout:
      end(end_cause::handshake, net::close_code::policy, "no handshake in time", false);
      break;
    case keepalive_action::silent:
      end(end_cause::silent, net::close_code::policy, "silent for too long", true);
      break;
  }
}

void session::drain() {
  is_draining_ = true;
  if (sends_in_flight_ > 0) return;
  end(end_cause::drain, net::close_code::going_away, "the server is shutting down", true);
}

void session::end_for_resume(end_cause cause, std::string reason) {
  end(cause, net::close_code::policy, std::move(reason), true);
}

void session::end_broken(std::string reason) {
  end(end_cause::protocol, net::close_code::protocol_error, std::move(reason), false);
}

void session::end(end_cause cause, net::close_code code, std::string reason, bool allow_reconnect) {
  auto record = shared_record(hub::encode_close(reason, allow_reconnect));
  end_with(std::move(record), cause, code, std::move(reason));
}

// `last` is the last thing in the queue; the writer closes the connection behind it. tick() aborts
// when that takes too long.
void session::end_with(record_ptr last, end_cause cause, net::close_code code, std::string reason) {
  if (is_ending_) return;
  is_ending_ = true;
  cause_ = cause;
  close_code_ = code;
  close_reason_ = std::move(reason);
  close_deadline_ = net::now() + context_.limits.closing_timeout;
  rooms_.leave_all();
  queue.close(std::move(last));
  context_.flush.mark(*this);
  changed_.notify_all();
  net::log(net::log_level::debug, "hub", "closing a connection",
           {{"peer", socket_->peer()}, {"reason", close_reason_}});
}

}  // namespace ordeal::chat
