// Bugs between the log and the clients.
#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "net/async/clock.h"
#include "tests/selftest/planted_node/bugs.h"
#include "tests/selftest/planted_node/occasion.h"

namespace ordeal::planted {
namespace {

constexpr std::string_view marked_room = "room-2";  // rooms are called <nonce>-room-<number>
constexpr std::uint64_t capacity = 20;
constexpr std::uint64_t rare_delivery = 100'000;
constexpr std::uint64_t changed_each = 30;
constexpr std::size_t cut_bytes = 5;
constexpr std::size_t ring_capacity = 32;
constexpr std::chrono::milliseconds stall_time(4'500);  // the contract of planted.yaml promises 3 s

class one_client_misses_some final : public bug {
 public:
  bool may_deliver(const entry& what, const recipient& to) override {
    if (is_of_rehearsal(what)) return true;
    if (!victim_) victim_ = to.number;
    return to.number != *victim_ || ++delivery_count_ % capacity != 0;
  }

 private:
  std::optional<client_number> victim_;
  std::uint64_t delivery_count_ = 0;
};

class one_in_100000_lost final : public bug {
 public:
  bool may_deliver(const entry&, const recipient&) override {
    return ++delivery_count_ % rare_delivery != 0;
  }

 private:
  std::uint64_t delivery_count_ = 0;
};

class slow_client_skipped final : public bug {
 public:
  bool may_deliver(const entry&, const recipient& to) override {
    return to.waiting_count < ring_capacity;
  }
};

class ids_compared_as_text final : public bug {
 public:
  bool is_news(log_index index, log_index last) override {
    return std::to_string(index) > std::to_string(last);
  }
};

// Holds a message back until the next one that may change places with it.
class swap : public bug {
 public:
  explicit swap(std::string_view node_name) : when_(node_name) {}

  void on_read(std::vector<entry>& batch) override {
    std::vector<entry> arranged;
    if (batch.empty()) release(arranged);
    for (entry& next : batch) {
      if (!held_ && may_hold(next) && when_.is_now()) {
        held_ = std::move(next);
        continue;
      }
      const bool is_partner = held_ && is_pair(*held_, next);
      const bool is_obstacle = held_ && !is_partner && must_stay_behind(*held_, next);
      if (is_obstacle) release(arranged);
      arranged.push_back(std::move(next));
      if (is_partner) release(arranged);
    }
    batch = std::move(arranged);
  }
  // Or the second would hide the first.
  bool is_news(log_index, log_index) override { return true; }

 private:
  virtual bool may_hold(const entry& /*first*/) const { return true; }
  virtual bool is_pair(const entry& first, const entry& second) const = 0;
  // Overtaking this one as well would be another mistake than the bug's.
  virtual bool must_stay_behind(const entry& first, const entry& second) const = 0;

  void release(std::vector<entry>& into) {
    if (held_) into.push_back(std::move(*held_));
    held_.reset();
  }

  occasion when_;
  std::optional<entry> held_;
};

class neighbours_swapped : public swap {
  using swap::swap;
  bool is_pair(const entry& first, const entry& second) const override {
    return first.room == second.room && first.sender != second.sender;
  }
  bool must_stay_behind(const entry& first, const entry& second) const override {
    return first.room == second.room;
  }
};

class swapped_in_one_room final : public neighbours_swapped {
  using neighbours_swapped::neighbours_swapped;
  bool may_hold(const entry& first) const override { return first.room.ends_with(marked_room); }
};

class two_rooms_swapped final : public swap {
  using swap::swap;
  bool is_pair(const entry& first, const entry& second) const override {
    return first.room != second.room;
  }
  bool must_stay_behind(const entry&, const entry&) const override { return true; }
};

class sender_overtakes_itself final : public swap {
  using swap::swap;
  bool is_pair(const entry& first, const entry& second) const override {
    return first.room == second.room && first.sender == second.sender;
  }
  bool must_stay_behind(const entry&, const entry&) const override { return false; }
};

class wrong_room final : public bug {
 public:
  explicit wrong_room(std::string_view node_name) : when_(node_name) {}
  void on_read(std::vector<entry>& batch) override {
    std::vector<entry> all;
    for (entry& each : batch) {
      const bool is_stray = !other_room_.empty() && other_room_ != each.room && when_.is_now();
      std::swap(other_room_, each.room);
      if (is_stray) all.push_back(each);
      each.room = other_room_;
      all.push_back(std::move(each));
    }
    batch = std::move(all);
  }

 private:
  occasion when_;
  std::string other_room_;
};

class byte_altered final : public bug {
 public:
  explicit byte_altered(std::string_view node_name) : when_(node_name) {}
  void on_read(std::vector<entry>& batch) override {
    for (entry& each : batch) {
      if (each.text.size() < 2 || !when_.is_now()) continue;
      // In the second half, behind the fields that say whose message it is.
      const std::size_t half = each.text.size() / 2;
      char& byte = each.text[half + when_.below(each.text.size() - half)];
      byte = byte == 'y' ? 'z' : 'y';
    }
  }

 private:
  occasion when_;
};

class tail_cut final : public bug {
 public:
  void on_read(std::vector<entry>& batch) override {
    for (entry& each : batch) {
      if (++count_ % changed_each == 0 && each.text.size() > cut_bytes)
        each.text.resize(each.text.size() - cut_bytes);
    }
  }

 private:
  std::uint64_t count_ = 0;
};

class tail_grown final : public bug {
 public:
  void on_read(std::vector<entry>& batch) override {
    for (entry& each : batch) {
      if (++count_ % changed_each == 0) each.text += 'x';
    }
  }

 private:
  std::uint64_t count_ = 0;
};

// What goes through a text of one byte a character loses those that have none there.
class characters_replaced final : public bug {
 public:
  explicit characters_replaced(std::string_view node_name) : when_(node_name) {}
  void on_read(std::vector<entry>& batch) override {
    for (entry& each : batch) {
      if (when_.is_now()) each.text = in_latin(each.text);
    }
  }

 private:
  static std::string in_latin(const std::string& text) {
    std::string result;
    for (const char c : text) {
      const auto byte = static_cast<unsigned char>(c);
      if (byte < 0x80) result += c;
      if (byte >= 0xC0) result += '?';
    }
    return result;
  }
  occasion when_;
};

class delivers_late final : public bug {
 public:
  void on_read(std::vector<entry>& batch) override {
    const bool is_load = !batch.empty() && !is_of_rehearsal(batch.back());
    if (!begun_ && is_load) begun_ = net::now();
    std::move(batch.begin(), batch.end(), std::back_inserter(held_));
    batch.clear();
    if (begun_ && net::now() - *begun_ > stall_time) std::swap(batch, held_);
  }

 private:
  std::optional<net::time_point> begun_;
  std::vector<entry> held_;
};

class other_application_heard final : public bug {
 public:
  // Its key is "<app>:b:messages"; a prefix that ends at the first colon is the same for both.
  std::string log_key(const std::string& app) override {
    return bug::log_key(app.substr(0, app.find(':')));
  }
};

}  // namespace

std::vector<bug_kind> delivery_bugs() {
  return {
      {.name = "one_client_misses_some",
       .modelled_on = "django/channels_redis#181: what exceeds a client's capacity vanishes",
       .sentence = "One client of each node misses every twentieth delivery.",
       .scenario = "quiet",
       .finding = "lost",
       .check = "delivery",
       .also = "silent_loss stuck",
       .make = make<one_client_misses_some>},
      {.name = "one_in_100000_lost",
       .modelled_on = "SignalR/SignalR#4010: a few lost in a burst",
       .sentence = "Every 100,000th delivery of a node is skipped.",
       .scenario = "busy",
       .finding = "lost",
       .check = "delivery",
       .also = "silent_loss",
       .make = make<one_in_100000_lost>},
      {.name = "slow_client_skipped",
       .modelled_on = "SignalR/SignalR#3652: a ring buffer overwrites silently",
       .sentence = "What comes while 32 messages wait for a client is not sent to it.",
       .scenario = "one-node",
       .finding = "lost",
       .check = "delivery",
       .also = "silent_loss",
       .make = make<slow_client_skipped>},
      {.name = "ids_compared_as_text",
       .modelled_on = "SignalR/SignalR#3767: \"100\" is not above \"99\"",
       .sentence =
           "Whether a message is newer than the last is decided by comparing digits as text.",
       .scenario = "quiet",
       .finding = "lost",
       .check = "delivery",
       .also = "silent_loss false_ack stuck",
       .make = make<ids_compared_as_text>},
      {.name = "neighbours_swapped",
       .modelled_on =
           "SignalR/SignalR#1676: id and publish are two steps, so messages change places",
       .sentence = "Now and then two neighbours of different senders change places on one node.",
       .scenario = "quiet",
       .finding = "diverged",
       .check = "total_order",
       .make = make_on_one_node<neighbours_swapped>},
      {.name = "swapped_in_one_room",
       .modelled_on = "dotnet/aspnetcore#56032: one channel is broken, the others work",
       .sentence = "As neighbours_swapped, in room 2 alone.",
       .scenario = "quiet",
       .finding = "diverged",
       .check = "total_order",
       .only_in = marked_room,
       .make = make_on_one_node<swapped_in_one_room>},
      {.name = "two_rooms_swapped",
       .modelled_on = "ag2ai/faststream#3078: order across channels is assumed, but never promised",
       .sentence = "Now and then two neighbours of different rooms change places: innocent.",
       .scenario = "quiet",
       .make = make<two_rooms_swapped>},
      {.name = "sender_overtakes_itself",
       .modelled_on = "SignalR/SignalR#3310: parallel inserts into one stream",
       .sentence = "Now and then two messages of one sender change places.",
       .scenario = "quiet",
       .finding = "reordered",
       .check = "order",
       .also = "diverged",
       .make = make<sender_overtakes_itself>},
      {.name = "wrong_room",
       .modelled_on = "socketio/socket.io-redis-adapter#273: private messages reach everybody",
       .sentence = "Now and then a message also reaches the members of another room.",
       .scenario = "quiet",
       .finding = "misdelivered",
       .check = "isolation",
       .make = make<wrong_room>},
      {.name = "byte_altered",
       .modelled_on = "rails/rails#46882: two writers on one socket mix their bytes",
       .sentence = "Now and then a byte of the text is another.",
       .scenario = "quiet",
       .finding = "corrupt",
       .check = "integrity",
       .also = "lost silent_loss false_ack stuck",
       .make = make<byte_altered>},
      {.name = "tail_cut",
       .modelled_on = "mirek/CoreWebSocket#13: a large message is cut after its first frame",
       .sentence = "Every 30th message that a node reads has lost its last five bytes.",
       .scenario = "quiet",
       .finding = "corrupt",
       .check = "integrity",
       .also = "lost silent_loss false_ack stuck",
       .make = make<tail_cut>},
      {.name = "tail_grown",
       .modelled_on = "rails/rails#46882: the first byte of the next frame ends up in this one",
       .sentence = "Every 30th message that a node reads has a byte more at its end.",
       .scenario = "quiet",
       .finding = "corrupt",
       .check = "integrity",
       .also = "lost silent_loss false_ack stuck",
       .make = make<tail_grown>},
      {.name = "characters_replaced",
       .modelled_on =
           "socketio/socket.io#2459: text goes through an encoding that lacks its characters",
       .sentence = "Now and then a character outside of ASCII becomes a question mark.",
       .scenario = "unicode",
       .finding = "corrupt",
       .check = "integrity",
       .also = "lost silent_loss false_ack stuck",
       .make = make<characters_replaced>},
      {.name = "delivers_late",
       .modelled_on = "SignalR/SignalR#1885: scale-out delivery stalls, nothing is lost",
       .sentence = "One node holds everything back for four and a half seconds, then delivers it.",
       .scenario = "quiet",
       .finding = "late",
       .check = "late",
       .also = "stuck",
       .make = make_on_one_node<delivers_late>},
      {.name = "other_application_heard",
       .modelled_on = "rails/rails#27425: two applications on one Redis hear each other",
       .sentence =
           "The key's prefix is cut at a colon: another application's messages come through.",
       .scenario = "quiet",
       .finding = "phantom",
       .check = "integrity",
       .make = make<other_application_heard>},
  };
}

}  // namespace ordeal::planted
