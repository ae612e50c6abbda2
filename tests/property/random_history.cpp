#include "tests/property/random_history.h"

#include <algorithm>
#include <deque>

#include "net/async/random.h"

namespace ordeal::harness {
namespace {

using fault::fault_state;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

constexpr std::size_t message_max = 150;  // probes included

class random_history {
 public:
  explicit random_history(std::uint64_t seed) : random_(seed, "history") {
    make_terms();
    make_target();
    seats_.resize(of_.clients.size());
    for (std::size_t c = 0; c < of_.clients.size(); ++c) {
      clients_.push_back({of_.clients[c].home});
      seats_[c].resize(of_.rooms.size());
      for (const room_id room : of_.clients[c].rooms) seats_[c][index_of(room)].is_planned = true;
    }
    faults_.assign(of_.faults.size(), fault_state::planned);
  }

  recorded make() {
    const std::size_t messages = 10 + random_.below(random_.below(2) == 0 ? 30 : 111);
    const std::size_t cut_after = percent(10) ? random_.below(messages) : message_max;
    phase(phase_kind::setup);
    for (std::size_t c = 0; c < clients_.size(); ++c) {
      if (!of_.clients[c].is_deputy) connect(c);
    }
    const std::size_t changes = 1 + random_.below(messages);
    for (std::size_t m = 0; m < messages && m < cut_after; ++m) {
      if (m == 0) phase(phase_kind::declared, "first");
      if (m == changes) phase(phase_kind::declared, "second");
      send();
      live(1 + random_.below(8));
    }
    const bool was_cut = cut_after < messages;
    if (!was_cut) finish();
    of_.planned_messages = sent_on_schedule_ + random_.below(3);
    if (percent(90)) {
      if (!was_cut && percent(50)) say_goodbye();
      add(run_ended{tick(), was_cut, was_cut ? 2 : 0, {}});
    }
    return {of_, std::move(events_)};
  }

 private:
  struct seat_state {
    bool is_planned = false, is_asked = false, is_joined = false;
    std::deque<message_id> inbox;  // on its way to the client, in the target's order
    std::vector<message_id> came;  // what a repetition repeats
    std::uint32_t sent = 0;
  };
  struct client_state {
    node_id where{};
    bool is_connected = false, was_here = false;
  };
  struct pending_send {
    message_id id;
    outcome result = outcome::ok;
    bool is_settled_ever = true, is_spread = false, will_spread = true;
  };

  bool percent(std::uint64_t chance) { return random_.below(100) < chance; }
  std::size_t any_client() { return random_.below(clients_.size()); }
  std::size_t any_sender() {
    for (;;) {
      const std::size_t c = any_client();
      if (!of_.clients[c].is_deputy || clients_[c].was_here) return c;
    }
  }
  template <class T>
  T& any_of(std::vector<T>& from) {
    return from[random_.below(from.size())];
  }
  // Mostly none; else a few percent, seldom a lot.
  std::uint64_t intensity() {
    const std::uint64_t draw = random_.below(10);
    return draw < 6 ? 0 : draw < 9 ? 1 + random_.below(8) : 20 + random_.below(40);
  }

  // --- terms

