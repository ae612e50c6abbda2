#include "tests/model/scopes.h"

namespace ordeal::chat::model {
namespace {

scope make(std::string name, limits bounds, std::size_t states_max) {
  scope result;
  result.name = std::move(name);
  // Patience costs states and says nothing new: the grace is over at the first look.
  result.options.machine.grace_looks = 1;
  result.options.machine.boot_looks = 1;
  result.options.machine.stall_looks = 3;
  result.options.machine.batch_entries_max = 2;
  result.options.machine.restore_entries_max = 4;
  result.options.redis.truncate_max = 4;
  result.options.bounds = bounds.with(limit::convenes, 1);
  result.prologue = {step{action::settle, 0, 0}};
  result.depth_max = 60;
  result.states_max = states_max;
  return result;
}

std::vector<scope> scopes(std::size_t states_max, int more) {
  using enum limit;
  const limits none = limits::none();
  std::vector<scope> all;
  const auto add = [&](std::string name, limits bounds) {
    all.push_back(make(std::move(name), bounds, states_max));
  };
  add("lost answers", none.with(adds, 1 + more).with(drops, 1 + more).with(delays, 1));
  add("slow reads", none.with(adds, 1 + more).with(reader_delays, 1).with(restarts, 1));
  add("restart", none.with(adds, 1).with(restarts, 1).with(drops, more));
  add("loss of everything", none.with(adds, 1).with(restarts_empty, 1).with(drops, more));
  add("rollback", none.with(adds, 1).with(saves, 1).with(rollbacks, 1).with(drops, more));
  add("promotion", none.with(adds, 1).with(promotions, 1).with(delays, more));
  add("wipe", none.with(adds, 1).with(wipes, 1).with(drops, more));
  add("key loss", none.with(adds, 1).with(key_losses, 1));
  add("miscount", none.with(adds, 1).with(miscounts, 1).with(drops, 1 + more).with(delays, more));
  add("zombie", none.with(adds, 1).with(zombies, 1).with(restarts, 1));
  add("crash in a recovery", none.with(restarts_empty, 1).with(crashes, 1).with(joins, more));
  add("crash and rollback", none.with(adds, 1).with(saves, 1).with(rollbacks, 1).with(crashes, 1));
  // Appends one behind the other: a message each.
  const auto add_pipelined = [&](std::string name, limits bounds) {
    add(std::move(name), bounds);
    all.back().options.machine.batch_entries_max = 1;
  };
  add_pipelined("appends in a row", none.with(adds, 2 + more).with(delays, 2).with(drops, 1));
  add_pipelined("appends in a row, and a miscount",
                none.with(adds, 2).with(delays, 2 + more).with(miscounts, 1));
  add_pipelined("appends in a row, and a rollback",
                none.with(adds, 2).with(delays, 2).with(saves, 1).with(rollbacks, 1));
  scope boot = make("from nothing", none.with(adds, 1).with(drops, more), states_max);
  boot.prologue.clear();
  all.push_back(boot);
  return all;
}

}  // namespace

std::vector<scope> short_scopes() {
  return scopes(20'000, 0);
}

std::vector<scope> long_scopes() {
  return scopes(600'000, 1);
}

}  // namespace ordeal::chat::model
