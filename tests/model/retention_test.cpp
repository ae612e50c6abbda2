// Goal: what the scripts count, trim and refuse is what the model of them does, over logs that are long enough to be
// trimmed; and when everything is counted, the count is the sum over the entries.
#include <random>

#include "tests/model/two_redis.h"

namespace ordeal::chat::model {
namespace {

constexpr int steps_per_seed = 250;

class RetentionAgainstRedis : public testing::TestWithParam<std::uint64_t> {
 protected:
  std::uint64_t below(std::uint64_t end) { return random_() % end; }
  bool one_in(std::uint64_t count) { return below(count) == 0; }

  void append() {
    append_command what;
    const meta_fields& meta = *both_.model().keys().meta;
    what.log = log_identity{meta.log_id, meta.epoch, meta.incarnation};
    what.retained_bytes = one_in(2) ? 1U << 30 : 30'000 + below(60'000);
    if (one_in(3)) what.beat = "7 1-3 1";
    const std::uint64_t count = one_in(3) ? 120 : below(4);
    for (std::uint64_t i = 0; i < count; ++i) {
      message_body body;
      body.room = "room";
      body.client_message_id = "id" + std::to_string(one_in(8) ? below(seq_ + 1) : seq_);
      body.text = std::string(one_in(10) ? below(9'000) : below(300), 'x');
      what.messages.push_back({++seq_, std::make_shared<const message_body>(std::move(body))});
    }
    if (what.messages.empty() && what.beat.empty()) what.beat = "8 1-3 1";
    const answer heard = both_.execute("A", what);
    // Nothing came in: the next one says the same again.
    if (std::holds_alternative<wire_error>(heard)) seq_ -= count;
  }

  static repair_claim claim_of(const redis_model& redis) {
    return {redis.keys().recovery->round, redis.incarnation(), 0};
  }
  position tail() {
    const auto& log = both_.model().keys().log;
    return log && !log->entries.empty() ? log->entries.back()->at : position();
  }

  // A round that takes some of the newest entries away and puts as many or fewer back.
  void recover() {
    const redis_model& redis = both_.model();
    const meta_fields meta = redis.keys().meta.value_or(meta_fields());
    const std::string epoch = meta.epoch > 0 ? std::to_string(meta.epoch) : "";
    convene_command convene{meta.log_id, epoch, meta.state, meta.incarnation, "", ""};
    convene.round = "A." + std::to_string(++rounds_);
    both_.execute("A", convene);
    std::vector<entry_ptr> back;
    if (redis.keys().log) back = redis.keys().log->entries;
    const std::size_t keep = one_in(4) ? 0 : below(back.size() + 1);
    truncate_command truncate;
    truncate.claim = claim_of(redis);
    if (keep > 0) truncate.keep = back[keep - 1]->at;
    for (bool is_complete = false; !is_complete;) {
      const answer heard = both_.execute("A", truncate);
      is_complete = std::get<repair_answer>(heard).is_complete;
    }
    back.erase(back.begin(), back.begin() + static_cast<std::ptrdiff_t>(keep));
    back.resize(below(back.size() + 1));
    if (one_in(2)) both_.set_full(true);
    for (std::size_t i = 0; i < back.size(); i += 50) {
      restore_command restore;
      restore.claim = claim_of(redis);
      restore.tail = tail();
      restore.entries.assign(
          back.begin() + static_cast<std::ptrdiff_t>(i),
          back.begin() + static_cast<std::ptrdiff_t>(std::min(i + 50, back.size())));
      if (std::holds_alternative<wire_error>(both_.execute("A", restore))) both_.set_full(false);
    }
    commit(meta.log_id.empty() ? "log1" : meta.log_id, meta.epoch + 1);
  }
  void commit(std::string log_id, std::uint64_t epoch) {
    commit_command what;
    what.claim = claim_of(both_.model());
    what.tail = tail();
    what.log_id = std::move(log_id);
    what.epoch = epoch;
    what.barrier = "why";
    what.marks = {{"A", seq_}};
    both_.execute("A", what);
  }

  void expect_right_count() {
    const key_space& keys = both_.model().keys();
    const meta_fields& meta = *keys.meta;
    if (!meta.counted || meta.counted->index != meta.floor) return;
    std::uint64_t sum = 0;
    for (const entry_ptr& each : keys.log->entries)
      sum += 128 + each->room.size() + 2 * each->client_message_id.size() + each->text.size();
    EXPECT_EQ(meta.bytes, sum);
    ++right_counts_;
  }

  two_redis both_{500};
  std::mt19937_64 random_{GetParam()};
  std::uint64_t seq_ = 0, rounds_ = 0, right_counts_ = 0;
};

TEST_P(RetentionAgainstRedis, CountsAndTrimsTheSame) {
  recover();
  for (int i = 0; i < steps_per_seed && !HasFailure(); ++i) {
    switch (below(40)) {
      case 0:
        recover();
        break;
      case 1:
        both_.lose_count();
        break;
      case 2:
      case 3:
      case 4:
        both_.set_full(true);
        break;
      case 5:
      case 6:
        both_.set_full(false);
        break;
      case 7:
        both_.lose_count();
        both_.trim_by_hand(100 + below(200));
        break;
      default:
        append();
        // An entry that went by hand is noticed when it would be trimmed, and until then counted.
        expect_right_count();
    }
    if (i % 25 == 0) both_.compare_keys();
  }
  both_.compare_keys();
  EXPECT_GT(right_counts_, 20U);
}

INSTANTIATE_TEST_SUITE_P(Seeds, RetentionAgainstRedis, testing::Range<std::uint64_t>(1, 5));

}  // namespace
}  // namespace ordeal::chat::model
