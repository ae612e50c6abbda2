#include "reference-server/hub/session.h"

#include <algorithm>
#include <array>
#include <boost/asio/this_coro.hpp>
#include <boost/json.hpp>
#include <exception>
#include <utility>

#include "net/async/log.h"
#include "reference-server/hub/records.h"
#include "reference-server/hub/sender.h"

namespace ordeal::chat {
namespace {

namespace hub = net::hub;
namespace json = boost::json;

// How often a congested log is looked at: it does not tell when it has room again.
constexpr std::chrono::milliseconds congestion_poll{5};

// The version of the hub protocol that has Ack and Sequence.
constexpr int resume_version = 2;

}  // namespace

session::session(asio::any_io_executor ex, hub_context& context, bool wants_resume,
                 std::string sender)
    : client_link(context.limits.out_queue_bytes_max),
      context_(context),
      tasks_(ex),
      changed_(ex),
      connection_changed_(ex),
      rooms_(ex, context, *this),
      wants_resume_(wants_resume),
      sender_(std::move(sender)) {}

session::~session() {
  context_.flush.forget(*this);
  context_.pace.leave(*this);
}

asio::awaitable<void> session::run(std::unique_ptr<net::websocket> socket) {
  // Also when it is cancelled it has to join what it started: it looks at the state by itself.
  co_await asio::this_coro::throw_if_cancelled(false);
  next_socket_ = std::move(socket);
  while (next_socket_ && !tasks_.is_cancelled()) {
    co_await serve_socket();
    if (!next_socket_ && may_wait_for_socket()) co_await wait_for_socket();
  }
  is_over_ = true;
  // However it ended, nobody is left to answer. Messages that the log accepted stay accepted.
  tasks_.cancel();
  std::exception_ptr failure;
  try {
    co_await tasks_.join();
  } catch (...) {
    failure = std::current_exception();
  }
  rooms_.leave_all();
  ++context_.count.ends[cause_];
  if (failure) std::rethrow_exception(failure);
}

asio::awaitable<void> session::serve_socket() {
  connection_owner& me = *this;
  connection_.emplace(me, context_.count, context_.limits.record_bytes_max(),
                      std::move(next_socket_));
  if (buffer_) go_on_with_new_socket();
  tasks_.spawn("writer", connection_->write_loop());
  tasks_.spawn("reader", connection_->read_loop());
  while (!connection_->is_done()) {
    co_await connection_changed_.wait();
    const auto state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none) abort();
  }
  // A client that closes in order does not come back.
  const std::uint16_t normal = static_cast<std::uint16_t>(net::close_code::normal);
  if (connection_->socket().close_reason().first == normal) has_client_left_ = true;
  queue.written();  // a frame that was on its way: the message buffer has its records
  connection_.reset();
}

void session::go_on_with_new_socket() {
  ++context_.count.resumed;
  control_.clear();
  buffer_->reconnect();
  if (stalled_since) stalled_since = net::now();
  send_control(hub::encode_sequence(buffer_->first_unacked()));
}

bool session::may_wait_for_socket() const {
  return may_take_over() && !has_client_left_ && !tasks_.is_cancelled() &&
         context_.sessions_waiting < context_.limits.reconnect_sessions_max;
}

asio::awaitable<void> session::wait_for_socket() {
  ++context_.sessions_waiting;
  is_waiting_ = true;
  waiting_until_ = net::now() + context_.limits.reconnect_timeout;
  bool is_cancelled = false;
  while (!next_socket_ && may_take_over() && net::now() < waiting_until_ && !is_cancelled) {
    co_await connection_changed_.wait_until(waiting_until_);
    const auto state = co_await asio::this_coro::cancellation_state;
    is_cancelled = state.cancelled() != asio::cancellation_type::none;
  }
  is_waiting_ = false;
  --context_.sessions_waiting;
  if (!next_socket_ && !is_ending_) cause_ = end_cause::lost;
}

void session::take_over(std::unique_ptr<net::websocket> socket) {
  if (next_socket_) next_socket_->abort();
  next_socket_ = std::move(socket);
  if (connection_) connection_->abort();
  connection_changed_.notify_all();
}

void session::on_connection_change() {
  connection_changed_.notify_all();
  changed_.notify_all();
}

