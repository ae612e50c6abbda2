// Bugs of nodes that Redis no longer joins: since a connection broke, or since they started.
#include <algorithm>
#include <optional>
#include <stdexcept>

#include "net/async/clock.h"
#include "tests/selftest/planted_node/bugs.h"

namespace ordeal::planted {
namespace {

constexpr std::string_view marked_room = "room-2";
constexpr std::chrono::seconds silence(30);

class deaf_after_reconnect final : public bug {
 public:
  bool on_reconnected(redis_role which) override { return which != redis_role::reader; }
};

class never_reconnects final : public bug {
 public:
  bool on_reconnected(redis_role) override { return false; }
};

class exits_on_redis_error final : public bug {
 public:
  void on_lost(redis_role) override {
    throw std::runtime_error("unhandled error event: read ECONNRESET");
  }
};

class handler_added_at_each_reconnect final : public bug {
 public:
  bool on_reconnected(redis_role which) override {
    if (which == redis_role::reader) ++handler_count_;
    return true;
  }
  void on_read(std::vector<entry>& batch) override {
    std::vector<entry> all;
    for (const entry& each : batch) all.insert(all.end(), handler_count_, each);
    batch = std::move(all);
  }
  // Handlers do not know of each other.
  bool is_news(log_index index, log_index last) override { return index >= last; }

 private:
  std::size_t handler_count_ = 1;
};

class room_not_resubscribed final : public bug {
 public:
  bool on_reconnected(redis_role) override {
    has_reconnected_ = true;
    return true;
  }
  void on_read(std::vector<entry>& batch) override {
    if (!has_reconnected_) return;
    std::erase_if(batch, [](const entry& each) { return each.room.ends_with(marked_room); });
  }

 private:
  bool has_reconnected_ = false;
};

class old_clients_silent final : public bug {
 public:
  bool on_reconnected(redis_role which) override {
    if (which == redis_role::reader) {
      silent_until_ = net::now() + silence;
      old_up_to_ = newest_;
    }
    return true;
  }
  void on_join(client_number client) override { newest_ = std::max(newest_, client); }
  bool may_deliver(const entry&, const recipient& to) override {
    return to.number > old_up_to_ || !silent_until_ || net::now() > *silent_until_;
  }

 private:
  std::optional<net::time_point> silent_until_;
  client_number newest_ = 0, old_up_to_ = 0;
};

// Serves its own clients, and nobody else.
class no_backplane : public bug {
 public:
  publish_fate on_publish(entry&) override {
    return is_apart_ ? publish_fate::keep_local : publish_fate::append;
  }
  void on_read(std::vector<entry>& batch) override {
    if (is_apart_) batch.clear();
  }

 protected:
  bool is_apart_ = true;
};

class restarts_without_backplane final : public no_backplane {
 public:
  void on_started(log_index end) override { is_apart_ = end > 0; }
};

}  // namespace

std::vector<bug_kind> connection_bugs() {
  return {
      {.name = "deaf_after_reconnect",
       .modelled_on =
           "socketio/socket.io#4845, soketi/soketi#428: reconnected, but not resubscribed",
       .sentence = "A node that lost Redis publishes again but never reads again.",
       .scenario = "one-node",
       .finding = "stuck",
       .check = "recovery",
       .also = "lost silent_loss",
       .make = make_on_one_node<deaf_after_reconnect>},
      {.name = "never_reconnects",
       .modelled_on = "SignalR/SignalR#3364, rails/rails#27659: one node never comes back",
       .sentence = "A node that lost Redis neither reads nor publishes ever again.",
       .scenario = "one-node",
       .finding = "stuck",
       .check = "recovery",
       .also = "lost silent_loss",
       .make = make_on_one_node<never_reconnects>},
      {.name = "exits_on_redis_error",
       .modelled_on = "socketio/socket.io-redis-adapter#190, #336, #425: unhandled error event",
       .sentence = "The process ends when its connection to Redis breaks.",
       .scenario = "one-node",
       .finding = "node_exit",
       .check = "nodes",
       .also = "stuck lost silent_loss",
       .make = make_on_one_node<exits_on_redis_error>},
      {.name = "handler_added_at_each_reconnect",
       .modelled_on = "ortoo/node-redis-sentinel#31: N copies after N restarts",
       .sentence = "Each reconnect adds a handler, and each handler delivers.",
       .scenario = "reconnect",
       .finding = "duplicate",
       .check = "duplicates",
       .make = make<handler_added_at_each_reconnect>},
      {.name = "room_not_resubscribed",
       .modelled_on = "StackExchange/StackExchange.Redis#517: only a part is resubscribed",
       .sentence = "After a reconnect one node delivers no more in room 2.",
       .scenario = "one-node",
       .finding = "lost",
       .check = "delivery",
       .also = "silent_loss stuck",
       .only_in = marked_room,
       .make = make_on_one_node<room_not_resubscribed>},
      {.name = "old_clients_silent",
       .modelled_on = "SignalR/SignalR#2572: minutes of silence for old clients, new ones are fine",
       .sentence = "After an outage, clients that were there before hear nothing for 30 seconds.",
       .scenario = "outage",
       .finding = "stuck",
       .check = "recovery",
       .also = "lost silent_loss false_ack",
       .make = make<old_clients_silent>},
      {.name = "restarts_without_backplane",
       .modelled_on = "miguelgrinberg/python-socketio#1534: who starts badly never listens, and "
                      "nobody is told",
       .sentence = "A node that was restarted reaches its own clients alone; by then it has none.",
       .scenario = "reconnect",
       .finding = "stuck",
       .check = "probe",
       .also = "lost silent_loss diverged",
       .make = make<restarts_without_backplane>},
      {.name = "no_backplane",
       .modelled_on = "declared contracts: no more is owed than what is declared",
       .sentence =
           "A single node that keeps everything to itself, as its target declares: innocent.",
       .scenario = "alone",
       .target = "local",
       .make = make<no_backplane>},
  };
}

}  // namespace ordeal::planted
