#include "tests/integration/chat/log/script_runner.h"

#include "reference-server/log/attach.h"
#include "reference-server/log/scripts.h"

namespace ordeal::test {

namespace scripts = chat::scripts;

net::redis::reply script_runner::redis(const words& command) {
  const std::vector<std::string_view> views(command.begin(), command.end());
  return server_.command(views);
}

net::redis::reply script_runner::run(std::string_view script, const words& keys,
                                     const words& arguments) {
  words all{"EVAL", std::string(script), std::to_string(keys.size())};
  all.insert(all.end(), keys.begin(), keys.end());
  all.insert(all.end(), arguments.begin(), arguments.end());
  return redis(all);
}

std::string script_runner::line(net::redis::reply_view answer) {
  if (answer.is_nil()) return "-";
  if (answer.is_integer()) return std::to_string(answer.integer());
  if (!answer.is_array()) return std::string(answer.text());
  std::string result;
  for (std::size_t i = 0; i < answer.size(); ++i) {
    if (i > 0) result += ',';
    const std::string each = line(answer[i]);
    result += answer[i].is_array() ? '[' + each + ']' : each;
  }
  return result;
}

std::string script_runner::life() {
  return chat::parse_server_facts(redis({"INFO", "replication"})->text()).incarnation;
}

void script_runner::restart() {
  server_.kill();
  server_.start();
}

std::string script_runner::ids() {
  const auto found = redis({"XRANGE", "log", "-", "+"});
  std::string result;
  for (std::size_t i = 0; i < found->size(); ++i)
    result += (i > 0 ? "," : "") + std::string(found.view()[i][0].text());
  return result;
}

script_runner::append_words script_runner::to_append(std::string origin) {
  append_words result;
  result.life = life();
  result.origin = std::move(origin);
  return result;
}

std::string script_runner::append(const append_words& how, const std::vector<message>& messages) {
  words arguments{how.log_id,         how.epoch, how.life, how.origin,  how.retained,
                  how.retained_bytes, how.after, how.beat, how.after_id};
  for (const message& each : messages) {
    const std::string kind = each.seq == "0" ? "h" : "m";
    arguments.insert(arguments.end(), {kind, each.seq, "room", each.id, each.text});
  }
  const auto answer =
      run(scripts::append, {"meta", "seq", "req", "log", "epochs", "heard", "beats"}, arguments);
  const auto view = answer.view();
  if (view.size() < 5) return line(view);
  // Without what is counted: tests of that look at meta.
  std::string result = line(view[0]);
  for (std::size_t i = 1; i < view.size(); ++i) {
    if (i != 3 && i != 4) result += ',' + line(view[i]);
  }
  return result;
}

std::string script_runner::convene(const words& found, std::string round) {
  words arguments = found;
  arguments.push_back(std::move(round));
  return line(run(scripts::convene, {"meta", "recovery", "log"}, arguments).view());
}

std::string script_runner::report(std::string origin, std::string text, std::string round) {
  return line(run(scripts::report, {"meta", "recovery"}, {round, origin, text}).view());
}

script_runner::claim script_runner::a_claim() {
  claim result;
  result.life = life();
  return result;
}

std::string script_runner::truncate(const claim& by, std::string keep, std::string count_max) {
  const words arguments{by.round, by.origin, by.life, by.reports, keep, count_max};
  return line(run(scripts::truncate, {"meta", "recovery", "log", "req", "epochs", "seq"}, arguments)
                  .view());
}

std::string script_runner::restore(const claim& by, std::string tail,
                                   const std::vector<stored>& entries) {
  words arguments{by.round, by.origin, by.life, by.reports, tail};
  for (const stored& each : entries) {
    arguments.insert(arguments.end(), {each.id, each.kind, each.origin, each.seq, "room",
                                       each.client_id, each.text});
  }
  return line(
      run(scripts::restore, {"meta", "recovery", "log", "req", "epochs", "seq"}, arguments).view());
}

std::string script_runner::commit(const claim& by, const commit_words& how) {
  words arguments{
      by.round,   by.origin, by.life,     by.reports,   how.tail,
      how.log_id, how.epoch, how.barrier, how.replaces, std::to_string(how.epochs.size() / 2)};
  arguments.insert(arguments.end(), how.epochs.begin(), how.epochs.end());
  arguments.insert(arguments.end(), how.marks.begin(), how.marks.end());
  return line(
      run(scripts::commit, {"meta", "epochs", "seq", "req", "log", "recovery"}, arguments).view());
}

void script_runner::make_log() {
  ASSERT_EQ(convene({"", "", "", "", ""}), "1");
  ASSERT_EQ(commit(a_claim(), commit_words()), "0");
  ASSERT_EQ(ids(), "1-1");
}

void script_runner::make_round() {
  const auto meta = redis({"HMGET", "meta", "log_id", "epoch", "state", "incarnation"});
  words found;
  for (std::size_t i = 0; i < 4; ++i) found.emplace_back(meta.view()[i].text());
  found.emplace_back("");
  ASSERT_EQ(convene(found), "1");
}

}  // namespace ordeal::test
