// A TCP proxy before a Redis that a test opens and shuts: it holds requests or replies back, loses them with their
// connection, or refuses connections. On the test's io_context; what happens is decided between two runs of it.
//
//    node ──▶ gate ──▶ redis-server
//
// Held bytes stay in order and go on at release(), or are gone with cut().
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "net/async/condition.h"

namespace ordeal::test {

class redis_gate {
 public:
  redis_gate(boost::asio::io_context& io, std::uint16_t redis_port);
  redis_gate(const redis_gate&) = delete;
  redis_gate& operator=(const redis_gate&) = delete;

  std::uint16_t port() const { return port_; }

  // From now on bytes wait here, in that direction, on every connection.
  void hold_requests() { set(requests_held_, true); }
  void hold_replies() { set(replies_held_, true); }
  // Once a request that contains `text` has gone to Redis, its connection gets no reply any more.
  void hold_reply_to(std::string text) { watched_ = std::move(text); }
  bool has_held_reply() const { return has_held_reply_; }
  // As hold_requests(), but only a request that contains `text`, and what follows it on its connection.
  void hold_request(std::string text) { held_request_ = std::move(text); }
  bool has_held_request() const { return has_held_request_; }
  // What is held stays held, what comes from now on passes.
  void hold_no_more() {
    watched_.reset();
    held_request_.reset();
  }
  // Everything that was held goes on, everything new passes.
  void release();
  // Resets every connection; new ones are served.
  void cut();
  // While shut, connections are accepted and reset at once, open ones are reset.
  void shut();
  void open() { is_shut_ = false; }
  // Where new connections go from now on.
  void point_to(std::uint16_t redis_port) { upstream_port_ = redis_port; }

  std::size_t connection_count() const { return open_.size(); }

  // No connections from now on; the coroutines end in the next run of the io_context.
  void close();

 private:
  using tcp = boost::asio::ip::tcp;
  struct pair {
    pair(tcp::socket to_node, tcp::socket to_redis)
        : node(std::move(to_node)), redis(std::move(to_redis)) {}
    tcp::socket node;
    tcp::socket redis;
    bool is_reply_held = false;
    bool is_request_held = false;
    void reset();
  };

  static boost::asio::awaitable<void> accept(std::shared_ptr<redis_gate*> self);
  static boost::asio::awaitable<void> pump(std::shared_ptr<redis_gate*> self,
                                           std::shared_ptr<pair> both, bool is_request);
  bool is_held(const pair& both, bool is_request) const;
  void look_at(pair& both, std::string_view request);
  void set(bool& flag, bool value);

  tcp::acceptor acceptor_;
  std::uint16_t port_ = 0;
  std::uint16_t upstream_port_;
  net::condition changed_;
  std::set<std::shared_ptr<pair>> open_;
  std::shared_ptr<redis_gate*> self_;  // null inside once closed
  bool requests_held_ = false, replies_held_ = false, is_shut_ = false;
  std::optional<std::string> watched_, held_request_;
  bool has_held_reply_ = false, has_held_request_ = false;
};

}  // namespace ordeal::test
