// The invariants that hold after every step (docs/log-protocol.md, I1-I6).
#include <algorithm>
#include <bitset>
#include <charconv>

#include "reference-server/log/entry_codec.h"
#include "tests/model/world.h"

namespace ordeal::chat::model {
namespace {

constexpr std::size_t identities_max = 1024;
using identity_set = std::bitset<identities_max>;

std::optional<std::uint16_t> identity_of(const entry& each) {
  if (each.kind != entry_kind::message) return std::nullopt;
  std::uint16_t number = 0;
  const char* const end = each.client_message_id.data() + each.client_message_id.size();
  if (std::from_chars(each.client_message_id.data() + 1, end, number).ptr != end)
    return std::nullopt;
  return number;
}

digest content_of(const entry& each) {
  hasher all;
  all.add(static_cast<std::uint64_t>(each.kind)).add(each.origin).add(each.origin_seq);
  return all.add(each.room).add(each.client_message_id).add(each.text).result();
}

bool has_message(const outbox& box, std::uint64_t seq) {
  const auto is_it = [seq](const outbox_message& each) { return each.seq == seq; };
  return std::ranges::any_of(box.messages(), is_it);
}

// A node that begins anew under another name is the same one.
std::string life_of(const std::string& origin) {
  return origin.substr(0, origin.find('+'));
}

std::string name_of(const sent_message& sent, const record& facts) {
  return "m" + std::to_string(sent.identity) + " (" + facts.lives[sent.life] + ":" +
         std::to_string(sent.seq) + ")";
}

}  // namespace

void world::fail(std::string text) {
  if (violation_.empty()) violation_ = std::move(text);
}

// I1
void world::learn_entry(const std::string& log_id, const entry& each, const std::string& where) {
  const auto key = std::make_tuple(log_id, each.at.epoch, each.at.index);
  const digest content = content_of(each);
  const auto known = record_->known.find(key);
  if (known == record_->known.end()) {
    record& facts = change_record();
    facts.known.emplace(key, content);
    if (each.kind == entry_kind::message) {
      std::uint64_t& place = facts.newest_place[each.client_message_id];
      place = std::max(place, each.at.index);
    }
    facts.add_to_sum(hasher().add(2U).add(log_id).add(each.at).add(content));
  } else if (known->second != content) {
    fail("I1: " + format_position(each.at) + " of log " + log_id + " is " + describe(each) + " " +
         where + ", and was something else before");
  }
}

// I2, for one new entry.
void world::check_order(const entry& each) {
  const auto& keys = server_->redis.keys();
  std::uint64_t before = 0;
  const std::string life = life_of(each.origin);
  for (const entry_ptr& other : keys.log->entries) {
    if (other->at >= each.at) break;
    if (other->kind == entry_kind::message && life_of(other->origin) == life)
      before = std::max(before, other->origin_seq);
  }
  if (before >= each.origin_seq) {
    fail("I2: " + describe(each) + " comes behind seq " + std::to_string(before) +
         " of the same origin");
  }
  const bool is_trimmed = before == 0 && keys.log->entries.front()->at.index > 1;
  if (is_trimmed || options_->may_forget) return;
  for (std::uint64_t seq = before + 1; seq < each.origin_seq; ++seq) {
    if (record_->passed_over.contains({life, seq})) continue;
    fail("I2: " + describe(each) + " is in the log, seq " + std::to_string(seq) +
         " before it neither is nor was answered");
  }
}

// Whoever is told that a message is a repetition takes it for safe.
void world::check_repeat(const outgoing_message& asked, position at) {
  const auto& log = server_->redis.keys().log;
  const auto is_it = [&](const entry_ptr& each) {
    return each->at == at && each->client_message_id == asked.body->client_message_id &&
           each->text == asked.body->text;
  };
  if (!log || std::ranges::none_of(log->entries, is_it))
    fail("I6: " + asked.body->client_message_id + " is said to be at " + format_position(at) +
         ", where it is not");
}

// I4, and what the log says of what is in it.
void world::check_append(const std::string& origin, const append_command& what,
                         const append_answer& heard, bool was_open, position tail_before) {
  if (!was_open || what.log.incarnation != server_->redis.incarnation())
    fail("I4: " + origin + " appended to a log that is not open in this incarnation");
  for (std::size_t i = 0; i < heard.entries.size(); ++i) {
    const entry_result result = heard.entries[i].result;
    if (result == entry_result::appended || result == entry_result::gap) continue;
    const outgoing_message& asked = what.messages.at(i);
    if (result != entry_result::conflict && !heard.entries[i].at) continue;  // nobody has it
    if (result != entry_result::conflict) check_repeat(asked, *heard.entries[i].at);
    const auto key = std::make_pair(life_of(origin), asked.seq);
    if (record_->passed_over.contains(key)) continue;
    record& facts = change_record();
    facts.passed_over.insert(key);
    facts.add_to_sum(hasher().add(3U).add(key.first).add(key.second));
  }
  const auto& entries = server_->redis.keys().log->entries;
  for (auto each = entries.rbegin(); each != entries.rend() && (*each)->at > tail_before; ++each) {
    learn_entry(what.log.log_id, **each, "in Redis");
    if ((*each)->kind == entry_kind::message) check_order(**each);
  }
}

// I5, and I1 and I2 for what the recovery left.
void world::check_commit(const commit_command& what, const recovery_fields& round,
                         position tail_before) {
  ++counts_.recoveries;
  for (const auto& [origin, text] : round.reports) {
    const auto heard = parse_report(text);
    if (!heard || heard->log_id != what.log_id || !is_further(heard->last, tail_before)) continue;
    fail("I5: committed behind " + format_position(tail_before) + ", but " + origin + " reported " +
         format_position(heard->last));
  }
  const std::uint64_t floor = server_->redis.keys().log->entries.front()->at.index;
  if (floor > record_->newest_floor) {
    record& facts = change_record();
    facts.newest_floor = floor;
    facts.add_to_sum(hasher().add(5U).add(floor));
  }
  std::uint64_t index = 0;
  for (const entry_ptr& each : server_->redis.keys().log->entries) {
    if (index > 0 && each->at.index != index + 1)
      fail("a hole in the log before " + format_position(each->at));
    index = each->at.index;
    learn_entry(what.log_id, *each, "in Redis");
    if (each->kind == entry_kind::message) check_order(*each);
  }
}

// Everything that came out of a node's machine.
void world::drain(int which) {
  model_node& node = change(which);
  if (!node.machine) return;
  log_machine& machine = *node.machine;
  for (const settlement& each : machine.take_settled()) check_settlement(which, each);
  for (const read_effect& each : machine.take_reads()) {
    if (const auto* batch = std::get_if<read_batch>(&each)) {
      check_batch(which, *batch);
    } else if (const auto* fork = std::get_if<read_fork>(&each)) {
      if (narration_ != nullptr)
        *narration_ += "      " + machine.origin() + " fork: goes on from " +
                       format_position(fork->common) + "\n";
      check_fork(which, *fork);
    } else {
      const auto& gap = std::get<read_gap>(each);
      if (narration_ != nullptr)
        *narration_ += "      " + machine.origin() + " gap " + std::to_string(gap.from) + " to " +
                       std::to_string(gap.to) + "\n";
      check_calm(machine.origin() + " has a gap");
      if (gap.from > gap.to) fail(machine.origin() + " reports a gap without extent");
      node.clients.gaps.emplace_back(gap.from, gap.to);
      node.clients.last.index = gap.to;
    }
  }
  if (!node.clients.joined_behind && machine.last_delivered().index > 0)
    node.clients.joined_behind = machine.last_delivered().index;
  node.clients.began_behind =
      std::max(node.clients.began_behind, node.clients.joined_behind.value_or(0));
  const auto events = machine.take_events();
  if (narration_ == nullptr) return;
  for (const machine_event& each : events)
    *narration_ += "      " + machine.origin() + ": " + each.text + "\n";
}

void world::check_calm(const std::string& what) {
  if (must_lose_nothing_)
    fail("patience: everybody was at rest, Redis alone has failed, and " + what);
}

void world::check_settlement(int which, const settlement& each) {
  const model_node& node = this->node(which);
  record& facts = change_record();
  const auto is_it = [&](const sent_message& sent) {
    return sent.life == node.life && sent.seq == each.seq;
  };
  const auto sent = std::ranges::find_if(facts.sent, is_it);
  if (sent == facts.sent.end()) {
    fail(node.machine->origin() + " answers for seq " + std::to_string(each.seq) +
         ", which nobody sent");
    return;
  }
  using fate = sent_message::fate;
  if (sent->is != fate::accepted) fail("a second answer for " + name_of(*sent, facts));
  if (each.outcome.status == append_status::refused) {
    sent->is = fate::refused;
  } else if (each.outcome.status == append_status::appended) {
    sent->is = fate::appended;
    const position at = each.outcome.at;
    const bool is_placeholder = at.index == node.machine->floor();
    if (!is_placeholder &&
        !facts.known.contains({node.machine->identity().log_id, at.epoch, at.index}))
      fail(name_of(*sent, facts) + " was answered as appended at " + format_position(at) +
           ", where nothing ever was");
  }
  facts.add_to_sum(
      hasher().add(4U).add(sent->life).add(sent->seq).add(static_cast<std::uint64_t>(sent->is)));
}

// I3
void world::check_batch(int which, const read_batch& batch) {
  for (const entry_ptr& each : batch.messages) {
    learn_entry(node(which).machine->identity().log_id, *each, "for a reader");
    check_delivery(which, *each);
  }
}

void world::check_delivery(int which, const entry& each) {
  audience& clients = change(which).clients;
  const std::string who = node(which).machine->origin();
  if (each.at <= clients.last || each.at.index <= clients.last.index)
    fail("I3: " + who + " delivers " + describe(each) + " behind " + format_position(clients.last));
  clients.last = each.at;
  const auto identity = identity_of(each);
  if (!identity) {
    fail(who + " delivers a message that nobody sent: " + describe(each));
    return;
  }
  bool was_delivered = false, was_there = false;
  for (const audience::delivery& other : clients.got) {
    if (other.identity != *identity) continue;
    // What the log has forgotten may be sent again, and is a new message.
    was_delivered = was_delivered || other.at.index >= record_->newest_floor;
    was_there = was_there || other.at == each.earlier;
  }
  // From before the first of these clients came: they count as having seen it.
  was_there = was_there || (each.earlier && each.earlier->index <= clients.began_behind);
  if (each.earlier && !was_there)
    fail("I3: " + who + " says that clients know " + describe(each) + ", but they do not");
  if (was_delivered && !each.earlier) fail("I3: " + who + " delivers again: " + describe(each));
  clients.got.push_back({*identity, each.at});
  clients.branch.push_back({*identity, each.at});
}

void world::check_fork(int which, const read_fork& fork) {
  audience& clients = change(which).clients;
  const std::string who = node(which).machine->origin();
  ++counts_.forks;
  check_calm(who + " is on a fork");
  std::size_t lost = 0;
  while (!clients.branch.empty() && clients.branch.back().at.index > fork.common.index) {
    const position at = clients.branch.back().at;
    if (at < fork.from || at > fork.to)
      fail("the fork that " + who + " reports does not name " + format_position(at));
    clients.branch.pop_back();
    ++lost;
  }
  // More: what was read back at the start was never delivered.
  if (lost > fork.messages && !options_->may_forget)
    fail("the fork that " + who + " reports has " + std::to_string(fork.messages) +
         " messages, its clients lost " + std::to_string(lost));
  if (fork.common.index > clients.last.index && clients.last.index > 0 && lost > 0)
    fail("the fork that " + who + " reports begins behind what it delivered");
  clients.last = fork.common;
  if (clients.joined_behind)
    clients.joined_behind = std::min(*clients.joined_behind, fork.common.index);
  if (fork.common.index == 0) clients.joined_behind.reset();  // another log: it begins anew
}

// I6
void world::check_nothing_lost() {
  if (!violation_.empty() || options_->may_forget) return;
  std::optional<identity_set> held;
  for (const sent_message& sent : record_->sent) {
    if (sent.is == sent_message::fate::refused) continue;
    const model_node* origin = nullptr;
    for (const auto& node : nodes_) {
      if (node->machine && node->life == sent.life) origin = node.get();
    }
    if (origin == nullptr || has_message(origin->machine->own_messages(), sent.seq)) continue;
    if (!held) {
      held.emplace();
      const auto take = [&held](const entry& each) {
        if (const auto identity = identity_of(each)) held->set(*identity % identities_max);
      };
      if (server_->redis.keys().log) {
        for (const entry_ptr& each : server_->redis.keys().log->entries) take(*each);
      }
      for (const auto& node : nodes_) {
        if (!node->machine) continue;
        const replay_buffer& replay = node->machine->replay();
        for (std::uint64_t index = replay.low(); index < replay.end(); ++index)
          take(*replay.at(index));
      }
    }
    if (held->test(sent.identity % identities_max) || record_->is_trimmed(sent.identity) ||
        record_->passed_over.contains({record_->lives[sent.life], sent.seq}))
      continue;
    fail("I6: " + name_of(sent, *record_) + " is in no outbox, not in the log, and held by nobody");
  }
}

}  // namespace ordeal::chat::model