  void make_terms() {
    of_.nodes = 2 + random_.below(3);
    const std::size_t rooms = 1 + random_.below(3);
    for (std::size_t r = 0; r < rooms; ++r) of_.rooms.push_back("test-" + name_of(room_id(r)));
    const std::size_t clients = 2 + random_.below(7);
    for (std::size_t c = 0; c < clients; ++c) {
      seat_terms seat{node_id(percent(80) ? c % of_.nodes : random_.below(of_.nodes)), {}};
      const std::size_t first = random_.below(rooms);
      seat.rooms.push_back(room_id(first));
      if (rooms > 1 && percent(40)) seat.rooms.push_back(room_id((first + 1) % rooms));
      of_.clients.push_back(std::move(seat));
    }
    const std::size_t deputies = percent(60) ? 0 : 1 + random_.below(of_.nodes);
    for (std::size_t d = 0; d < deputies; ++d) {
      seat_terms deputy = of_.clients[random_.below(clients)];
      deputy.is_deputy = true;
      of_.clients.push_back(std::move(deputy));
    }
    of_.promises.delivery = static_cast<delivery_promise>(random_.below(3));
    of_.promises.order = static_cast<order_promise>(random_.below(3));
    of_.promises.duplicates = static_cast<duplicates_promise>(random_.below(3));
    of_.promises.ack = static_cast<ack_promise>(random_.below(4));
    of_.promises.recovery = milliseconds(random_.below(2) == 0 ? 20 : 2000);
    of_.has_resume_protocol = of_.promises.resume = percent(50);
    of_.phases = {{"first", {}, {}}, {"second", {}, {}}};
    for (phase_plan& each : of_.phases) {
      if (percent(20)) each.send_period = milliseconds(0);
    }
    const std::size_t faults = percent(40) ? 0 : 1 + random_.below(3);
    for (std::size_t f = 0; f < faults; ++f)
      of_.faults.push_back({"fault-" + std::to_string(f), "redis_kill", "redis", {}});
    of_.send_period = milliseconds(1 + random_.below(20));
    of_.arrival = percent(50) ? arrival_kind::constant : arrival_kind::poisson;
    of_.publishing_ends = seconds(1 + random_.below(100));
    of_.scenario = "random";
  }

  // How this history's target misbehaves, in percent.
  void make_target() {
    gap_ = percent(30) ? nanoseconds(milliseconds(60)) : nanoseconds(milliseconds(1));
    loss_ = intensity();
    loss_to_all_ = intensity() / 4;
    if (percent(10)) deaf_client_ = random_.below(of_.clients.size());
    if (percent(10)) deaf_node_ = random_.below(of_.nodes);
    repeat_ = intensity();
    swap_ = intensity();
    swap_between_senders_ = intensity();
    hold_ = intensity() / 4;
    damage_ = intensity() / 2;
    invent_ = intensity() / 2;
    misdirect_ = intensity() / 2;
    refuse_ = intensity() / 2;
    give_up_ = intensity() / 2;
    churn_ = intensity();
    trouble_ = percent(50) ? 4 : 15;
    lag_ = intensity() / 8;
    strain_ = intensity();
    is_watched_ = percent(80);
    is_refused_sometimes_spread_ = percent(30);
    is_lazy_ = percent(20);
  }

  // --- time: now and then exactly where a grace ends, or a nanosecond later

  run_time tick() {
    nanoseconds gap = nanoseconds(1 + random_.below(static_cast<std::uint64_t>(gap_.count())));
    if (percent(1)) gap = milliseconds(300 + random_.below(1500));
    run_time next = now_ + gap;
    if (!edges_.empty() && percent(2)) {
      const run_time edge = any_of(edges_) + nanoseconds(random_.below(2));
      if (edge > now_) next = edge;
    }
    return now_ = next;
  }
  void note_edge(run_time at) {
    edges_.push_back(at);
    if (edges_.size() > 4) edges_.erase(edges_.begin());
  }
  void add(event what) { events_.push_back(std::move(what)); }

  // --- phases, faults, nodes

  void phase(phase_kind kind, const std::string& name = "") {
    add(phase_changed{tick(), kind, name});
  }

  void move_fault() {
    if (faults_.empty()) return;
    const std::size_t f = random_.below(faults_.size());
    const auto enter = [&](fault_state state) {
      faults_[f] = state;
      add(fault_changed{tick(), f, state, state == fault_state::failed ? "no effect" : ""});
    };
    switch (faults_[f]) {
      case fault_state::planned:
        return enter(fault_state::injecting);
      case fault_state::injecting:
        return enter(percent(85) ? fault_state::active : fault_state::failed);
      case fault_state::active:
        return enter(fault_state::healing);
      case fault_state::healing:
        return enter(percent(90) ? fault_state::healed : fault_state::failed);
      case fault_state::healed:
      case fault_state::failed:
        return;
    }
  }

