#include "tests/selftest/planted_node/bugs.h"

#include <algorithm>
#include <cctype>
#include <optional>
#include <utility>

#include "net/async/random.h"

namespace ordeal::planted {
namespace {

constexpr std::uint64_t seed = 20'260'101;
constexpr std::uint64_t now_and_then_one_in = 40;
constexpr std::uint64_t dropped_delivery = 20;
constexpr std::uint64_t stale_milliseconds = 2'000;
constexpr std::string_view mute_node = "node-1";

// Draws differ from node to node, or all nodes would make the same mistake with the same message
// and agree again.
class occasional_bug : public bug {
 public:
  explicit occasional_bug(std::string_view node_name) : draws_(seed, node_name) {}

 protected:
  bool is_time() { return draws_.below(now_and_then_one_in) == 0; }
  net::random_stream& draws() { return draws_; }

 private:
  net::random_stream draws_;
};

class no_bug final : public bug {
 public:
  explicit no_bug(std::string_view) {}
};

class drop_nth final : public bug {
 public:
  explicit drop_nth(std::string_view) {}
  bool may_deliver_to(std::uint64_t client) override {
    if (!victim_) victim_ = client;
    return client != *victim_ || ++delivery_count_ % dropped_delivery != 0;
  }

 private:
  std::optional<std::uint64_t> victim_;
  std::uint64_t delivery_count_ = 0;
};

class duplicate_after_reconnect final : public bug {
 public:
  explicit duplicate_after_reconnect(std::string_view) {}
  void on_read(std::vector<entry>& batch) override {
    if (is_repeat_due_ && last_) {
      batch.insert(batch.begin(), *last_);
      is_repeat_due_ = false;
    }
    if (!batch.empty()) last_ = batch.back();
  }
  bool on_redis_reconnect() override {
    is_repeat_due_ = true;
    return true;
  }
  std::string replay_start(stream_id cursor) override {
    return cursor.text();
  }  // XRANGE includes it

 private:
  std::optional<entry> last_;
  bool is_repeat_due_ = false;
};

// Holds a message back until the next one of the room came that may change places with it.
class swap : public occasional_bug {
 public:
  void on_read(std::vector<entry>& batch) override {
    std::vector<entry> arranged;
    if (batch.empty()) release(arranged);
    for (entry& next : batch) {
      if (!held_ && is_time()) {
        held_ = std::move(next);
        continue;
      }
      const bool is_neighbour = held_ && held_->room == next.room;
      const bool is_partner = is_neighbour && (held_->sender == next.sender) == is_same_sender_;
      // Two of different senders change places only as true neighbours; of one sender, whoever is
      // between them.
      if (is_neighbour && !is_partner && !is_same_sender_) release(arranged);
      arranged.push_back(std::move(next));
      if (is_partner) release(arranged);
    }
    batch = std::move(arranged);
  }

 protected:
  swap(std::string_view node_name, bool is_same_sender)
      : occasional_bug(node_name), is_same_sender_(is_same_sender) {}

 private:
  void release(std::vector<entry>& into) {
    if (held_) into.push_back(std::move(*held_));
    held_.reset();
  }

  bool is_same_sender_;
  std::optional<entry> held_;
};

class swap_two final : public swap {
 public:
  explicit swap_two(std::string_view node_name) : swap(node_name, false) {}
};

class swap_same_sender final : public swap {
 public:
  explicit swap_same_sender(std::string_view node_name) : swap(node_name, true) {}
};

class deaf_after_redis_reconnect final : public bug {
 public:
  explicit deaf_after_redis_reconnect(std::string_view) {}
  bool on_redis_reconnect() override { return false; }
};

class wrong_room final : public occasional_bug {
 public:
  using occasional_bug::occasional_bug;
  void on_read(std::vector<entry>& batch) override {
    std::vector<entry> strays;
    for (const entry& each : batch) {
      if (!other_room_.empty() && other_room_ != each.room && is_time()) {
        strays.push_back(each);
        strays.back().room = other_room_;
      }
      other_room_ = each.room;
    }
    std::move(strays.begin(), strays.end(), std::back_inserter(batch));
  }

 private:
  std::string other_room_;
};

class ack_without_publish final : public occasional_bug {
 public:
  using occasional_bug::occasional_bug;
  publish_fate on_publish() override {
    return is_time() ? publish_fate::forget : publish_fate::append;
  }
};

class alter_byte final : public occasional_bug {
 public:
  using occasional_bug::occasional_bug;
  void on_read(std::vector<entry>& batch) override {
    for (entry& each : batch) {
      if (each.text.size() < 2 || !is_time()) continue;
      // In the second half, behind the fields that say whose message it is.
      const std::size_t half = each.text.size() / 2;
      char& byte = each.text[half + draws().below(each.text.size() - half)];
      byte = byte == 'y' ? 'z' : 'y';
    }
  }
};

class mute_one_node final : public bug {
 public:
  explicit mute_one_node(std::string_view node_name) : is_mute_(node_name == mute_node) {}
  publish_fate on_publish() override {
    return is_mute_ ? publish_fate::keep_local : publish_fate::append;
  }

 private:
  bool is_mute_;
};

class stale_replay final : public bug {
 public:
  explicit stale_replay(std::string_view) {}
  std::string replay_start(stream_id cursor) override {
    cursor.milliseconds -= std::min(cursor.milliseconds, stale_milliseconds);
    return '(' + cursor.text();
  }
};

template <class Bug>
std::unique_ptr<bug> make(std::string_view node_name) {
  return std::make_unique<Bug>(node_name);
}

}  // namespace

const std::vector<bug_kind>& bug_kinds() {
  static const std::vector<bug_kind> all = {
      {"none", "", false, "A correct node.", make<no_bug>},
      {"drop_nth", "lost", false, "One client of each node misses every twentieth delivery.",
       make<drop_nth>},
      {"duplicate_after_reconnect", "duplicate", true,
       "After a client or the node has reconnected, the last message is delivered again.",
       make<duplicate_after_reconnect>},
      {"swap_two", "diverged", false,
       "Now and then two neighbouring messages of different senders change places on one node.",
       make<swap_two>},
      {"swap_same_sender", "reordered", false,
       "Now and then two messages of the same sender change places on one node.",
       make<swap_same_sender>},
      {"deaf_after_redis_reconnect", "stuck", true,
       "A node that lost its Redis connection publishes again but never reads again.",
       make<deaf_after_redis_reconnect>},
      {"wrong_room", "misdelivered", false,
       "Now and then a message also reaches the members of another room.", make<wrong_room>},
      {"ack_without_publish", "false_ack", false,
       "Now and then a message is acknowledged and dropped.", make<ack_without_publish>},
      {"alter_byte", "corrupt", false, "Now and then a byte of the text is another.",
       make<alter_byte>},
      {"mute_one_node", "lost", false, "Messages sent on node-1 reach only the clients of node-1.",
       make<mute_one_node>},
      {"stale_replay", "duplicate", true,
       "A client that resumes gets again what came in the two seconds before its cursor.",
       make<stale_replay>},
  };
  return all;
}

const bug_kind* find_bug(std::string_view name) {
  const auto& all = bug_kinds();
  const auto found = std::find_if(all.begin(), all.end(),
                                  [name](const bug_kind& each) { return each.name == name; });
  return found == all.end() ? nullptr : &*found;
}

}  // namespace ordeal::planted
