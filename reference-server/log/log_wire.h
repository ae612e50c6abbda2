// What the log says to Redis and what it hears: commands to requests, replies to answers. Knows the
// keys and the scripts' arguments, decides nothing. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "net/redis/connection.h"
#include "reference-server/log/log_commands.h"

namespace ordeal::chat {

class log_wire {
 public:
  using request = net::redis::request;
  using replies = std::vector<net::redis::reply>;

  log_wire(std::string_view app, std::string origin, std::size_t retained_entries);

  const std::string& origin() const { return origin_; }
  // A node that begins anew.
  void rename(std::string origin) { origin_ = std::move(origin); }

  request make(const command& what) const;
  answer parse(const command& what, const replies& heard);

  request read(const read_command& what, std::chrono::milliseconds block,
               std::size_t count_max = read_count_max) const;
  request range(position after, position upto, std::size_t count_max = read_count_max) const;
  // Which server answers, and none of the log's entries, which may be large.
  static request identity();
  // Empty: unknown.
  static std::string parse_incarnation(const replies& heard);
  // The facts alone, for a cursor that is ahead.
  request facts() const;
  struct read_result {
    wire_error error;
    read_answer answer;
  };
  read_result parse_read(const replies& heard) const;
  static read_result parse_range(const replies& heard);

  struct facts_result {
    wire_error error;
    server_facts server;
    log_facts log;
  };
  static facts_result parse_facts(const replies& heard);

 private:
  void add_facts(request& what, const std::optional<position>& last_read) const;
  void add_meta(request& what) const;
  request attach(const attach_command& what) const;
  request append(const append_command& what) const;
  request convene(const convene_command& what) const;
  request make_report(const report_command& what) const;
  request truncate(const truncate_command& what) const;
  request restore(const restore_command& what) const;
  request commit(const commit_command& what) const;

  std::string origin_;
  std::string retained_;
  std::string append_sha_;  // for EVALSHA; from the latest attach
  std::string meta_, epochs_, seq_, req_, log_, recovery_, heard_, beats_;
};

}  // namespace ordeal::chat