  void change_node() {
    const node_id node{static_cast<std::uint32_t>(random_.below(of_.nodes))};
    const auto state = static_cast<node_state>(random_.below(4));
    add(node_changed{tick(), node, state, percent(70), ""});
  }

  void watch_observer() {
    if (!is_watched_) return;
    observer_usage seen{tick(), static_cast<std::uint32_t>(random_.below(900)), milliseconds(5), 0};
    if (percent(strain_)) seen.busy_permille = 960;
    if (percent(strain_ / 20)) seen.stall = milliseconds(1500);
    if (percent(strain_ / 20)) seen.overflowed = 7;
    add(seen);
    if (percent(strain_ / 20)) add(clock_jumped{tick(), seconds(1), false});
  }

  // --- clients

  void connect(std::size_t c) {
    client_state& client = clients_[c];
    if (!events_.empty() && percent(20)) client.where = node_id(random_.below(of_.nodes));
    client.is_connected = client.was_here = true;
    add(client_connected{tick(), client_id(c), client.where});
    for (const room_id room : of_.clients[c].rooms) {
      if (percent(95)) ask(c, room);
    }
    for (const room_id room : of_.clients[c].rooms) {
      if (percent(85)) confirm(c, room);
    }
  }

  void ask(std::size_t c, room_id room) {
    seat_state& seat = seats_[c][index_of(room)];
    is_resume_ = of_.can_resume() && seat.is_asked && percent(80);
    seat.is_asked = true;
    seat.is_joined = false;
    if (!is_resume_ && percent(80)) seat.inbox.clear();
    add(join_invoked{tick(), client_id(c), room, clients_[c].where, is_resume_});
    if (percent(5)) add(reset_received{tick(), client_id(c), room});
    if (percent(5)) send();
  }

  void confirm(std::size_t c, room_id room) {
    seat_state& seat = seats_[c][index_of(room)];
    if (!clients_[c].is_connected || !seat.is_asked || seat.is_joined) return;
    seat.is_joined = true;
    add(join_confirmed{tick(), client_id(c), room, clients_[c].where, is_resume_});
  }

  void disconnect(std::size_t c, bool is_planned) {
    clients_[c].is_connected = false;
    add(client_disconnected{tick(), client_id(c), clients_[c].where, is_planned});
    for (seat_state& seat : seats_[c]) {
      seat.is_joined = false;
      if (!of_.can_resume() && percent(80)) seat.inbox.clear();
    }
  }

  void disturb() {
    const std::size_t c = any_client();
    if (!clients_[c].is_connected) return connect(c);
    const room_id room = any_of(of_.clients[c].rooms);
    seat_state& seat = seats_[c][index_of(room)];
    switch (random_.below(6)) {
      case 0:
        return add(reset_received{tick(), client_id(c), room});
      case 1:  // leaves, perhaps with something under way
        if (!seat.is_asked) return ask(c, room);
        add(room_left{tick(), client_id(c), room});
        note_edge(now_ + seconds(2));
        seat.is_asked = seat.is_joined = false;
        if (percent(70)) seat.inbox.clear();
        return;
      case 2:
        return ask(c, room);
      case 3:
        return confirm(c, room);
      default:
        disconnect(c, false);
        if (percent(60)) connect(c);
    }
  }

  void say_goodbye() {
    for (std::size_t c = 0; c < clients_.size(); ++c) {
      if (clients_[c].is_connected) disconnect(c, true);
    }
  }

  // --- messages

  void send() {
    const std::size_t c = any_sender();
    send_from(c, any_of(of_.clients[c].rooms));
  }

