// Goal: the scripts forget old origins and old epochs as the model of them does.
#include <random>

#include "tests/model/two_redis.h"

namespace ordeal::chat::model {
namespace {

constexpr int steps_per_seed = 400;

class TracesAgainstRedis : public testing::TestWithParam<std::uint64_t> {
 protected:
  std::uint64_t below(std::uint64_t end) { return random_() % end; }

  void append() {
    const std::string origin = "N" + std::to_string(below(3) == 0 ? below(80) : below(3));
    const key_space& keys = both_.model().keys();
    append_command what;
    what.log = log_identity{keys.meta->log_id, keys.meta->epoch, keys.meta->incarnation};
    what.retained_bytes = 1U << 30;
    if (below(4) == 0) what.beat = "7 1-3 1";
    const auto known = keys.seq->find(origin);
    std::uint64_t seq = known == keys.seq->end() ? 0 : known->second;
    for (std::uint64_t count = below(5) == 0 ? 60 : below(3); count > 0; --count) {
      message_body body;
      body.room = "room";
      body.client_message_id = "id" + std::to_string(++ids_);
      what.messages.push_back({++seq, std::make_shared<const message_body>(std::move(body))});
    }
    if (what.messages.empty()) what.beat = "8 1-3 1";
    both_.execute(origin, what);
  }

  void recover() {
    const key_space& keys = both_.model().keys();
    const meta_fields meta = keys.meta.value_or(meta_fields());
    const std::string epoch = meta.epoch > 0 ? std::to_string(meta.epoch) : "";
    convene_command convene{meta.log_id, epoch, meta.state, meta.incarnation, "", ""};
    convene.round = "A." + std::to_string(++rounds_);
    both_.execute("A", convene);
    commit_command what;
    what.claim = {convene.round, both_.model().incarnation(), 0};
    if (keys.log && !keys.log->entries.empty()) what.tail = keys.log->entries.back()->at;
    what.log_id = "log1";
    what.epoch = meta.epoch + 1;
    what.barrier = "why";
    if (keys.epochs) {
      for (const auto& [known, first] : *keys.epochs) {
        if (known != 0) what.chain.add(known, first);
      }
    }
    both_.execute("A", what);
  }

  two_redis both_{150};
  std::mt19937_64 random_{GetParam()};
  std::uint64_t ids_ = 0, rounds_ = 0;
};

TEST_P(TracesAgainstRedis, ForgetsTheSame) {
  std::size_t origins_max = 0, epochs_max = 0;
  for (int i = 0; i < steps_per_seed && !HasFailure(); ++i) {
    if (i == 0 || below(4) == 0) {
      recover();
    } else if (below(40) == 0) {
      both_.lose(static_cast<int>(log_key::heard));
    } else {
      append();
    }
    origins_max = std::max(origins_max, both_.model().keys().seq->size());
    epochs_max = std::max(epochs_max, both_.model().keys().epochs->size());
    if (i % 10 == 0) both_.compare_keys();
  }
  both_.compare_keys();
  EXPECT_GT(origins_max, 34U) << "there were some to be forgotten";
  EXPECT_LE(both_.model().keys().epochs->size(), 90U) << "of about 100";
}

INSTANTIATE_TEST_SUITE_P(Seeds, TracesAgainstRedis, testing::Range<std::uint64_t>(1, 3));

}  // namespace
}  // namespace ordeal::chat::model
