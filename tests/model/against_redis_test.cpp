// Goal: the model of Redis and its scripts says what the scripts say. Random commands, of real log machines and odd
// ones, go to both; every answer, every read and in the end every key must be the same.
#include <gtest/gtest.h>

#include <random>

#include "reference-server/log/log_machine.h"
#include "tests/model/odd_commands.h"
#include "tests/model/two_redis.h"

namespace ordeal::chat::model {
namespace {

constexpr std::size_t retained = 60;
constexpr int node_total = 4;
constexpr int steps_per_seed = 900;

class AgainstRedis : public testing::TestWithParam<std::uint64_t> {};

std::vector<log_machine> make_nodes() {
  std::vector<log_machine> nodes;
  for (int i = 0; i < node_total; ++i) {
    machine_options options;
    options.origin = "N" + std::to_string(i);
    options.grace_looks = 2;
    options.boot_looks = 3;
    options.stall_looks = 4;
    options.restore_entries_max = 2;
    nodes.emplace_back(std::move(options));
    nodes.back().on_connected();
  }
  return nodes;
}

// One thing that a node does, or that happens to its connection.
void run_node(log_machine& node, two_redis& both, std::mt19937_64& random, int& messages) {
  if (random() % 4 == 0) {
    const std::string number = std::to_string(++messages);
    node.add("r", "m" + number, "t" + number, {});
  }
  if (random() % 4 == 0) node.beat_due();
  for (int i = 0; i < 4 && node.has_command(); ++i) {
    const command what = node.next_command();
    const answer heard = both.execute(node.origin(), what);
    if (random() % 30 == 0) {
      node.on_connection_lost();
      node.on_connected();
    } else {
      node.on_answer(heard);
    }
  }
  if (node.is_reading() && random() % 3 != 0)
    node.on_read(both.read(node.origin(), node.next_read()));
  node.take_settled();
  node.take_reads();
  node.take_events();
}

void disturb(two_redis& both, std::mt19937_64& random) {
  switch (random() % 12) {
    case 0:
      both.roll_back();
      both.promote();
      break;
    case 1:
      both.wipe();
      break;
    case 2:
      both.lose(static_cast<int>(random() % log_key_count));
      break;
    case 3:
      both.promote();
      break;
    case 4:
      both.raise_last_id(position{~std::uint64_t{0}, ~std::uint64_t{0}});
      break;
    case 5:
      both.raise_last_id(position{1'764'268'000'000, random() % 3});
      break;
    case 6:
    case 7:
      both.set_full(true);
      break;
    case 8:
      both.miscount("N" + std::to_string(random() % node_total), 1 + random() % 3);
      break;
    default:
      both.save();
  }
}

TEST_P(AgainstRedis, SaysTheSame) {
  two_redis both(retained);
  std::mt19937_64 random(GetParam());
  odd_commands odd(GetParam());
  std::vector<log_machine> nodes = make_nodes();
  int messages = 0;
  // Calm, disturbed by faults, disturbed by odd commands, in turn: each leaves another kind of ruin to the next.
  for (int i = 0; i < steps_per_seed && !testing::Test::HasFailure(); ++i) {
    const int phase = i / 100 % 3;
    log_machine& node = nodes[random() % nodes.size()];
    if (phase == 2 && random() % 2 == 0) {
      const command what = odd.next(both.model());
      both.execute("N" + std::to_string(random() % node_total), what);
    } else if (phase == 1 && random() % 20 == 0) {
      disturb(both, random);
    } else if (phase != 2) {
      run_node(node, both, random, messages);
    }
    if (i % 250 == 0) both.compare_keys();
    // What odd commands left may be beyond what nodes can take.
    if (phase == 2 && i % 100 == 99) {
      both.wipe();
      nodes = make_nodes();
      messages += 1'000;
    }
  }
  both.compare_keys();
}

INSTANTIATE_TEST_SUITE_P(Seeds, AgainstRedis, testing::Range<std::uint64_t>(1, 5));

}  // namespace
}  // namespace ordeal::chat::model
