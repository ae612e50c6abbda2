#include "tests/unit/checkers/history_builder.h"

#include <stdexcept>

namespace ordeal::harness {

plan make_test_plan(std::size_t nodes, const std::vector<std::vector<std::size_t>>& clients) {
  plan of;
  of.scenario.name = "test";
  of.scenario.nodes = nodes;
  of.scenario.load.send_period = std::chrono::milliseconds(10);
  of.target.protocol.resume = resume_kind::cursor;
  std::size_t rooms = 0;
  for (std::size_t c = 0; c < clients.size(); ++c) {
    client_plan client;
    client.id = client_id(c);
    client.home = node_id(c % nodes);
    for (const std::size_t room : clients[c]) {
      client.rooms.push_back(room_id(room));
      rooms = std::max(rooms, room + 1);
    }
    of.clients.push_back(std::move(client));
  }
  for (std::size_t r = 0; r < rooms; ++r) of.room_names.push_back("test-" + name_of(room_id(r)));
  return of;
}

plan make_test_plan() {
  return make_test_plan(2, {{0}, {0}, {0}, {0}});
}

void add_fault(plan& to, const std::string& name) {
  fault::fault_spec spec;
  spec.name = name;
  spec.kind = "redis_kill";
  to.faults.push_back(spec);
}

std::size_t add_deputy(plan& to, std::size_t client) {
  client_plan deputy = to.clients.at(client);
  deputy.id = client_id(to.clients.size() + to.deputies.size());
  deputy.deputy_of = client_id(client);
  to.deputies.push_back(deputy);
  return index_of(deputy.id);
}

history::history(plan of) : plan_(std::move(of)) {
  judge_ = judge::make(
      terms_of(plan_), [this](const finding& f) { found_.push_back(f); },
      [this] { ++suspicions_; });
  for (const auto* some : {&plan_.clients, &plan_.deputies}) {
    for (const client_plan& client : *some) {
      nodes_.push_back(client.home);
      sent_.emplace_back(plan_.room_names.size(), 0);
    }
  }
}

history& history::connects(std::size_t client) {
  return connects(client, index_of(nodes_.at(client)));
}

history& history::connects(std::size_t client, std::size_t node) {
  nodes_.at(client) = node_id(node);
  judge_->on(client_connected{tick(), client_id(client), node_id(node)});
  return *this;
}

history& history::asks(std::size_t client, std::size_t room, bool is_resume) {
  judge_->on(join_invoked{tick(), client_id(client), room_id(room), nodes_.at(client), is_resume});
  return *this;
}

history& history::is_joined(std::size_t client, std::size_t room, bool is_resume) {
  judge_->on(
      join_confirmed{tick(), client_id(client), room_id(room), nodes_.at(client), is_resume});
  return *this;
}

history& history::everybody_joins() {
  for (std::size_t c = 0; c < plan_.clients.size(); ++c) {
    connects(c);
    for (const room_id room : plan_.clients[c].rooms) joins(c, index_of(room));
  }
  return *this;
}

history& history::leaves(std::size_t client, std::size_t room) {
  judge_->on(room_left{tick(), client_id(client), room_id(room)});
  return *this;
}

history& history::is_reset(std::size_t client, std::size_t room) {
  judge_->on(reset_received{tick(), client_id(client), room_id(room)});
  return *this;
}

history& history::disconnects(std::size_t client, cut_cause cut) {
  judge_->on(client_disconnected{tick(), client_id(client), nodes_.at(client), false, cut});
  return *this;
}

history& history::everybody_says_goodbye() {
  for (std::size_t c = 0; c < plan_.clients.size(); ++c) {
    judge_->on(client_disconnected{tick(), client_id(c), nodes_.at(c), true});
  }
  return *this;
}

message_id history::sends(std::size_t client, std::size_t room) {
  const message_id id{client_id(client), room_id(room), ++sent_.at(client).at(room)};
  const run_time at = tick();
  judge_->on(send_invoked{at, id, nodes_.at(client), at});
  return id;
}

history& history::settles(const message_id& what, outcome result) {
  judge_->on(send_settled{tick(), what, nodes_.at(index_of(what.sender)), result, 1});
  return *this;
}

history& history::gets_no_answer(const message_id& what) {
  const node_id node = nodes_.at(index_of(what.sender));
  judge_->on(send_settled{tick(), what, node, outcome::info, 1, true});
  return *this;
}

message_id history::says(std::size_t client, std::size_t room) {
  const message_id id = sends(client, room);
  acknowledges(id);
  return id;
}

history& history::gets(std::size_t client, const message_id& what) {
  delivered arrival;
  arrival.client = client_id(client);
  arrival.room = what.room;
  arrival.id = what;
  arrival.intended = at_;
  return gets_raw(arrival);
}

history& history::everybody_gets(const message_id& what) {
  for (std::size_t c = 0; c < plan_.clients.size(); ++c) {
    for (const room_id room : plan_.clients[c].rooms) {
      if (room == what.room) gets(c, what);
    }
  }
  return *this;
}

history& history::gets_raw(delivered what) {
  what.at = tick();
  what.node = nodes_.at(index_of(what.client));
  judge_->on(what);
  return *this;
}

message_id history::exchanges(std::size_t client, std::size_t room) {
  const message_id id = says(client, room);
  everybody_gets(id);
  return id;
}

history& history::fault_is(std::size_t fault, fault::fault_state state) {
  judge_->on(fault_changed{tick(), fault, state, ""});
  return *this;
}

history& history::breaks(std::size_t fault) {
  return fault_is(fault, fault::fault_state::injecting).fault_is(fault, fault::fault_state::active);
}

history& history::heals(std::size_t fault) {
  return fault_is(fault, fault::fault_state::healing).fault_is(fault, fault::fault_state::healed);
}

history& history::node_is(std::size_t node, node_state state, bool was_planned) {
  judge_->on(node_changed{tick(), node_id(node), state, was_planned, "killed by signal 11"});
  return *this;
}

history& history::phase(phase_kind kind, const std::string& name) {
  judge_->on(phase_changed{tick(), kind, name});
  return *this;
}

history& history::lags(std::chrono::nanoseconds lag, bool was_skipped, skip_reason reason) {
  judge_->on(generator_lag{tick(), lag, was_skipped, reason});
  return *this;
}

history& history::later(std::chrono::nanoseconds by) {
  at_ += by;
  return *this;
}

history& history::ends_well() {
  lags(std::chrono::milliseconds(1));
  phase(phase_kind::recovery).phase(phase_kind::drain).phase(phase_kind::probe);
  std::vector<bool> has_probed(plan_.scenario.nodes, false);
  for (std::size_t c = 0; c < plan_.clients.size(); ++c) {
    const std::size_t node = index_of(nodes_[c]);
    if (has_probed[node]) continue;
    has_probed[node] = true;
    for (const room_id room : plan_.clients[c].rooms) exchanges(c, index_of(room));
  }
  return phase(phase_kind::finished);
}

const judgement& history::end(bool was_cut_short) {
  if (!end_) {
    judge_->on(run_ended{tick(), was_cut_short, was_cut_short ? 2 : 0, {}});
    end_ = judge_->finish();
  }
  return *end_;
}

const judgement& history::is_torn() {
  end_ = judge_->finish();
  return *end_;
}

const check_result& history::check(const std::string& id) {
  for (const check_result& each : end().checks) {
    if (each.id == id) return each;
  }
  throw std::invalid_argument("there is no check " + id);
}

verdict history::verdict_of(const std::string& id) {
  return check(id).result;
}
std::string history::detail_of(const std::string& id) {
  return check(id).detail;
}

std::string history::findings() {
  std::string text;
  for (std::size_t kind = 0; kind < finding_kind_count; ++kind) {
    const std::uint64_t n = end().findings[kind];
    if (n == 0 || finding_kind(kind) == finding_kind::silent_loss) continue;
    text += (text.empty() ? "" : " ") + std::string(name_of(finding_kind(kind))) + "=" +
            std::to_string(n);
  }
  return text;
}

}  // namespace ordeal::harness
