// A real server and the model of it, side by side: every command goes to both, and what they say must be the same.
#pragma once

#include <gtest/gtest.h>

#include <boost/asio/use_awaitable.hpp>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "reference-server/log/attach.h"
#include "reference-server/log/entry_codec.h"
#include "reference-server/log/log_wire.h"
#include "tests/model/redis_model.h"
#include "tests/model/step.h"
#include "tests/support/redis_server.h"
#include "tests/support/run_coro.h"

namespace ordeal::chat::model {

inline std::string text_of(const key_space& keys) {
  std::string text;
  const auto line = [&text](const std::string& key, const std::string& field,
                            const std::string& value) {
    text += key + " " + field + " = " + value + "\n";
  };
  if (keys.meta) {
    line("meta", "log_id", keys.meta->log_id);
    line("meta", "epoch", std::to_string(keys.meta->epoch));
    line("meta", "state", keys.meta->state);
    line("meta", "incarnation", keys.meta->incarnation);
    line("meta", "top", std::to_string(keys.meta->top));
    line("meta", "floor", std::to_string(keys.meta->floor));
    line("meta", "beats", std::to_string(keys.meta->beats));
    if (keys.meta->counted) {
      line("meta", "bytes", std::to_string(keys.meta->bytes));
      line("meta", "counted", format_position(*keys.meta->counted));
    }
  }
  if (keys.epochs) {
    for (const auto& [epoch, first] : *keys.epochs)
      line("epochs", std::to_string(epoch), std::to_string(first));
  }
  if (keys.seq) {
    for (const auto& [origin, seq] : *keys.seq) line("seq", origin, std::to_string(seq));
  }
  if (keys.req) {
    for (const auto& [id, at] : *keys.req) line("req", id, at ? format_position(*at) : "");
  }
  if (keys.heard) {
    for (const auto& [origin, index] : *keys.heard) line("heard", origin, std::to_string(index));
  }
  if (keys.log) {
    line("log", "last id", format_position(keys.log->last_id));
    for (const entry_ptr& each : keys.log->entries) line("log", "entry", describe(*each));
  }
  if (!keys.recovery) return text;
  line("recovery", "round", keys.recovery->round);
  line("recovery", "owner", keys.recovery->owner);
  line("recovery", "progress", std::to_string(keys.recovery->progress));
  for (const auto& [origin, report] : keys.recovery->reports) line("recovery", origin, report);
  return text;
}

class two_redis {
 public:
  explicit two_redis(std::size_t retained_entries)
      : retained_entries_(retained_entries), model_(options_for(retained_entries)) {
    net::redis::open_result opened;
    test::run_coro(io_, open(server_.connection(), opened));
    connection_ = std::move(opened.opened);
    learn_incarnation();
  }

  redis_model& model() { return model_; }

  answer execute(const std::string& origin, const command& what) {
    log_wire& wire = wire_of(origin);
    const answer real = wire.parse(what, exec(wire.make(what)));
    const answer modelled = model_.execute(origin, what);
    // Errors: Redis' words differ from version to version.
    const bool are_errors =
        std::holds_alternative<wire_error>(real) && std::holds_alternative<wire_error>(modelled);
    if (!are_errors) {
      EXPECT_EQ(describe(real), describe(modelled)) << origin << ": " << describe(what);
    }
    return modelled;
  }

  read_answer read(const std::string& origin, const read_command& what) {
    const auto real =
        wire_of(origin).parse_read(exec(wire_of(origin).read(what, std::chrono::milliseconds(1))));
    read_answer modelled = model_.read(what);
    EXPECT_EQ(describe(real.answer), describe(modelled))
        << "read after " << format_position(what.after);
    return modelled;
  }

  // Out of memory, or not.
  void set_full(bool is_full) {
    model_.set_full(is_full);
    net::redis::request what;
    what.add({"CONFIG", "SET", "maxmemory", is_full ? "1" : "0"});
    exec(what);
  }
  void save() {
    set_full(false);
    saved_ = model_.keys();
    net::redis::request what;
    for (int i = 0; i < log_key_count; ++i) {
      const std::string key = key_name(i);
      what.add({"DEL", "saved:" + key}).add({"COPY", key, "saved:" + key});
    }
    exec(what);
  }
  void roll_back() {
    set_full(false);
    model_.restore_snapshot(saved_);
    net::redis::request what;
    for (int i = 0; i < log_key_count; ++i) {
      const std::string key = key_name(i);
      what.add({"DEL", key}).add({"COPY", "saved:" + key, key});
    }
    exec(what);
  }
  void lose(int key) {
    model_.lose(static_cast<log_key>(key));
    net::redis::request what;
    what.add({"DEL", key_name(key)});
    exec(what);
  }
  void raise_last_id(position to) {
    if (!model_.has(log_key::log) || model_.keys().log->last_id >= to) return;
    set_full(false);
    model_.raise_last_id(to);
    const std::string key = key_name(static_cast<int>(log_key::log));
    const std::string id = format_position(to);
    net::redis::request what;
    what.add({"XADD", key, id, "a", "b"}).add({"XDEL", key, id});
    exec(what);
  }
  // Somebody raised the watermark of an origin.
  void miscount(const std::string& origin, std::uint64_t by) {
    if (!model_.has(log_key::seq)) return;
    set_full(false);
    model_.miscount(origin, by);
    const std::string key = key_name(static_cast<int>(log_key::seq));
    const std::string count = std::to_string(by);
    net::redis::request what;
    what.add({"HINCRBY", key, origin, count});
    exec(what);
  }
  // The count of what the log holds.
  void lose_count() {
    model_.lose_count();
    const std::string key = key_name(static_cast<int>(log_key::meta));
    net::redis::request what;
    what.add({"HDEL", key, "bytes", "counted"});
    exec(what);
  }
  void trim_by_hand(std::size_t left) {
    model_.trim_by_hand(left);
    const std::string key = key_name(static_cast<int>(log_key::log));
    const std::string count = std::to_string(left);
    net::redis::request what;
    what.add({"XTRIM", key, "MAXLEN", "=", count});
    exec(what);
  }
  void wipe() {
    for (int i = 0; i < log_key_count; ++i) lose(i);
  }
  // A promotion gives another replication id.
  void promote() {
    net::redis::request what;
    what.add({"REPLICAOF", "127.0.0.1", "1"}).add({"REPLICAOF", "NO", "ONE"});
    exec(what);
    learn_incarnation();
  }

