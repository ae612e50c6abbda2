// What the log says to Redis and what it hears: requests out, replies in. Knows the keys and the
// scripts' arguments, decides nothing. Pure.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "net/redis/connection.h"
#include "reference-server/log/attach.h"
#include "reference-server/log/chat_log.h"
#include "reference-server/log/outbox.h"

namespace ordeal::chat {

// The error reply that made an answer useless.
struct wire_error {
  net::redis::reply_class kind = net::redis::reply_class::ok;
  std::string text;
  bool is_set() const { return kind != net::redis::reply_class::ok; }
};

struct attach_answer {
  wire_error error;
  server_facts server;
  log_facts log;
  std::string append_sha;  // for EVALSHA
};

struct append_answer {
  wire_error error;
  bool is_stale = false;  // attach again
  position top;
  std::uint64_t floor = 0;
  std::vector<entry_reply> entries;
};

struct read_answer {
  wire_error error;
  std::string log_id;  // after the read: what was read is of this log
  std::uint64_t floor = 0;
  std::uint64_t top = 0;
  bool has_foreign_entry = false;
  std::vector<entry_ptr> entries;  // up to the first foreign one
};

// What append and adopt say who they are.
struct log_identity {
  std::string log_id;
  std::uint64_t epoch = 0;
  std::string incarnation;
};

class log_wire {
 public:
  using request = net::redis::request;

  log_wire(std::string_view app, std::string origin, std::size_t retained_entries);

  const std::string& origin() const { return origin_; }

  request attach(const entry* last_read) const;
  static attach_answer parse_attach(const std::vector<net::redis::reply>& replies);

  request create(std::string_view log_id, std::string_view incarnation) const;
  request adopt(const log_facts& found, std::string_view incarnation) const;

  // `beat`: the text of a heartbeat that goes first; empty: none.
  request append(std::string_view sha, const log_identity& log, std::string_view beat,
                 std::span<const outbox_message* const> messages) const;
  static append_answer parse_append(net::redis::reply_view reply, std::uint64_t epoch,
                                    bool has_beat);

  request read(position after, std::chrono::milliseconds block) const;
  request range(position after, position upto) const;
  request meta() const;
  static read_answer parse_read(const std::vector<net::redis::reply>& replies);
  static read_answer parse_range(const std::vector<net::redis::reply>& replies);
  static read_answer parse_meta(const std::vector<net::redis::reply>& replies);

  static constexpr std::size_t read_count_max = 512;

 private:
  void add_meta_query(request& what) const;

  std::string origin_;
  std::string retained_;
  std::string meta_, epochs_, seq_, req_, log_;
};

}  // namespace ordeal::chat
