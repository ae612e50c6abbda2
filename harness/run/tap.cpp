#include "harness/run/tap.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <utility>

#include "harness/run/envelope_finder.h"
#include "harness/run/reply_pairing.h"
#include "net/async/log.h"
#include "net/redis/resp_scanner.h"

namespace ordeal::harness {
namespace {

using net::redis::resp_frame;
using net::redis::resp_scanner;
using net::redis::resp_side;
using net::redis::resp_sink;

// Messages in one frame that are kept until it is complete; of those beyond nothing is said.
constexpr std::size_t frame_messages_max = 1U << 14;

// What was told lately: a cache of messages, in sets of which the one not seen for longest gives
// way. Messages are read again (a replay, a second subscription), and then it is no news.
class told_lately {
 public:
  // Whether it was not; from now on it was.
  bool add(const sighting& what) {
    entry_set& set = sets_[set_of(what.id)];
    const auto is_it = [&](const entry& each) { return each.id == what.id; };
    auto place = std::find_if(set.begin(), set.end(), is_it);
    if (place == set.end()) {
      --place;
      *place = entry{what.id, 0};
    }
    std::rotate(set.begin(), place, place + 1);
    const auto bit = static_cast<std::uint8_t>(1U << static_cast<unsigned>(what.where));
    if ((set.front().points & bit) != 0) return false;
    set.front().points |= bit;
    return true;
  }

 private:
  struct entry {
    message_id id;  // seqs count from 1: an empty entry is nobody's
    std::uint8_t points = 0;
  };
  using entry_set = std::array<entry, 4>;

  static std::size_t set_of(const message_id& id) {
    std::uint64_t mixed = (std::uint64_t{index_of(id.sender)} << 32U) | id.seq;
    mixed = (mixed ^ (std::uint64_t{index_of(id.room)} << 20U)) * 0x9e37'79b9'7f4a'7c15U;
    return mixed >> 54U;  // 10 bits
  }

  std::array<entry_set, 1024> sets_{};
};

// Of a node: what all its connections share.
class node_tap {
 public:
  node_tap(node_id node, std::string run_nonce, tap_outlet outlet)
      : node_(node), nonce_(std::move(run_nonce)), outlet_(std::move(outlet)) {}

  const std::string& nonce() const { return nonce_; }

  // Tells what is new of `seen`, and empties it.
  void tell(std::vector<sighting>& seen) {
    std::vector<tapped> news;
    const run_time at = net::now() - outlet_.run_start;
    for (const sighting& each : seen) {
      if (told_.add(each)) news.push_back(tapped{at, node_, each.where, each.id});
    }
    seen.clear();
    if (!news.empty()) outlet_.on_tapped(std::move(news));
  }

  // What a client of Redis meets in good times is no error.
  void on_error(std::string_view code) {
    if (!outlet_.on_error || code == "NOSCRIPT" || code == "BUSYGROUP") return;
    const auto known = std::ranges::find(errors_, code, &reason_heard::text);
    if (known != errors_.end()) {
      ++known->count;
      return;
    }
    errors_.push_back(reason_heard{net::now() - outlet_.run_start, node_, reason_kind::redis_error,
                                   1, std::string(code)});
  }

  // Together: there may be thousands in one piece of a stream.
  void tell_errors() {
    for (reason_heard& each : errors_) outlet_.on_error(std::move(each));
    errors_.clear();
  }

  void on_unreadable(std::string_view reason) {
    if (std::exchange(has_complained_, true)) return;
    net::log(net::log_level::info, "tap", "a connection to Redis cannot be read",
             {{"node", name_of(node_)}, {"reason", std::string(reason)}});
  }

 private:
  node_id node_;
  std::string nonce_;
  tap_outlet outlet_;
  told_lately told_;
  std::vector<reason_heard> errors_;  // not told yet
  bool has_complained_ = false;
};

class redis_tap final : public fault::connection_tap {
 public:
  explicit redis_tap(std::shared_ptr<node_tap> node)
      : node_(std::move(node)), requests_(*this), replies_(*this) {}

  void on_bytes(fault::link_way way, std::string_view bytes) override {
    (way == fault::link_way::up ? requests_.scanner : replies_.scanner).feed(bytes);
    if (!seen_.empty()) node_->tell(seen_);
    node_->tell_errors();
  }

 private:
  // One direction; what differs between the two is what a complete frame means.
  struct direction : resp_sink {
    direction(redis_tap& tap, resp_side side)
        : owner(tap), scanner(side, *this), finder(tap.node_->nonce()) {}

    void on_text(std::string_view piece, bool is_first) override {
      finder.feed(piece, is_first, found);
      if (found.size() > frame_messages_max) found.resize(frame_messages_max);
    }
    void on_lost(std::string_view reason) override {
      owner.pairing_.give_up();
      owner.node_->on_unreadable(reason);
    }

    redis_tap& owner;
    resp_scanner scanner;
    envelope_finder finder;
    std::vector<message_id> found;  // in the frame under way
  };

  struct request_direction final : direction {
    explicit request_direction(redis_tap& tap) : direction(tap, resp_side::requests) {}
    void on_error_inside(std::uint64_t, std::size_t) override {}
    void on_frame(const resp_frame& frame) override {
      for (const message_id& each : found) owner.seen_.push_back({tap_point::to_redis, each});
      owner.pairing_.on_request(frame, found);
      found.clear();
    }
  };

  struct reply_direction final : direction {
    explicit reply_direction(redis_tap& tap) : direction(tap, resp_side::replies) {}
    void on_error_inside(std::uint64_t element, std::size_t depth) override {
      owner.pairing_.on_error_inside(element, depth);
    }
    void on_frame(const resp_frame& frame) override {
      for (const message_id& each : found) owner.seen_.push_back({tap_point::from_redis, each});
      found.clear();
      if (frame.kind == net::redis::resp_kind::error) owner.node_->on_error(frame.word);
      owner.pairing_.on_reply(frame, owner.seen_);
    }
  };

  std::shared_ptr<node_tap> node_;
  reply_pairing pairing_;
  std::vector<sighting> seen_;
  request_direction requests_;
  reply_direction replies_;
};

}  // namespace

fault::tap_maker tap_of(node_id node, std::string run_nonce, tap_outlet outlet) {
  auto shared = std::make_shared<node_tap>(node, std::move(run_nonce), std::move(outlet));
  return [shared] { return std::make_unique<redis_tap>(shared); };
}

}  // namespace ordeal::harness
