// What a step does.
#include <algorithm>
#include <utility>

#include "tests/model/world.h"

namespace ordeal::chat::model {
namespace {

constexpr std::size_t saves_max = 2;

}  // namespace

void world::connect(int which) {
  model_node& node = change(which);
  if (node.commands.is_connected) return;
  node.machine->on_connected();
  node.commands.is_connected = true;
  node.commands.server_life = server_->life;
}

void world::disconnect(int which) {
  model_node& node = change(which);
  if (!node.commands.is_connected) return;
  if (node.machine) node.machine->on_connection_lost();
  node.commands = {};
  drain(which);
}

sent_command world::next_command(int which) {
  connect(which);
  model_node& node = change(which);
  if (!node.machine->has_command()) {
    fail("a new connection, and " + node.machine->origin() + " has nothing to say");
    return {node.machine->origin(), attach_command{}};
  }
  command what = node.machine->next_command();
  if (auto* commit = std::get_if<commit_command>(&what)) spoil(*commit);
  return {node.machine->origin(), std::move(what)};
}

// Planted bugs.
void world::spoil(commit_command& commit) const {
  const auto& epochs = commit.chain.segments();
  if (options_->bugs.repeats_epochs) commit.epoch = epochs.empty() ? 1 : epochs.back().epoch + 1;
  const auto& recovery = server_->redis.keys().recovery;
  if (!options_->bugs.merges_lost_marks || !recovery) return;
  for (const auto& [origin, text] : recovery->reports) {
    const auto heard = parse_report(text);
    if (!heard) continue;
    for (const auto& [name, seq] : heard->marks) {
      std::uint64_t& mark = commit.marks[name];
      mark = std::max(mark, seq);
    }
  }
}

answer world::execute(const sent_command& sent) {
  const auto& [origin, what] = sent;
  model_server& server = change_server();
  const key_space& keys = server.redis.keys();
  const bool was_open = keys.meta && keys.meta->state == "open" && keys.seq && keys.req &&
                        keys.epochs && keys.log &&
                        keys.meta->incarnation == server.redis.incarnation();
  const recovery_fields round = keys.recovery.value_or(recovery_fields());
  const position tail =
      keys.log && !keys.log->entries.empty() ? keys.log->entries.back()->at : position();
  answer heard = server.redis.execute(origin, what);
  if (narration_ != nullptr)
    *narration_ +=
        "      " + origin + ": " + describe(what) + "\n        -> " + describe(heard) + "\n";
  if (const auto* append = std::get_if<append_answer>(&heard)) {
    if (!append->is_stale)
      check_append(origin, std::get<append_command>(what), *append, was_open, tail);
  } else if (const auto* convened = std::get_if<convene_answer>(&heard)) {
    if (convened->is_done) {
      is_beyond_ = is_beyond_ || bounds_.of(limit::convenes) == 0;
      bounds_.take(limit::convenes);
    }
  } else if (const auto* repair = std::get_if<repair_answer>(&heard)) {
    const auto* commit = std::get_if<commit_command>(&what);
    if (commit != nullptr && !repair->is_stale) check_commit(*commit, round, tail);
  } else if (const auto* error = std::get_if<wire_error>(&heard)) {
    fail("a script failed: " + error->text);
  }
  return heard;
}

void world::deliver_answer(int which, answer heard) {
  model_node& node = change(which);
  auto* const appended = std::get_if<append_answer>(&heard);
  if (options_->bugs.believes_repeats && appended != nullptr) {
    for (entry_reply& each : appended->entries) {
      if (each.result == entry_result::used_before && !each.at)
        each.at = position{node.machine->identity().epoch, appended->floor};
    }
  }
  node.machine->on_answer(heard);
  drain(which);
}

void world::take_on_commands(step what) {
  const int which = what.node;
  if (what.what == action::lose) {
    disconnect(which);
    return;
  }
  if (what.what == action::receive) {
    command_channel& commands = change(which).commands;
    const answer heard = commands.heard.front();
    commands.heard.pop_front();
    deliver_answer(which, heard);
    return;
  }
  if (what.what == action::execute) {
    if (is_server_gone(which)) {
      disconnect(which);
      return;
    }
    command_channel& commands = change(which).commands;
    const sent_command sent = commands.sent.front();
    commands.sent.pop_front();
    commands.heard.push_back(execute(sent));
    return;
  }
  if (what.what == action::zombify) {
    std::deque<sent_command> left = node(which).commands.sent;
    if (can_send(node(which))) left.push_back(next_command(which));
    change_server().in_network = std::move(left);
    disconnect(which);
    return;
  }
  const sent_command sent = next_command(which);
  if (is_server_gone(which) || what.what == action::drop_before) {
    disconnect(which);
    return;
  }
  command_channel& commands = change(which).commands;
  if (what.what == action::trouble) {
    deliver_answer(which, wire_error{net::redis::reply_class::retryable, "LOADING"});
  } else if (what.what == action::issue) {
    commands.sent.push_back(sent);
  } else {
    const answer heard = execute(sent);
    if (what.what == action::exchange) {
      deliver_answer(which, heard);
    } else {
      disconnect(which);
    }
  }
}

// By value: what the channel holds goes before it is read.
void world::deliver_read(int which, read_answer heard) {
  model_node& node = change(which);
  node.reader = {};
  if (narration_ != nullptr)
    *narration_ += "      " + node.machine->origin() + " reads " + describe(heard) + "\n";
  node.machine->on_read(heard);
  drain(which);
}

void world::take_on_reader(step what) {
  const int which = what.node;
  model_node& node = change(which);
  reader_channel& reader = node.reader;
  const bool is_gone =
      reader.at != reader_channel::stage::idle && reader.server_life != server_->life;
  if (what.what == action::read) {
    deliver_read(which, server_->redis.read(node.machine->next_read()));
  } else if (what.what == action::read_entries) {
    reader.found = server_->redis.read_streams(node.machine->next_read());
    reader.at = reader_channel::stage::entries;
    reader.server_life = server_->life;
  } else if (what.what == action::lose_reader || (what.what == action::read_facts && is_gone)) {
    reader = {};
  } else if (what.what == action::read_facts) {
    reader.heard = server_->redis.read_facts(std::move(reader.found));
    reader.found = {};
    reader.at = reader_channel::stage::answered;
  } else {
    deliver_read(which, *reader.heard);
  }
}

void world::add_message(int which, std::uint16_t identity) {
  model_node& node = change(which);
  const std::string number = std::to_string(identity);
  sent_message sent;
  sent.life = node.life;
  sent.identity = identity;
  const auto seq = node.machine->add("r", "m" + number, "t" + number, {});
  if (!seq) {
    fail("m" + number + " is taken for another message than itself");
    return;
  }
  sent.seq = *seq;
  record& facts = change_record();
  const auto is_it = [&sent](const sent_message& other) {
    return other.life == sent.life && other.seq == sent.seq;
  };
  // It is there already, and its sender waits again.
  const auto known = std::ranges::find_if(facts.sent, is_it);
  if (known != facts.sent.end()) {
    if (known->identity != identity) fail("m" + number + " shares its seq with another message");
    known->is = sent_message::fate::accepted;
    facts.add_to_sum(hasher().add(6U).add(sent.life).add(sent.seq));
    drain(which);
    return;
  }
  facts.sent.push_back(sent);
  facts.add_to_sum(hasher().add(1U).add(sent.life).add(sent.seq).add(identity));
  drain(which);
}

void world::take_from_outside(step what) {
  const int which = what.node;
  if (what.what == action::add) {
    add_message(which, change_record().identities++);
  } else if (what.what == action::retry) {
    add_message(which, what.which);
  } else if (what.what == action::beat) {
    change(which).machine->beat_due();
  } else if (what.what == action::crash) {
    model_node dead;
    dead.life = node(which).life;
    change(which) = std::move(dead);
  } else if (what.what == action::join) {
    start_node(which);
  } else if (what.what == action::cut) {
    disconnect(which);
    change(which).reader = {};
    change(which).is_cut = true;
  } else {
    change(which).is_cut = false;
  }
}

void world::begin_server_life(bool same_connections) {
  model_server& server = change_server();
  server.redis.set_incarnation("i" + std::to_string(++server.incarnations));
  if (!same_connections) ++server.life;
}

void world::take_on_server(step what) {
  model_server& server = change_server();
  if (what.what == action::run_zombie) {
    const sent_command late = server.in_network.front();
    server.in_network.pop_front();
    execute(late);
  } else if (what.what == action::save) {
    server.saves.push_back(std::make_shared<const key_space>(server.redis.keys()));
    if (server.saves.size() > saves_max) server.saves.erase(server.saves.begin());
  } else if (what.what == action::lose_key) {
    server.redis.lose(static_cast<log_key>(what.which));
  } else if (what.what == action::miscount) {
    server.redis.miscount(node(what.which).machine->origin(), 1);
  } else if (what.what == action::wipe) {
    server.redis.lose_everything();
  } else {
    if (what.what == action::restart_empty) server.redis.lose_everything();
    if (what.what == action::restart_from_save || what.what == action::promote_lagging)
      server.redis.restore_snapshot(*server.saves.at(what.which));
    begin_server_life(what.what == action::promote || what.what == action::promote_lagging);
  }
}

}  // namespace ordeal::chat::model
