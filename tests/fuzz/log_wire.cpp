// What Redis answers to the log's scripts and reads: an error and nothing else, or entries that are ours; and the
// decision about an attach is a reasoned one.
#include "reference-server/log/log_wire.h"
#include "net/redis/reply_reader.h"
#include "reference-server/log/entry_codec.h"
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

void expect_ours(const entry_ptr& each) {
  ORDEAL_ASSERT(each != nullptr && is_same_entry(*each, *each));
  ORDEAL_ASSERT(entry_bytes(*each) >= each->text.size());
  ORDEAL_ASSERT(parse_position(format_position(each->at)) == each->at);
}

void expect_whole(const read_answer& answer) {
  if (answer.error.is_set()) ORDEAL_ASSERT(answer.entries.empty());
  for (const entry_ptr& each : answer.entries) expect_ours(each);
}

void try_append(const reply& answered, bool has_beat) {
  const append_answer answer = log_wire::parse_append(answered.view(), 7, has_beat);
  if (answer.error.is_set()) ORDEAL_ASSERT(!answer.is_stale);
  if (answer.is_stale) ORDEAL_ASSERT(answer.entries.empty());
  const std::size_t head = has_beat ? 4 : 3;
  if (!answer.error.is_set() && !answer.is_stale) {
    ORDEAL_ASSERT(answer.entries.size() + head == answered->size());
  }
}

void try_attach(const std::vector<reply>& replies) {
  const attach_answer answer = log_wire::parse_attach(replies);
  if (answer.error.is_set()) return;
  log_history nothing_read;
  log_history all_read;
  all_read.log_id = answer.log.log_id;
  all_read.last = answer.log.held;
  for (const log_history& mine : {nothing_read, all_read}) {
    const attach_decision decision = decide_attach(answer.server, answer.log, mine, true);
    const bool is_reasoned =
        decision.step == attach_step::wait || decision.step == attach_step::refuse;
    ORDEAL_ASSERT(is_reasoned == !decision.reason.empty());
  }
}

}  // namespace
}  // namespace ordeal::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace ordeal::fuzz;
  const std::string_view text = text_of(bytes, size);
  try_positions(text);
  const std::vector<reply> replies = replies_in(text);
  // As many replies as the request had commands: the connection sees to that.
  for (const reply& each : replies) {
    try_append(each, false);
    try_append(each, true);
  }
  if (!replies.empty()) expect_whole(log_wire::parse_meta(replies));
  if (replies.size() == 2) {
    expect_whole(log_wire::parse_read(replies));
    expect_whole(log_wire::parse_range(replies));
  }
  if (replies.size() == 5) try_attach(replies);
  return 0;
}
