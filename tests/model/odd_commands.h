// Commands that no node would send, or not now: old epochs, gaps, known ids with another text,
// claims of others, chunks that do not fit. So that every branch of the scripts is taken.
#pragma once

#include <random>
#include <string>
#include <vector>

#include "tests/model/redis_model.h"

namespace ordeal::chat::model {

class odd_commands {
 public:
  explicit odd_commands(std::uint64_t seed) : random_(seed) {}

  command next(const redis_model& redis);

 private:
  std::uint64_t below(std::uint64_t end) { return random_() % end; }
  bool one_in(std::uint64_t count) { return below(count) == 0; }
  position some_position(const redis_model& redis);
  log_identity some_identity(const redis_model& redis);
  repair_claim some_claim(const redis_model& redis);
  append_command append(const redis_model& redis);
  convene_command convene(const redis_model& redis);
  restore_command restore(const redis_model& redis);
  commit_command commit(const redis_model& redis);

  std::mt19937_64 random_;
  std::uint64_t rounds_ = 0, epoch_ = 0;
};

}  // namespace ordeal::chat::model
