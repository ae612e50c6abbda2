// Asking Redis Sentinel who the master is: the memory of where to ask, the decoding of what they
// say, and the question. Private to this folder.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "net/redis/open_stream.h"

namespace ordeal::net::redis {

// Where to ask next. Shared by the connections of one set of options; one thread.
class sentinel_memory {
 public:
  static constexpr std::size_t learned_max = 16;

  explicit sentinel_memory(std::vector<server_address> given) : given_(std::move(given)) {}

  // Each once: the one that was right last, those given, those learned from others.
  std::vector<server_address> order() const;
  void on_right(const server_address& at) { right_ = at; }
  // Replaces what was learned before.
  void on_learned(std::vector<server_address> others);

 private:
  std::vector<server_address> given_;
  std::vector<server_address> learned_;
  std::optional<server_address> right_;
};

// Of SENTINEL get-master-addr-by-name; nullopt when it is no address.
std::optional<server_address> parse_master_address(reply_view answer);
// Of SENTINEL sentinels; entries without a usable address are left out.
std::vector<server_address> parse_sentinels(reply_view answer);

struct sentinel_answer {
  error_code ec;       // of the connection; none when the sentinel answered something else
  std::string detail;  // why there is no master; a sentence that begins after "sentinel host:port "
  std::optional<server_address> master;
  std::vector<server_address> others;
  std::unique_ptr<raw_connection> opened;  // logged in, for more questions, when there is a master
};
// Connects to one sentinel, logs in, and asks. No limit: whoever calls has one. The arguments must stay alive.
asio::awaitable<sentinel_answer> ask_sentinel(const server_address& at,
                                              const connection_options& options,
                                              connect_stage& reached);

struct subscribed {
  std::string detail;  // as above
  std::unique_ptr<raw_connection> opened;
};
// Connects to one sentinel and subscribes to its announcements of new masters.
asio::awaitable<subscribed> subscribe_to_switches(const server_address& at,
                                                  const connection_options& options);

void add_master_question(request& what, const std::string& master_name);

}  // namespace ordeal::net::redis
