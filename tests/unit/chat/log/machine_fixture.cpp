#include "tests/unit/chat/log/machine_fixture.h"

namespace ordeal::test {

using namespace chat;

namespace {

std::string joined(const texts& words, const char* separator) {
  std::string result;
  for (std::size_t i = 0; i < words.size(); ++i) result += (i > 0 ? separator : "") + words[i];
  return result;
}

std::string number(std::uint64_t value) {
  return std::to_string(value);
}

struct in_words {
  std::string operator()(const attach_command& what) const {
    return "attach" + (what.last_read ? " behind " + format_position(*what.last_read) : "");
  }
  std::string operator()(const append_command& what) const {
    std::string text = "append " + what.log.log_id + '/' + number(what.log.epoch) + '/' +
                       what.log.incarnation + " after " + number(what.after_seq) +
                       (what.after_id.empty() ? "" : ':' + what.after_id) + ':';
    if (const auto beat = parse_beat(what.beat))
      text += " beat behind " + format_position(beat->read) + " low " + number(beat->low);
    for (const outgoing_message& each : what.messages) text += ' ' + number(each.seq);
    return text;
  }
  std::string operator()(const convene_command& what) const {
    return "convene from " + joined({what.log_id, what.epoch.empty() ? "0" : what.epoch, what.state,
                                     what.incarnation, what.old_round},
                                    "/");
  }
  std::string operator()(const report_command& what) const {
    return "report to " + what.round +
           (what.last_read ? " behind " + format_position(*what.last_read) : "") + ": " +
           what.report;
  }
  std::string operator()(const truncate_command& what) const {
    return "truncate to " + format_position(what.keep);
  }
  std::string operator()(const restore_command& what) const {
    std::string text = "restore behind " + format_position(what.tail) + ':';
    for (const entry_ptr& each : what.entries) text += ' ' + format_position(each->at);
    return text;
  }
  std::string operator()(const commit_command& what) const {
    texts marks;
    for (const auto& [origin, seq] : what.marks) marks.push_back(origin + '=' + number(seq));
    return "commit " + what.log_id + '/' + number(term_of(what.epoch)) + " behind " +
           format_position(what.tail) + " marks{" + joined(marks, ",") + '}' +
           (what.replaces_marks ? " replacing" : "");
  }
};

}  // namespace

machine_options machine_fixture::small_options() {
  machine_options options;
  options.origin = "me";
  options.batch_entries_max = 3;
  options.restore_entries_max = 3;
  options.boot_looks = 2;
  options.grace_looks = 4;
  options.stall_looks = 6;
  options.silent_beats_max = 2;
  options.member_beats_max = 5;
  return options;
}

std::string machine_fixture::words_of(const command& what) {
  return std::visit(in_words(), what);
}

std::string machine_fixture::next() {
  if (!machine_.has_command()) return "";
  const command what = machine_.next_command();
  if (const auto* attach = std::get_if<attach_command>(&what)) asked_ = attach->last_read;
  if (const auto* report = std::get_if<report_command>(&what)) asked_ = report->last_read;
  return words_of(what);
}

machine_fixture::fake_redis machine_fixture::empty_redis(std::string life) {
  fake_redis result;
  result.life = std::move(life);
  result.has_meta = result.has_all_keys = false;
  result.log_id.clear();
  result.state.clear();
  result.incarnation.clear();
  result.epoch = 0;
  return result;
}

attach_answer machine_fixture::attached() const {
  attach_answer result;
  result.server.incarnation = redis_.life;
  result.server.is_replica = redis_.is_replica;
  result.server.memory = redis_.memory;
  log_facts& log = result.log;
  log.has_meta = redis_.has_meta;
  log.has_all_keys = redis_.has_all_keys;
  log.log_id = redis_.log_id;
  log.epoch = redis_.epoch;
  if (redis_.epoch > 0) log.epoch_text = std::to_string(redis_.epoch);
  log.state = redis_.state;
  log.incarnation = redis_.incarnation;
  log.chain = redis_.chain;
  log.own_seq = redis_.own_seq;
  log.round = redis_.round;
  if (redis_.stream.empty()) return result;
  log.first = redis_.stream.front();
  log.tail = redis_.stream.back();
  log.floor = redis_.has_meta ? log.first->at.index : 0;
  log.top = redis_.has_meta ? log.tail->at.index : 0;
  for (const entry_ptr& each : redis_.stream) {
    if (each->at == asked_) log.held = each;
  }
  return result;
}

report_answer machine_fixture::reported(std::map<std::string, std::string> reports,
                                        std::string owner, std::uint64_t progress) const {
  const attach_answer found = attached();
  report_answer result;
  result.server = found.server;
  result.log = found.log;
  result.owner = std::move(owner);
  result.progress = progress;
  result.reports = std::move(reports);
  return result;
}

append_answer machine_fixture::appended(std::uint64_t top, std::vector<std::uint64_t> indexes,
                                        std::uint64_t epoch) {
  append_answer result;
  result.top = top;
  result.floor = 1;
  for (const std::uint64_t index : indexes) {
    entry_reply reply;
    reply.at = position{epoch, index};
    result.entries.push_back(reply);
  }
  return result;
}

entry_reply machine_fixture::gap(std::uint64_t last_seq) {
  entry_reply result;
  result.result = entry_result::gap;
  result.last_seq = last_seq;
  return result;
}

append_answer machine_fixture::stale_append() {
  append_answer result;
  result.is_stale = true;
  return result;
}

repair_answer machine_fixture::repaired(bool is_complete) {
  repair_answer result;
  result.is_complete = is_complete;
  return result;
}

repair_answer machine_fixture::stale_repair() {
  repair_answer result;
  result.is_stale = true;
  result.is_complete = false;
  return result;
}

wire_error machine_fixture::error(net::redis::reply_class kind, std::string text) {
  wire_error result;
  result.kind = kind;
  result.text = std::move(text);
  return result;
}

bool machine_fixture::read(std::vector<entry_ptr> entries, std::vector<read_beat> beats) {
  read_answer heard;
  heard.log_id = redis_.log_id;
  heard.state = redis_.state;
  heard.incarnation = redis_.incarnation;
  heard.entries = std::move(entries);
  heard.beats = std::move(beats);
  return machine_.on_read(heard);
}

void machine_fixture::fill_stream(std::uint64_t top) {
  redis_.stream = {make_barrier({1, 1})};
  redis_.chain = make_chain({{1, 1}});
  for (std::uint64_t index = 2; index <= top; ++index)
    redis_.stream.push_back(make_message({1, index}, "b", index - 1));
}

void machine_fixture::open() {
  machine_.on_connected();
  EXPECT_EQ(next(), "attach");
  hear(attached());
  EXPECT_TRUE(machine_.is_reading());
  EXPECT_TRUE(read(redis_.stream));
  EXPECT_EQ(effects(), texts{}) << "what was there before is read back, not delivered";
  const std::string first_beat = next();
  EXPECT_TRUE(first_beat.starts_with("append ")) << first_beat;
  hear(appended(redis_.stream.back()->at.index, {}));
  events();
}

read_beat machine_fixture::beat(std::uint64_t number, std::string origin, std::string text) const {
  return {{machine_.identity().epoch, number},
          std::move(origin),
          machine_.last_read().index,
          std::move(text)};
}

void machine_fixture::beat_of(std::string origin, std::uint64_t number, position read_to,
                              std::uint64_t low) {
  beat_text text;
  text.number = number;
  text.read = read_to;
  text.low = low;
  EXPECT_TRUE(read({}, {beat(number, std::move(origin), format_beat(text))}));
}

void machine_fixture::own_beat(std::uint64_t number) {
  machine_.beat_due();
  const command what = machine_.next_command();
  const std::string text = std::get<append_command>(what).beat;
  hear(appended(machine_.top(), {}));
  EXPECT_TRUE(read({}, {beat(number, "me", text)}));
}

texts machine_fixture::effects() {
  texts result;
  for (const read_effect& each : machine_.take_reads()) {
    if (const auto* batch = std::get_if<read_batch>(&each)) {
      EXPECT_FALSE(batch->messages.empty());
      for (const entry_ptr& one : batch->messages) {
        const std::string was = one->earlier ? "(was " + format_position(*one->earlier) + ")" : "";
        result.push_back(one->client_message_id + '@' + format_position(one->at) + was);
      }
    } else if (const auto* gap = std::get_if<read_gap>(&each)) {
      result.push_back("gap " + number(gap->from) + '-' + number(gap->to));
    } else {
      const auto& fork = std::get<read_fork>(each);
      result.push_back("fork " + format_position(fork.common) + ": " + format_position(fork.from) +
                       ".." + format_position(fork.to) + ", " + number(fork.messages) +
                       " messages");
    }
  }
  return result;
}

texts machine_fixture::settled() {
  texts result;
  for (const settlement& each : machine_.take_settled()) {
    static const std::map<append_status, std::string> words{{append_status::accepted, " accepted"},
                                                            {append_status::refused, " refused"},
                                                            {append_status::retry_later, " later"}};
    const bool is_in = each.outcome.status == append_status::appended;
    result.push_back(number(each.seq) +
                     (is_in ? '@' + number(each.outcome.at.index) : words.at(each.outcome.status)));
  }
  return result;
}

texts machine_fixture::events() {
  static const char* const words[] = {"attached",  "convened", "repairing", "created", "committed",
                                      "recovered", "forked",   "gap",       "renamed", "warned"};
  texts result;
  for (const machine_event& each : machine_.take_events())
    result.emplace_back(words[static_cast<std::size_t>(each.kind)]);
  return result;
}

void machine_fixture::play(const script& steps, std::size_t from) {
  for (std::size_t i = from; i < steps.size(); ++i) {
    const bool is_again =
        i == from && !steps[i].says_again.empty() && machine_.last_delivered().index > 0;
    ASSERT_EQ(next(), is_again ? steps[i].says_again : steps[i].says) << "step " << i;
    hear(steps[i].hears());
  }
}

void machine_fixture::play_broken(const script& steps, std::size_t broken, std::size_t resume) {
  const fake_redis start_redis = redis_;
  for (std::size_t i = 0; i < broken; ++i) {
    ASSERT_EQ(next(), steps[i].says) << "step " << i;
    hear(steps[i].hears());
  }
  ASSERT_EQ(next(), steps[broken].says);
  machine_.on_connection_lost();
  EXPECT_EQ(machine_.state(), log_state::connecting);
  EXPECT_FALSE(machine_.has_command());
  EXPECT_FALSE(machine_.is_reading());
  if (resume == 0) redis_ = start_redis;
  machine_.on_connected();
  play(steps, resume);
  EXPECT_EQ(machine_.state(), log_state::open);
}

void machine_fixture::play_and_break_everywhere(const script& steps) {
  const log_machine start = machine_;
  const fake_redis start_redis = redis_;
  for (std::size_t broken = 0; broken < steps.size(); ++broken) {
    for (const std::size_t resume : steps[broken].resumes) {
      SCOPED_TRACE("connection lost at step " + number(broken) + ", resumed at " + number(resume));
      machine_ = start;
      redis_ = start_redis;
      ASSERT_NO_FATAL_FAILURE(play_broken(steps, broken, resume));
    }
  }
  machine_ = start;
  redis_ = start_redis;
  ASSERT_NO_FATAL_FAILURE(play(steps));
  EXPECT_EQ(machine_.state(), log_state::open);
}

}  // namespace ordeal::test