  void send_from(std::size_t c, room_id room) {
    if (sent_total_ >= message_max) return;
    const message_id id{client_id(c), room, ++seats_[c][index_of(room)].sent};
    const run_time at = tick();
    add(send_invoked{at, id, clients_[c].where, at - nanoseconds(random_.below(1000))});
    if (percent(20))
      add(generator_lag{at, milliseconds(random_.below(20) + (percent(lag_) ? 200 : 0)), false});
    note_edge(at + seconds(1));
    ++sent_total_;
    if (at < of_.publishing_ends) ++sent_on_schedule_;
    pending_send pending{id};
    if (percent(refuse_)) {
      pending.result = outcome::fail;
      pending.will_spread = is_refused_sometimes_spread_ && percent(30);
    } else if (percent(give_up_)) {
      pending.result = outcome::info;
      pending.will_spread = percent(60);
    }
    pending.is_settled_ever = !percent(2);
    if (percent(loss_to_all_)) pending.will_spread = false;
    unsettled_.push_back(pending);
    if (!is_lazy_) spread(unsettled_.back());
  }

  // The target takes it into the room's line: it is on its way to everybody who is to get it.
  void spread(pending_send& what) {
    if (what.is_spread) return;
    what.is_spread = true;
    if (!what.will_spread) return;
    for (std::size_t c = 0; c < clients_.size(); ++c) {
      seat_state& seat = seats_[c][index_of(what.id.room)];
      if (!seat.is_planned) continue;
      const bool is_reached = seat.is_asked || percent(misdirect_);
      if (!is_reached || c == deaf_client_ || index_of(clients_[c].where) == deaf_node_) continue;
      if (percent(loss_)) continue;
      seat.inbox.push_back(what.id);
      if (percent(repeat_)) seat.inbox.push_back(what.id);
    }
  }

  void settle() {
    if (unsettled_.empty()) return;
    const std::size_t i = is_lazy_ ? random_.below(unsettled_.size()) : 0;
    pending_send& what = unsettled_[i];
    if (percent(90)) spread(what);
    if (what.is_settled_ever) {
      const node_id through = clients_[index_of(what.id.sender)].where;
      const bool was_unanswered = what.result == outcome::info && percent(50);
      add(send_settled{tick(), what.id, through, what.result, 1, was_unanswered});
    }
    spread(what);
    unsettled_.erase(unsettled_.begin() + static_cast<std::ptrdiff_t>(i));
  }

  // --- arrivals

  delivered arrival(std::size_t c, const message_id& id) {
    delivered what;
    what.at = tick();
    what.client = client_id(c);
    what.node = clients_[c].where;
    what.room = id.room;
    what.id = id;
    what.intended = what.at - microseconds(random_.below(5000));
    return what;
  }

  std::size_t next_of(const std::deque<message_id>& inbox) {
    if (inbox.size() > 1 && percent(swap_)) return random_.below(inbox.size());
    if (inbox.size() > 1 && percent(swap_between_senders_)) {
      const std::size_t i = random_.below(inbox.size());
      const auto same_sender = [&](const message_id& id) { return id.sender == inbox[i].sender; };
      const auto first = std::find_if(inbox.begin(), inbox.end(), same_sender);
      return static_cast<std::size_t>(first - inbox.begin());
    }
    return 0;
  }

  void receive() {
    const std::size_t c = any_client();
    if (!clients_[c].is_connected) return;
    const room_id room = any_of(of_.clients[c].rooms);
    seat_state& seat = seats_[c][index_of(room)];
    if (percent(invent_)) add(invented(c, room));
    if (!seat.came.empty() && percent(repeat_ / 4)) add(arrival(c, any_of(seat.came)));
    if (seat.inbox.empty()) return;
    if (!seat.is_asked && !percent(misdirect_ + 3)) return;
    const std::size_t i = next_of(seat.inbox);
    const message_id id = seat.inbox[i];
    seat.inbox.erase(seat.inbox.begin() + static_cast<std::ptrdiff_t>(i));
    if (percent(hold_)) {
      held_.emplace_back(c, id);
      return;
    }
    delivered what = arrival(c, id);
    if (percent(damage_)) what.payload = payload_state::corrupt;
    if (percent(misdirect_)) misdirect(what);
    add(what);
    seat.came.push_back(id);
  }

  void misdirect(delivered& what) {
    if (percent(30)) {
      what.is_known_room = false;
    } else {
      what.room = room_id(random_.below(of_.rooms.size()));
    }
  }