// Backpressure: while this waits, the socket is not read.
asio::awaitable<void> session::wait_until_unsaturated() {
  const auto give_up = net::now() + context_.limits.congestion_wait_max;
  while (is_saturated() && !is_ending_ && !connection_->is_aborted()) {
    const auto now = net::now();
    const bool is_full = sends_in_flight_ >= context_.limits.sends_in_flight_max;
    if (!is_full && now >= give_up) break;  // the Send is answered with retry
    if (is_full) {
      co_await changed_.wait();
    } else {
      co_await changed_.wait_until(now + congestion_poll);
    }
  }
}

void session::on_record_too_long() {
  end_broken("a record has more than " + std::to_string(context_.limits.record_bytes_max()) +
             " bytes: the text of a message may have " +
             std::to_string(context_.limits.message_bytes_max));
}

bool session::is_saturated() const {
  if (is_ending_) return false;
  if (sends_in_flight_ >= context_.limits.sends_in_flight_max) return true;
  // Without Redis the outbox does not drain; the log then says at once what it cannot take.
  return context_.log.is_congested() && context_.log.health().state == log_state::open;
}

void session::take_record(std::string_view record) {
  // A client that is being closed is read only to see the end of the connection.
  if (is_ending_ || is_draining_) return;
  if (!has_handshaken_) {
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
  if (decoded->type == hub::message_type::sequence) {
    take_sequence(decoded->sequence_id);
  } else if (decoded->type == hub::message_type::ack) {
    take_ack(decoded->sequence_id);
  } else if (!buffer_) {
    take_message(*decoded);
  } else {
    const auto verdict = buffer_->on_record(decoded->type, record.size());
    if (buffer_->is_ack_urgent()) send_ack();
    if (verdict == hub::message_buffer::verdict::process) take_message(*decoded);
  }
}

void session::take_message(const hub::message& message) {
  switch (message.type) {
    case hub::message_type::invocation:
    case hub::message_type::stream_invocation:
      take_invocation(message);
      break;
    case hub::message_type::close:
      end(end_cause::peer, net::close_code::normal, {}, false);
      break;
    case hub::message_type::ping:
    case hub::message_type::stream_item:        // of a call that was refused,
    case hub::message_type::completion:         // or its end,
    case hub::message_type::cancel_invocation:  // has no answer in the protocol
    case hub::message_type::ack:
    case hub::message_type::sequence:
    case hub::message_type::handshake_request:
    case hub::message_type::handshake_response:
    case hub::message_type::other:
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
  } else if (decoded->version < 1 || decoded->version > resume_version) {
    error = "only versions 1 and 2 of the protocol are supported";
  }
  if (!error.empty()) {
    end_with(hub::encode_handshake_response(error), end_cause::handshake,
             net::close_code::protocol_error, error);
    return;
  }
  has_handshaken_ = connection_->alive().has_handshaken = true;
  if (wants_resume_ && decoded->version == resume_version) {
    buffer_.emplace(context_.limits.reconnect_buffer_bytes_max);
  }
  send_control(hub::encode_handshake_response());
}

// Without stateful reconnect an Ack and a Sequence say nothing, and are ignored.
void session::take_ack(std::uint64_t sequence_id) {
  if (!buffer_) return;
  if (!buffer_->on_ack(sequence_id)) {
    end_broken("Ack " + std::to_string(sequence_id) + " is ahead of what was sent");
    return;
  }
  context_.flush.mark(*this);  // there may be room again
}

void session::take_sequence(std::uint64_t sequence_id) {
  if (!buffer_) return;
  if (!buffer_->on_sequence(sequence_id)) {
    end_broken("Sequence " + std::to_string(sequence_id) +
               " is ahead of what was received, or comes unasked");
    return;
  }
  connection_->alive().has_handshaken = true;
}

void session::take_invocation(const hub::message& invocation) {
  std::string invocation_id(invocation.invocation_id);
  call wanted = parse_call(invocation, context_.limits);
  if (auto* const sent = std::get_if<send_call>(&wanted)) {
    ++context_.count.sends;
    ++sends_in_flight_;
    tasks_.spawn("send", append(std::move(invocation_id), std::move(*sent)));
  } else if (auto* const joined = std::get_if<join_call>(&wanted)) {
    start_join(std::move(invocation_id), std::move(*joined));
  } else if (auto* const left = std::get_if<leave_call>(&wanted)) {
    rooms_.leave(left->room);
    if (invocation_id.empty()) return;
    send(hub::encode_completion_void(invocation_id));
  } else if (auto* const refused = std::get_if<refused_call>(&wanted)) {
    ++context_.count.send_failures[send_failure::refused_arguments];
    answer_error(invocation_id, refused->error);
  }
}

// A Join may wait for its client to read, so too many of them are refused rather than waited for.
void session::start_join(std::string invocation_id, join_call wanted) {
  const std::size_t joins_max = context_.limits.joins_in_flight_max();
  if (joins_in_flight_ >= joins_max) {
    ++context_.count.send_failures[send_failure::retry_congested];
    answer_error(invocation_id, "retry: " + std::to_string(joins_max) +
                                    " Joins of this client are unanswered, wait for them");
    return;
  }
  ++joins_in_flight_;
  tasks_.spawn("join", join(std::move(invocation_id), std::move(wanted)));
}

asio::awaitable<void> session::join(std::string invocation_id, join_call wanted) {
  co_await rooms_.join(std::move(invocation_id), std::move(wanted));
  --joins_in_flight_;
}

// Runs up to log.append's first suspension inside spawn(): the log accepts in the order of the
// invocations.
asio::awaitable<void> session::append(std::string invocation_id, send_call wanted) {
  append_outcome outcome;
  if (context_.log.is_congested() && context_.log.health().state == log_state::open) {
    ++context_.count.send_failures[send_failure::retry_congested];
    answer_error(invocation_id,
                 "retry: the outbox of this node is full: send it again with the same id");
  } else {
    std::string id = scoped_id(sender_, wanted.client_message_id);
    outcome =
        co_await context_.log.append(std::move(wanted.room), std::move(id), std::move(wanted.text));
    answer(invocation_id, outcome);
  }
  --sends_in_flight_;
  changed_.notify_all();
  if (is_draining_ && sends_in_flight_ == 0) drain();
}

void session::answer(const std::string& invocation_id, const append_outcome& outcome) {
  switch (outcome.status) {
    case append_status::accepted:
      if (!invocation_id.empty()) send(hub::encode_completion_result(invocation_id, json::value()));
      return;
    case append_status::appended: {
      if (invocation_id.empty()) return;
      const json::value result(format_cursor(context_.log.health().log_id, outcome.at));
      send(hub::encode_completion_result(invocation_id, result));
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
  send(hub::encode_completion_error(invocation_id, error));
}

void session::send(std::string record) {
  queue.push(context_.ledger.keep(std::move(record)));
  context_.flush.mark(*this);
}

void session::send_control(std::string record) {
  control_.push_back(context_.ledger.keep(std::move(record)));
  context_.flush.mark(*this);
}

void session::send_ack() {
  const auto processed = buffer_->take_ack();
  if (!processed) return;
  acked_ = net::now();
  send_control(hub::encode_ack(*processed));
}

void session::flush() {
  if (queue.is_overflown() && !queue.is_closed()) {
    end_for_resume(end_cause::slow, "too slow: resume with your cursor");
  }
  if (connection_) connection_->flush();
  watch_queue();
}

// What a flush has left there.
void session::watch_queue() {
  if (queue.bytes() > 0 && !stalled_since) stalled_since = net::now();
}

// Untracked records first; then what a former connection may have lost, for the client counts what it
// gets; then the queue, as far as the client has acknowledged it. A session that is closing holds
// nothing back.
void session::next_frame(std::vector<record_ptr>& frame) {
  frame.clear();
  if (!control_.empty()) {
    frame.swap(control_);
    return;
  }
  std::size_t bytes_max = context_.limits.frame_bytes_max;
  if (buffer_) {
    buffer_->take_rewrites(frame, bytes_max);
    if (!frame.empty()) return;
  }
  const bool is_tracking = buffer_ && !queue.is_closed();
  if (is_tracking) {
    bytes_max = std::min(bytes_max, buffer_->room_bytes());
    if (bytes_max == 0) return;
  }
  queue.take(frame, bytes_max);
  if (!is_tracking) return;
  for (const auto& record : frame) buffer_->track(record);
}

bool session::has_sent_everything() const {
  const bool has_rewrites = buffer_ && buffer_->has_rewrites();
  return queue.is_closed() && queue.is_empty() && !has_rewrites;
}

void session::on_frame_written() {
  const std::size_t before = queue.bytes();
  queue.written();
  if (queue.bytes() == 0) {
    stalled_since.reset();
  } else if (queue.bytes() < before) {
    stalled_since = net::now();
  }
  if (queue.bytes() <= context_.limits.crowded_bytes()) context_.pace.leave(*this);
  const std::size_t room = context_.limits.replay_bytes();
  if (before > room && queue.bytes() <= room) changed_.notify_all();
}

bool session::has_room() const {
  return queue.bytes() <= context_.limits.replay_bytes() && context_.ledger.has_room_for_replays();
}

// tick() looks whether there is room in total again.
asio::awaitable<void> session::wait_for_room() {
  while (!has_room()) co_await changed_.wait();
}

asio::awaitable<void> session::say_goodbye(net::websocket& socket) {
  co_await socket.close(close_code_, close_reason_);
}

void session::tick(net::time_point now) {
  if (joins_in_flight_ > 0 && has_room()) changed_.notify_all();
  if (!connection_) return;
  if (is_ending_) {
    if (now >= close_deadline_) connection_->abort();
    return;
  }
  if (stalled_since && now - *stalled_since >= context_.limits.client_timeout) {
    queue.overflow();
    end_for_resume(end_cause::stalled, "nothing was taken for too long: resume with your cursor");
    return;
  }
  if (buffer_ && now - acked_ >= context_.limits.ack_interval) send_ack();
  switch (due_action(connection_->alive(), context_.limits, now)) {
    case keepalive_action::none:
      break;
    case keepalive_action::ping:
      if (control_.empty()) send_control(hub::encoded_ping());
      break;
    case keepalive_action::handshake_timeout:
      end(end_cause::handshake, net::close_code::policy,
          has_handshaken_ ? "no Sequence in time" : "no handshake in time", false);
      break;
    case keepalive_action::silent:
      if (buffer_) {
        connection_->abort();  // the path may be dead, and the client on its way back
      } else {
        end(end_cause::silent, net::close_code::policy, "silent for too long", true);
      }
      break;
  }
}

void session::drain() {
  is_draining_ = true;
  // Nobody is there to be told: the id is unknown from now on.
  const bool is_somebody_there = !is_waiting_ || next_socket_;
  if (is_somebody_there && sends_in_flight_ > 0) return;
  end(end_cause::drain, net::close_code::going_away, "the server is shutting down", true);
}

void session::stop_waiting() {
  if (is_waiting_) end(end_cause::lost, net::close_code::going_away, "no room to wait", true);
}

// What waits is dropped; who takes nothing at all would not hear of it.
void session::cut_off_for_memory(net::time_point now) {
  queue.overflow();
  end_for_resume(end_cause::memory, "this node is short of memory: resume with your cursor");
  const bool is_stalled = stalled_since && now - *stalled_since >= context_.limits.drain_pause_max;
  if (connection_ && is_stalled) connection_->abort();
}

void session::abort() noexcept {
  is_draining_ = true;
  if (connection_) connection_->abort();
  connection_changed_.notify_all();
}

void session::end_for_resume(end_cause cause, std::string reason) {
  end(cause, net::close_code::policy, std::move(reason), true);
}

void session::end_broken(std::string reason) {
  end(end_cause::protocol, net::close_code::protocol_error, std::move(reason), false);
}

void session::end(end_cause cause, net::close_code code, std::string reason, bool allow_reconnect) {
  auto record = hub::encode_close(reason, allow_reconnect);
  end_with(std::move(record), cause, code, std::move(reason));
}

// `last` is the last thing in the queue; the writer closes the connection behind it. tick() aborts
// when that takes too long.
void session::end_with(std::string last, end_cause cause, net::close_code code,
                       std::string reason) {
  if (is_ending_) return;
  is_ending_ = true;
  cause_ = cause;
  close_code_ = code;
  close_reason_ = std::move(reason);
  close_deadline_ = net::now() + context_.limits.closing_timeout;
  rooms_.leave_all();
  queue.close(context_.ledger.keep(std::move(last)));
  context_.pace.leave(*this);
  context_.flush.mark(*this);
  on_connection_change();
  net::log(net::log_level::debug, "hub", "closing a connection",
           {{"peer", connection_ ? connection_->socket().peer() : std::string("(gone)")},
            {"reason", close_reason_}});
}

}  // namespace ordeal::chat
