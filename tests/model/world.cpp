#include "tests/model/world.h"

#include <algorithm>
#include <utility>

#include "net/async/assert.h"
#include "reference-server/log/entry_codec.h"

namespace ordeal::chat::model {
namespace {

template <class T>
T& unshared(std::shared_ptr<T>& held) {
  if (held.use_count() > 1) held = std::make_shared<T>(*held);
  return *held;
}

}  // namespace

world_options::world_options() {
  machine.batch_entries_max = 2;
  machine.restore_entries_max = 1;
  machine.grace_looks = 2;
  machine.boot_looks = 3;
  machine.stall_looks = 4;
  machine.silent_beats_max = 2;
  machine.member_beats_max = 3;
  redis.truncate_max = 1;
}

void record::add_to_sum(hasher what) {
  const digest value = what.result();
  sum.high += value.high;
  sum.low += value.low;
}

bool record::is_trimmed(std::uint16_t identity) const {
  const auto place = newest_place.find("m" + std::to_string(identity));
  return place != newest_place.end() && place->second < newest_floor;
}

void audience::hash_into(hasher& into) const {
  into.add(got.size())
      .add(branch.size())
      .add(last)
      .add(joined_behind.value_or(~0U))
      .add(began_behind);
  for (const delivery& each : got) into.add(each.identity).add(each.at);
  for (const auto& [from, to] : gaps) into.add(from).add(to);
}

digest model_node::value() const {
  if (known_digest) return *known_digest;
  hasher all;
  all.add(life).add(is_cut ? 1U : 0U).add(commands.sent.size());
  all.add(commands.is_connected ? commands.server_life : 0U);
  for (const sent_command& each : commands.sent) all.add(each.origin).add(describe(each.what));
  for (const answer& each : commands.heard) all.add(describe(each));
  all.add(static_cast<std::uint64_t>(reader.at));
  if (reader.at != reader_channel::stage::idle) all.add(reader.server_life);
  if (reader.at == reader_channel::stage::entries) all.add(describe(reader.found));
  if (reader.heard) all.add(describe(*reader.heard));
  all.add(machine ? machine->fingerprint() : std::string());
  clients.hash_into(all);
  known_digest = all.result();
  return *known_digest;
}

digest model_server::value() const {
  if (known_digest) return *known_digest;
  hasher all;
  all.add(life).add(incarnations).add(saves.size());
  redis.hash_into(all);
  for (const auto& each : saves) each->hash_into(all);
  for (const sent_command& each : in_network) all.add(each.origin).add(describe(each.what));
  known_digest = all.result();
  return *known_digest;
}

digest world::value() const {
  hasher all;
  for (const auto& node : nodes_) all.add(node->value());
  all.add(server_->value()).add(record_->sum);
  bounds_.hash_into(all);
  all.add(is_calm_ ? 1U : 0U);
  return all.result();
}

world::world(const world_options& options)
    : options_(std::make_shared<const world_options>(options)),
      server_(std::make_shared<model_server>(
          model_server{redis_model(options.redis), 1, 1, {}, {}, {}})),
      record_(std::make_shared<record>()),
      bounds_(options.bounds) {
  for (int which = 0; which < node_count; ++which) {
    nodes_[static_cast<std::size_t>(which)] = std::make_shared<model_node>();
    start_node(which);
  }
}

model_node& world::change(int which) {
  model_node& node = unshared(nodes_[static_cast<std::size_t>(which)]);
  node.known_digest.reset();
  return node;
}

model_server& world::change_server() {
  model_server& server = unshared(server_);
  server.known_digest.reset();
  return server;
}

record& world::change_record() {
  return unshared(record_);
}

void world::start_node(int which) {
  record& facts = change_record();
  model_node fresh;
  fresh.life = static_cast<std::uint8_t>(facts.lives.size());
  machine_options options = options_->machine;
  options.origin = std::string(1, static_cast<char>('A' + which)) + std::to_string(fresh.life);
  facts.lives.push_back(options.origin);
  fresh.machine.emplace(std::move(options));
  change(which) = std::move(fresh);
}

bool world::is_server_gone(int which) const {
  const command_channel& commands = node(which).commands;
  return commands.is_connected && commands.server_life != server_->life;
}

bool world::can_send(const model_node& node) const {
  return node.machine && !node.is_cut &&
         (!node.commands.is_connected || node.machine->has_command());
}

bool world::can_on_commands(action what, const model_node& node) const {
  const command_channel& commands = node.commands;
  if (what == action::execute) return !commands.sent.empty();
  if (what == action::receive) return !commands.heard.empty();
  if (what == action::lose) return commands.is_connected;
  if (what == action::issue) return can_send(node);
  if (what != action::zombify) return commands.is_idle() && can_send(node);
  return (can_send(node) || !commands.sent.empty()) && server_->in_network.empty();
}

bool world::can_on_reader(action what, const model_node& node) const {
  using stage = reader_channel::stage;
  if (what == action::read_facts) return node.reader.at == stage::entries;
  if (what == action::read_receive) return node.reader.at == stage::answered;
  if (what == action::lose_reader) return node.reader.at != stage::idle;
  return node.machine && !node.is_cut && node.reader.at == stage::idle &&
         node.machine->is_reading();
}

bool world::can_from_outside(step what, const model_node& node) const {
  if (what.what == action::join) return !node.machine;
  if (what.what == action::heal) return node.is_cut;
  if (!node.machine) return false;
  if (what.what == action::add) return node.machine->has_room();
  if (what.what == action::retry)
    return node.machine->has_room() && what.which < record_->identities;
  return what.what != action::cut || !node.is_cut;
}

bool world::can(step what) const {
  if (const auto bound = limit_of(what.what); bound && bounds_.of(*bound) == 0) return false;
  if (what.what >= action::add && what.what <= action::heal)
    return can_from_outside(what, node(what.node));
  if (what.what == action::run_zombie) return !server_->in_network.empty();
  if (what.what < action::run_zombie || what.what == action::trouble)
    return can_on_commands(what.what, node(what.node));
  if (what.what <= action::lose_reader) return can_on_reader(what.what, node(what.node));
  if (what.what == action::restart_from_save || what.what == action::promote_lagging)
    return what.which < server_->saves.size();
  if (what.what == action::miscount) {
    return what.which < node_count && node(what.which).machine && server_->redis.has(log_key::seq);
  }
  if (what.what == action::lose_key) {
    const auto key = static_cast<log_key>(what.which);
    return what.which < log_key_count && server_->redis.has(key);
  }
  return true;
}

std::vector<step> world::choices() const {
  std::vector<step> all;
  const auto offer = [&](action what, std::size_t node, std::size_t which) {
    const step each{what, static_cast<std::uint8_t>(node), static_cast<std::uint8_t>(which)};
    if (can(each)) all.push_back(each);
  };
  for (int i = 0; i < action_count; ++i) {
    const auto what = static_cast<action>(i);
    if (what == action::settle) continue;
    if (const auto bound = limit_of(what); bound && bounds_.of(*bound) == 0) continue;
    std::size_t whiches = 1;
    if (what == action::retry) whiches = record_->identities;
    if (what == action::lose_key) whiches = log_key_count;
    if (what == action::miscount) whiches = node_count;
    if (what == action::restart_from_save || what == action::promote_lagging)
      whiches = server_->saves.size();
    for (std::size_t node = 0; node < (has_node(what) ? node_count : 1U); ++node) {
      for (std::size_t which = 0; which < whiches; ++which) offer(what, node, which);
    }
  }
  return all;
}

namespace {

// Of what nodes that are at rest recover without a loss.
bool keeps_calm(action what) {
  constexpr std::array<action, 8> calm{action::settle,        action::crash,  action::join,
                                       action::restart,       action::wipe,   action::lose_key,
                                       action::restart_empty, action::promote};
  return std::ranges::find(calm, what) != calm.end();
}

}  // namespace

void world::take(step what) {
  is_calm_ = is_calm_ && keeps_calm(what.what);
  if (what.what == action::settle) {
    settle();
    return;
  }
  if (const auto bound = limit_of(what.what)) bounds_.take(*bound);
  if (what.what >= action::save || what.what == action::run_zombie) {
    take_on_server(what);
  } else if (what.what >= action::add) {
    take_from_outside(what);
  } else if (what.what >= action::read) {
    take_on_reader(what);
  } else {
    take_on_commands(what);
  }
  check_nothing_lost();
}

}  // namespace ordeal::chat::model
