// What Redis answers to the log's scripts and reads, and what other nodes report and beat: an error
// and nothing else, or values that are ours; and the decisions made of them are reasoned ones.
#include "reference-server/log/log_wire.h"

#include "net/redis/reply_reader.h"
#include "reference-server/log/attach.h"
#include "reference-server/log/entry_codec.h"
#include "reference-server/log/holders.h"
#include "reference-server/log/recovery.h"
#include "tests/fuzz/target.h"

namespace ordeal::fuzz {
namespace {

using namespace ordeal::chat;
using net::redis::reply;

std::vector<reply> replies_in(std::string_view text) {
  net::redis::reply_reader reader;
  reader.feed(text);
  std::vector<reply> found;
  while (auto next = reader.take()) found.push_back(std::move(*next));
  return found;
}

void try_positions(std::string_view text) {
  if (const auto at = parse_position(text)) {
    ORDEAL_ASSERT(parse_position(format_position(*at)) == *at);
  }
  if (const auto found = parse_cursor(text)) {
    const auto again = parse_cursor(format_cursor(found->log_id, found->at));
    ORDEAL_ASSERT(again && again->log_id == found->log_id && again->at == found->at);
  }
}

void try_words_of_others(std::string_view text) {
  if (const auto beat = parse_beat(text)) {
    const auto again = parse_beat(format_beat(*beat));
    ORDEAL_ASSERT(again && again->number == beat->number && again->read == beat->read &&
                  again->low == beat->low);
  }
  if (const auto found = parse_report(text)) {
    const auto again = parse_report(format_report(*found));
    ORDEAL_ASSERT(again && again->last == found->last && again->members == found->members);
    ORDEAL_ASSERT(again->marks == found->marks);
    const reports_by_origin reports{{"a", *found}, {"b", report()}};
    patience all;
    all.is_grace_over = all.is_boot_over = true;
    ORDEAL_ASSERT(choose_actor(reports, all).actor == "a");
  }
}

void expect_ours(const entry_ptr& each) {
  ORDEAL_ASSERT(each != nullptr && is_same_entry(*each, *each));
  ORDEAL_ASSERT(entry_bytes(*each) >= each->text.size());
  ORDEAL_ASSERT(parse_position(format_position(each->at)) == each->at);
}

void expect_whole(const log_wire::read_result& result) {
  if (result.error.is_set()) ORDEAL_ASSERT(result.answer.entries.empty());
  for (const entry_ptr& each : result.answer.entries) expect_ours(each);
}

// Copies of one reply, because a reply is owned by who parses it.
std::vector<reply> only(std::string_view text, std::size_t place) {
  std::vector<reply> all = replies_in(text);
  std::vector<reply> result;
  result.push_back(std::move(all[place]));
  return result;
}

void try_append(log_wire& wire, std::string_view text, std::size_t place, std::string beat) {
  append_command asked;
  asked.log.epoch = 7;
  asked.beat = std::move(beat);
  const std::vector<reply> heard = only(text, place);
  const answer found = wire.parse(asked, heard);
  const auto* appended = std::get_if<append_answer>(&found);
  ORDEAL_ASSERT(appended != nullptr || std::get<wire_error>(found).is_set());
  if (appended == nullptr) return;
  if (appended->is_stale) ORDEAL_ASSERT(appended->entries.empty());
  constexpr std::size_t head = 5;
  if (!appended->is_stale) ORDEAL_ASSERT(appended->entries.size() + head == heard[0]->size());
}

void try_small_answers(log_wire& wire, std::string_view text, std::size_t place) {
  const answer convened = wire.parse(convene_command(), only(text, place));
  ORDEAL_ASSERT(std::holds_alternative<convene_answer>(convened) ||
                std::get<wire_error>(convened).is_set());
  for (const command& asked :
       {command(truncate_command()), command(restore_command()), command(commit_command())}) {
    const answer found = wire.parse(asked, only(text, place));
    const auto* repaired = std::get_if<repair_answer>(&found);
    ORDEAL_ASSERT(repaired != nullptr || std::get<wire_error>(found).is_set());
    if (repaired != nullptr && repaired->is_stale) ORDEAL_ASSERT(!repaired->is_complete);
  }
}

void try_decisions(const server_facts& server, const log_facts& log) {
  log_history nothing_read;
  log_history all_read;
  all_read.log_id = log.log_id;
  all_read.entry = log.held;
  all_read.chain = log.chain;
  if (log.held) all_read.last = log.held->at;
  for (const log_history& mine : {nothing_read, all_read}) {
    const attach_decision decision = decide_attach(server, log, mine);
    const bool is_plain =
        decision.step == attach_step::open || decision.step == attach_step::gather;
    ORDEAL_ASSERT(is_plain == decision.reason.empty());
    if (decision.step == attach_step::open) ORDEAL_ASSERT(log.has_meta && log.tail != nullptr);
  }
}

void try_facts(log_wire& wire, const std::vector<reply>& heard) {
  const answer attached = wire.parse(attach_command(), heard);
  const auto* facts = std::get_if<attach_answer>(&attached);
  ORDEAL_ASSERT(facts != nullptr || std::get<wire_error>(attached).is_set());
  if (facts != nullptr) try_decisions(facts->server, facts->log);
  const answer reported = wire.parse(report_command(), heard);
  const auto* report = std::get_if<report_answer>(&reported);
  ORDEAL_ASSERT(report != nullptr || std::get<wire_error>(reported).is_set());
  if (report != nullptr && report->is_stale)
    ORDEAL_ASSERT(report->reports.empty() && report->owner.empty());
}

}  // namespace
}  // namespace ordeal::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace ordeal::fuzz;
  const std::string_view text = text_of(bytes, size);
  try_positions(text);
  try_words_of_others(text);
  const std::vector<reply> replies = replies_in(text);
  log_wire wire("chat", "me", 1'000);
  // As many replies as the request had commands: the connection sees to that.
  for (std::size_t place = 0; place < replies.size(); ++place) {
    try_append(wire, text, place, "");
    try_append(wire, text, place, "beat");
    try_small_answers(wire, text, place);
  }
  if (replies.size() == 2) {
    expect_whole(wire.parse_read(replies));
    expect_whole(log_wire::parse_range(replies));
  }
  if (replies.size() == 4) {
    const auto found = log_wire::parse_facts(replies);
    if (!found.error.is_set()) try_decisions(found.server, found.log);
  }
  if (replies.size() == 5) try_facts(wire, replies);
  return 0;
}
