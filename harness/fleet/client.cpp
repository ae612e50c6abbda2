#include "harness/fleet/client.h"

#include <algorithm>
#include <array>
#include <boost/asio/this_coro.hpp>

#include "harness/drivers/call_arguments.h"
#include "harness/history/envelope.h"
#include "net/async/assert.h"
#include "net/async/log.h"

namespace ordeal::harness {
namespace {

constexpr std::chrono::milliseconds reset_interval{100};  // between two of one room in the history
constexpr std::size_t queued_count_max = 1'024;  // far above what lanes, joins and pings can queue

// A deputy stays with its node, and tries often, as the node's recovery is measured through it; but all deputies
// together no more than a thousand times a second.
reconnect_policy make_policy(const shared_state& fleet, const client_plan& who) {
  const auto& options = fleet.options;
  const bool is_deputy = who.deputy_of.has_value();
  const auto deputies = static_cast<std::int64_t>(fleet.what.deputies.size());
  const auto often =
      std::max(std::chrono::milliseconds(250), std::chrono::milliseconds(2) * deputies);
  const auto largest = is_deputy ? std::min(often, options.backoff_max) : options.backoff_max;
  net::random_stream draws(fleet.what.seed, "reconnect", index_of(who.id));
  return reconnect_policy(who.home, options.node_urls.size(),
                          fleet.what.scenario.load.reconnect_anywhere && !is_deputy,
                          backoff(options.backoff_min, largest, draws));
}

std::string message_key(std::string_view nonce, const message_id& id) {
  return std::string(nonce) + "-" + std::to_string(index_of(id.sender) + 1) + "-" +
         std::to_string(index_of(id.room) + 1) + "-" + std::to_string(id.seq);
}

// The same over all of its connections.
std::string client_key(std::string_view nonce, client_id id) {
  return std::string(nonce) + "-client-" + std::to_string(index_of(id) + 1);
}

}  // namespace

client::client(shared_state& fleet, const client_plan& who)
    : fleet_(fleet),
      who_(who),
      policy_(make_policy(fleet, who)),
      delay_(fleet.ex),
      changed_(fleet.ex) {
  const bool can_resume = fleet.what.target.protocol.resume == resume_kind::cursor;
  const auto& options = fleet.options;
  places_.reserve(who.rooms.size());
  for (const room_id room : who.rooms) {
    const auto stream = (index_of(who.id) << 32U) | index_of(room);
    net::random_stream draws(fleet.what.seed, "publish-retry", stream);
    const backoff delays(options.backoff_min, options.backoff_max, draws);
    places_.emplace_back(membership(room, can_resume), send_lane(fleet.rules, delays));
  }
}

// ---- The loops

asio::awaitable<void> client::run(net::time_point connect_at) {
  // A hard stop ends the operation at hand; from there on is_stopping decides, and cleaning up may
  // still wait.
  co_await asio::this_coro::throw_if_cancelled(false);
  delay_.expires_at(connect_at);
  while (!fleet_.is_stopping) {
    co_await delay_.async_wait(asio::as_tuple(asio::use_awaitable));
    if (fleet_.is_stopping) break;
    co_await serve_connection();
    const node_id before = node();
    delay_.expires_after(policy_.on_lost());
    fleet_.has_anybody_moved |= node() != before;
  }
  --fleet_.clients_running;
  fleet_.changed.notify_all();
}

asio::awaitable<void> client::serve_connection() {
  driver_ = make_driver(fleet_.what.target);
  net::websocket_url url = fleet_.options.node_urls[index_of(node())];
  url.path = fill_path(driver_->path(), client_key(fleet_.what.run_nonce, who_.id));
  net::websocket_limits limits;
  limits.handshake_timeout = fleet_.options.join_timeout;
  limits.idle_timeout = {};  // tick() watches over the server
  net::connect_result connected = co_await net::connect_websocket(url, limits);
  if (connected.http_status != 0) {
    const std::string answer =
        driver_->path() + " answers HTTP " + std::to_string(connected.http_status);
    note_problem(answer);
    hear(reason_kind::connect_failed, answer, net::now());
  } else if (connected.ec) {
    note_problem("cannot connect: " + connected.ec.message());
    if (!fleet_.is_stopping) hear(reason_kind::connect_failed, connected.ec.message(), net::now());
  }
  if (connected.ec || fleet_.is_stopping) co_return;
  on_open(std::move(connected.connection));
  while (true) {
    const net::read_result got = co_await ws_->read();
    if (got.ec) {
      if (end_reason_.empty()) end_reason_ = got.ec.message();
      break;
    }
    if (!on_frame(got.message)) break;
  }
  is_usable_ = false;
  ws_->abort();
  while (is_writing_) co_await changed_.wait();
  on_closed(end_reason_);
}

asio::awaitable<void> client::write_loop() {
  co_await asio::this_coro::throw_if_cancelled(false);
  while (true) {
    while (!fleet_.is_stopping && (!is_usable_ || queued_.empty())) co_await changed_.wait();
    if (fleet_.is_stopping) break;
    is_writing_ = true;
    const net::error_code ec = co_await write_queued();
    is_writing_ = false;
    if (ec) give_up("write: " + ec.message(), cut_cause::none);
    changed_.notify_all();
  }
  if (!is_usable_) co_return;
  is_writing_ = true;
  co_await ws_->close(net::close_code::normal, "the run is over");
  is_writing_ = false;
  changed_.notify_all();
}

asio::awaitable<net::error_code> client::write_queued() {
  writing_.clear();
  std::swap(writing_, queued_);
  parts_.clear();
  for (const std::string& bytes : writing_) parts_.emplace_back(asio::buffer(bytes));
  const std::size_t parts_a_frame = driver_->can_share_frame() ? parts_.size() : 1;
  wrote_at_ = net::now();
  net::error_code ec;
  for (std::size_t sent = 0; sent < parts_.size() && !ec; sent += parts_a_frame) {
    const std::span<const asio::const_buffer> frame(parts_.data() + sent, parts_a_frame);
    ec = co_await ws_->write(frame);
  }
  co_return ec;
}

void client::begin_stop() {
  delay_.cancel();
  changed_.notify_all();
}

// ---- The connection's life

void client::on_open(std::unique_ptr<net::websocket> ws) {
  ws_ = std::move(ws);
  is_usable_ = true;
  is_ready_ = false;
  end_reason_.clear();
  cut_ = cut_cause::none;
  opened_at_ = wrote_at_ = read_at_ = net::now();
  ++fleet_.status.connected;
  ++fleet_.status.connected_by_node[index_of(node())];
  fleet_.history.on(client_connected{fleet_.run_time_at(opened_at_), who_.id, node()});
  write(driver_->on_open());
}

void client::on_closed(std::string_view reason) {
  const auto now = net::now();
  if (!fleet_.is_stopping) {
    note_problem(reason);
    hear(reason_kind::connection_ended, reason, now);
  }
  for (place& where : places_) note_reset(where, now);
  const cut_cause cut = fleet_.is_stopping ? cut_cause::none : cut_;
  fleet_.history.on(
      client_disconnected{fleet_.run_time_at(now), who_.id, node(), fleet_.is_stopping, cut});
  --fleet_.status.connected;
  --fleet_.status.connected_by_node[index_of(node())];
  for (place& where : places_) {
    if (where.member.is_joined()) --fleet_.status.joined;
    where.member.on_disconnect();
    if (const auto settled = where.lane.on_disconnect()) settle(*settled, now);
  }
  queued_.clear();
  ws_.reset();
  driver_.reset();
}

void client::note_problem(std::string_view reason) {
  fleet_.status.latest_problem =
      name_of(who_.id) + " at " + name_of(node()) + ": " + std::string(reason);
  net::log(net::log_level::debug, "fleet", fleet_.status.latest_problem);
}

// As it was said, cut; the recorder makes it a text that can be counted.
void client::hear(reason_kind kind, std::string_view text, net::time_point now) {
  constexpr std::size_t bytes_max = 2'048;
  fleet_.history.on(reason_heard{fleet_.run_time_at(now), node(), kind, 1,
                                 std::string(text.substr(0, bytes_max))});
}

void client::give_up(std::string_view reason, cut_cause cause) {
  if (!is_usable_) return;
  is_usable_ = false;
  cut_ = cause;
  end_reason_ = reason;
  ws_->abort();
}

void client::write(std::string bytes) {
  if (bytes.empty() || !is_usable_) return;
  if (queued_.size() >= queued_count_max)
    return give_up("the server does not read", cut_cause::unread);
  queued_.push_back(std::move(bytes));
  if (queued_.size() == 1) changed_.notify_all();
}

void client::tick(net::time_point now) {
  if (!is_usable_) return;
  const std::string_view missing = overdue(now);
  if (!missing.empty()) return give_up(missing, cut_cause::unanswered);
  if (!is_ready_) return;
  for (place& where : places_) {
    give_up_sends(where, now);
    start_sends(where, now);
    if (now - where.reset_noted_at >= reset_interval) note_reset(where, now);
  }
  const auto silence_max =
      fleet_.what.scenario.load.silence_timeout.value_or(driver_->silence_timeout());
  if (now - read_at_ > silence_max) return give_up("the server is silent", cut_cause::silent);
  if (now - wrote_at_ < driver_->ping_interval()) return;
  wrote_at_ = now;
  write(driver_->ping());
}

std::string_view client::overdue(net::time_point now) const {
  const auto oldest = now - fleet_.options.join_timeout;
  if (!is_ready_) return opened_at_ < oldest ? "no answer to the handshake" : "";
  const auto is_late = [oldest](const place& where) {
    return where.member.is_joining() && where.member.joining_since() < oldest;
  };
  return std::any_of(places_.begin(), places_.end(), is_late) ? "no answer to a join" : "";
}

void client::give_up_sends(place& where, net::time_point now) {
  const auto settled = where.lane.give_up_older(now - fleet_.what.scenario.load.answer_timeout);
  if (!settled) return;
  hear(reason_kind::send_unanswered, "no answer in time", now);
  settle(*settled, now);
}

// ---- What comes in

bool client::on_frame(std::string_view frame) {
  auto& events = fleet_.events;
  events.clear();
  driver_->on_message(frame, events);
  const auto now = read_at_ = net::now();
  for (const driver_event& what : events) {
    if (!on_event(what, now)) return false;
  }
  write(driver_->take_replies());
  return true;
}

bool client::on_event(const driver_event& what, net::time_point now) {
  if (const auto* received = std::get_if<driver_received>(&what)) {
    on_received(*received, now);
  } else if (const auto* acked = std::get_if<driver_acked>(&what)) {
    return on_acked(*acked, now);
  } else if (const auto* reset = std::get_if<driver_reset>(&what)) {
    on_reset(*reset, now);
  } else if (const auto* closing = std::get_if<driver_closing>(&what)) {
    end_reason_ = "the server closes: " + std::string(closing->reason);
    return false;
  } else if (const auto* broken = std::get_if<driver_broken>(&what)) {
    end_reason_ = "protocol violation: " + broken->reason;
    cut_ = cut_cause::protocol;
    return false;
  } else {
    on_ready(now);
  }
  return true;
}

void client::on_ready(net::time_point now) {
  is_ready_ = true;
  if (places_.empty()) policy_.on_served();
  for (place& where : places_) join(where, now);
}

// Which room a broadcast is for. A transport that names none leaves the envelope's word, when the
// client is in several.
room_id client::room_of(std::string_view name, const message_id* enveloped, bool& is_known) const {
  is_known = true;
  if (name.empty()) {
    if (places_.size() > 1 && enveloped) return enveloped->room;
    if (!places_.empty()) return places_.front().member.room();
  }
  for (const place& where : places_) {
    const room_id room = where.member.room();
    if (fleet_.what.room_names[index_of(room)] == name) return room;
  }
  const auto found = fleet_.rooms_by_name.find(name);
  is_known = found != fleet_.rooms_by_name.end();
  return is_known ? found->second : room_id{};
}

void client::on_received(const driver_received& what, net::time_point now) {
  const envelope inside = parse_envelope(what.payload, fleet_.what.run_nonce);
  delivered seen;
  seen.at = fleet_.run_time_at(now);
  seen.client = who_.id;
  seen.node = node();
  seen.payload = inside.state;
  seen.id = inside.id;
  seen.intended = inside.intended;
  const bool is_intact = inside.state == payload_state::intact;
  seen.room = room_of(what.room, is_intact ? &inside.id : nullptr, seen.is_known_room);
  if (seen.is_known_room) {
    if (place* where = find_place(seen.room)) where->member.on_message(what.cursor);
  }
  fleet_.history.on(seen);
}

void client::on_reset(const driver_reset& what, net::time_point now) {
  for (place& where : places_) {
    const room_id room = where.member.room();
    if (!what.room.empty() && fleet_.what.room_names[index_of(room)] != what.room) continue;
    where.member.on_reset();
    where.has_reset_to_note = true;
    if (now - where.reset_noted_at >= reset_interval) note_reset(where, now);
  }
}

void client::note_reset(place& where, net::time_point now) {
  if (!where.has_reset_to_note) return;
  where.has_reset_to_note = false;
  where.reset_noted_at = now;
  fleet_.history.on(reset_received{fleet_.run_time_at(now), who_.id, where.member.room()});
}

bool client::on_acked(const driver_acked& what, net::time_point now) {
  for (place& where : places_) {
    if (where.member.awaits(what.request)) {
      if (what.is_error) {
        hear(reason_kind::join_refused, what.error, now);
        end_reason_ = "join refused: " + std::string(what.error);
        cut_ = cut_cause::refused;
        return false;
      }
      confirm(where, what.cursor, now);
      return true;
    }
    if (where.lane.awaits(what.request)) {
      const auto answer = what.is_error ? classify_error(what.error, fleet_.what.target.protocol)
                                        : publish_answer::ok;
      if (what.is_error) hear(reason_kind::send_refused, what.error, now);
      if (const auto settled = where.lane.on_answer(answer, now)) settle(*settled, now);
      start_sends(where, now);
      return true;
    }
  }
  return true;  // of a send that was given up
}

// ---- Joining and publishing

void client::join(place& where, net::time_point now) {
  const auto cursor = where.member.begin_join(++latest_request_, now);
  const room_id room = where.member.room();
  fleet_.history.on(
      join_invoked{fleet_.run_time_at(now), who_.id, room, node(), where.member.is_resume()});
  write(driver_->join(latest_request_, fleet_.what.room_names[index_of(room)], cursor));
  if (!fleet_.what.target.protocol.join.has_ack) confirm(where, {}, now);
}

void client::confirm(place& where, std::string_view cursor, net::time_point now) {
  where.member.confirm(cursor);
  ++fleet_.status.joined;
  fleet_.history.on(join_confirmed{fleet_.run_time_at(now), who_.id, where.member.room(), node(),
                                   where.member.is_resume()});
  const auto is_joined_there = [](const place& one) { return one.member.is_joined(); };
  if (std::all_of(places_.begin(), places_.end(), is_joined_there)) policy_.on_served();
  if (fleet_.status.joined == fleet_.status.joins_wanted) fleet_.changed.notify_all();
  start_sends(where, now);
}

void client::publish(room_id room, run_time intended) {
  place* where = find_place(room);
  ORDEAL_ASSERT(where != nullptr);
  const auto now = net::now();
  message_id id;
  id.sender = who_.id;
  id.room = room;
  id.seq = ++where->seq;
  const run_time at = fleet_.run_time_at(now);
  fleet_.history.on(send_invoked{at, id, node(), intended});
  fleet_.history.on(generator_lag{at, at - intended, false});
  ++fleet_.status.sends_pending;
  where->lane.add(id, intended);
  start_sends(*where, now);
}

void client::start_sends(place& where, net::time_point now) {
  if (!where.member.is_joined()) return;
  while (is_usable_ && where.lane.can_start(now)) {
    const outgoing_message next = where.lane.start(++latest_request_, now);
    const std::string& room = fleet_.what.room_names[index_of(next.id.room)];
    const std::string& nonce = fleet_.what.run_nonce;
    const payload_recipe& recipe = fleet_.what.scenario.load.payload;
    const std::size_t bytes = envelope_bytes(recipe, nonce, next.id);
    const std::string payload = make_envelope(nonce, next.id, next.intended, bytes, recipe.content);
    write(driver_->publish(latest_request_, room, message_key(nonce, next.id), payload));
    if (fleet_.rules.has_ack) continue;
    if (const auto settled = where.lane.on_answer(publish_answer::unknown, now))
      settle(*settled, now);
  }
}

void client::settle(const settlement& what, net::time_point now) {
  fleet_.history.on(send_settled{fleet_.run_time_at(now), what.id, node(), what.result,
                                 what.attempts, what.was_unanswered});
  if (--fleet_.status.sends_pending == 0) fleet_.changed.notify_all();
}

void client::abandon_sends() {
  const auto now = net::now();
  for (place& where : places_) {
    for (const settlement& given_up : where.lane.abandon()) settle(given_up, now);
  }
}

bool client::waits_since(net::time_point before) const {
  return std::any_of(places_.begin(), places_.end(),
                     [before](const place& one) { return one.lane.waits_since(before); });
}

std::size_t client::pending_count() const {
  std::size_t count = 0;
  for (const place& where : places_) count += where.lane.size();
  return count;
}

bool client::is_joined(room_id room) const {
  const place* where = find_place(room);
  return where && is_usable_ && where->member.is_joined();
}

const client::place* client::find_place(room_id room) const {
  const auto is_there = [room](const place& one) { return one.member.room() == room; };
  const auto found = std::find_if(places_.begin(), places_.end(), is_there);
  return found == places_.end() ? nullptr : &*found;
}

client::place* client::find_place(room_id room) {
  return const_cast<place*>(std::as_const(*this).find_place(room));
}

}  // namespace ordeal::harness