  delivered invented(std::size_t c, room_id room) {
    delivered what = arrival(c, {client_id(any_client()), room, 1});
    switch (random_.below(4)) {
      case 0:
        what.payload = payload_state::foreign_run;
        break;
      case 1:
        what.payload = payload_state::not_an_envelope;
        break;
      case 2:  // of somebody who is not in that room, or not in the plan
        what.id.sender = client_id(random_.below(clients_.size() + 1));
        break;
      default:
        what.id.seq = static_cast<std::uint32_t>(random_.below(40));
    }
    return what;
  }

  void release_one() {
    if (held_.empty()) return;
    const auto [c, id] = held_.front();
    held_.pop_front();
    if (clients_[c].is_connected) add(arrival(c, id));
  }

  // --- the course of things

  void live(std::size_t steps) {
    for (std::size_t i = 0; i < steps; ++i) {
      if (percent(churn_)) disturb();
      if (percent(trouble_)) move_fault();
      if (random_.below(100) == 0) change_node();
      if (random_.below(20) == 0) watch_observer();
      if (random_.below(400) == 0)
        add(generator_lag{tick(), {}, true, skip_reason(random_.below(3))});
      if (percent(35)) settle();
      for (std::size_t c = 0; c < clients_.size(); ++c) receive();
      if (percent(5)) release_one();
    }
  }

  void finish() {
    phase(phase_kind::recovery);
    if (percent(80)) {
      for (std::size_t f = 0; f < faults_.size() * 5; ++f) move_fault();
    }
    for (std::size_t c = 0; c < clients_.size(); ++c) {
      if (!clients_[c].is_connected && percent(80)) connect(c);
      send();
      live(2);
    }
    phase(phase_kind::drain);
    while (!unsettled_.empty() && !percent(1)) settle();
    drain();
    phase(phase_kind::probe);
    for (std::size_t c = 0; c < clients_.size(); ++c) {
      if (of_.clients[c].is_deputy && !clients_[c].was_here) continue;
      for (const room_id room : of_.clients[c].rooms) {
        if (percent(95)) send_from(c, room);
      }
      live(1);
    }
    while (!unsettled_.empty() && !percent(1)) settle();
    drain();
    if (percent(90)) phase(phase_kind::finished);
    live(1);
  }

  void drain() {
    for (std::size_t i = 0; i < 2000; ++i) {
      bool is_left = false;
      for (std::size_t c = 0; c < clients_.size(); ++c) {
        if (!clients_[c].is_connected) continue;
        for (const seat_state& seat : seats_[c]) is_left = is_left || !seat.inbox.empty();
      }
      if (!is_left || random_.below(1000) == 0) break;
      receive();
    }
    while (!held_.empty() && percent(95)) release_one();
  }

  net::random_stream random_;
  terms of_;
  std::vector<event> events_;
  run_time now_{};
  std::vector<run_time> edges_;  // moments at which a grace ends
  std::vector<client_state> clients_;
  std::vector<std::vector<seat_state>> seats_;  // by client, by room
  std::vector<fault_state> faults_;
  std::vector<pending_send> unsettled_;
  std::deque<std::pair<std::size_t, message_id>> held_;
  std::size_t sent_total_ = 0;
  std::uint64_t sent_on_schedule_ = 0;
  bool is_resume_ = false;

  nanoseconds gap_{};
  std::uint64_t loss_ = 0, loss_to_all_ = 0, repeat_ = 0, swap_ = 0, swap_between_senders_ = 0;
  std::uint64_t hold_ = 0, damage_ = 0, invent_ = 0, misdirect_ = 0, refuse_ = 0, give_up_ = 0;
  std::uint64_t churn_ = 0, trouble_ = 0, lag_ = 0, strain_ = 0;
  std::optional<std::size_t> deaf_client_, deaf_node_;
  bool is_refused_sometimes_spread_ = false, is_lazy_ = false, is_watched_ = false;
};

}  // namespace

recorded make_random_history(std::uint64_t seed) {
  return random_history(seed).make();
}

}  // namespace ordeal::harness