  void compare_keys() { EXPECT_EQ(real_keys(), text_of(model_.keys())); }

 private:
  static redis_options options_for(std::size_t retained_entries) {
    redis_options options;
    options.retained_entries = retained_entries;
    return options;
  }
  static asio::awaitable<void> open(net::redis::connection_options options,
                                    net::redis::open_result& result) {
    result = co_await net::redis::connect(std::move(options));
  }
  static asio::awaitable<void> exec_into(net::redis::connection& over,
                                         const net::redis::request& what,
                                         net::redis::exec_result& result) {
    result = co_await over.exec(what, std::chrono::seconds(5));
  }
  std::vector<net::redis::reply> exec(const net::redis::request& what) {
    net::redis::exec_result result;
    test::run_coro(io_, exec_into(*connection_, what, result));
    EXPECT_FALSE(result.ec) << result.ec.message();
    return std::move(result.replies);
  }

  log_wire& wire_of(const std::string& origin) {
    const auto known = wires_.find(origin);
    if (known != wires_.end()) return known->second;
    log_wire& wire = wires_.try_emplace(origin, "model", origin, retained_entries_).first->second;
    // The first attach gives the digest of the append script.
    const command attach = attach_command();
    wire.parse(attach, exec(wire.make(attach)));
    return wire;
  }

  void learn_incarnation() {
    net::redis::request what;
    what.add({"INFO", "replication"});
    model_.set_incarnation(parse_server_facts(exec(what).at(0)->text()).incarnation);
  }

  static std::string key_name(int key) {
    return std::string("{model}:") + name_of(static_cast<log_key>(key));
  }

  std::map<std::string, std::string> hash_of(log_key key, bool& exists) {
    net::redis::request what;
    what.add({"HGETALL", key_name(static_cast<int>(key))});
    const auto replies = exec(what);
    std::map<std::string, std::string> result;
    for (std::size_t i = 0; i + 1 < replies[0]->size(); i += 2)
      result.emplace(replies[0].view()[i].text(), replies[0].view()[i + 1].text());
    exists = !result.empty();
    return result;
  }

  std::string real_keys() {
    key_space keys;
    bool exists = false;
    const auto number = [](const std::string& text) { return parse_number(text).value_or(0); };
    auto meta = hash_of(log_key::meta, exists);
    if (exists)
      keys.meta = meta_fields{meta["log_id"],        number(meta["epoch"]),
                              meta["state"],         meta["incarnation"],
                              number(meta["top"]),   number(meta["floor"]),
                              number(meta["bytes"]), parse_position(meta["counted"]),
                              number(meta["beats"])};
    for (const auto& [epoch, first] : hash_of(log_key::epochs, exists)) {
      if (!keys.epochs) keys.epochs.emplace();
      (*keys.epochs)[number(epoch)] = number(first);
    }
    for (const auto& [origin, seq] : hash_of(log_key::seq, exists)) {
      if (!keys.seq) keys.seq.emplace();
      (*keys.seq)[origin] = number(seq);
    }
    for (const auto& [id, at] : hash_of(log_key::req, exists)) {
      if (!keys.req) keys.req.emplace();
      (*keys.req)[id] = parse_position(at);
    }
    for (const auto& [origin, index] : hash_of(log_key::heard, exists)) {
      if (!keys.heard) keys.heard.emplace();
      (*keys.heard)[origin] = number(index);
    }
    read_recovery(keys);
    read_stream(keys);
    return text_of(keys);
  }

  void read_recovery(key_space& keys) {
    bool exists = false;
    for (const auto& [field, value] : hash_of(log_key::recovery, exists)) {
      if (!keys.recovery) keys.recovery.emplace();
      if (field == "round") keys.recovery->round = value;
      if (field == "owner") keys.recovery->owner = value;
      if (field == "progress") keys.recovery->progress = parse_number(value).value_or(0);
      if (field.starts_with("report:")) keys.recovery->reports[field.substr(7)] = value;
    }
  }

  void read_stream(key_space& keys) {
    net::redis::request what;
    const std::string key = key_name(static_cast<int>(log_key::log));
    what.add({"EXISTS", key}).add({"XRANGE", key, "-", "+"}).add({"XINFO", "STREAM", key});
    const auto replies = exec(what);
    if (replies[0]->integer() == 0) return;
    keys.log.emplace();
    for (std::size_t i = 0; i < replies[1]->size(); ++i)
      keys.log->entries.push_back(parse_entry(replies[1].view()[i]));
    const auto facts = replies[2].view();
    for (std::size_t i = 0; i + 1 < facts.size(); i += 2) {
      if (facts[i].text() == "last-generated-id")
        keys.log->last_id = parse_position(facts[i + 1].text()).value_or(position());
    }
  }

  std::size_t retained_entries_;
  boost::asio::io_context io_{1};
  test::redis_server server_;
  std::unique_ptr<net::redis::connection> connection_;
  std::map<std::string, log_wire> wires_;
  redis_model model_;
  key_space saved_;
};

}  // namespace ordeal::chat::model
