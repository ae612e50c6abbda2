// Random ids, and random streams that are the same for the same seed on every machine.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace ordeal::net {

// `length` characters of 0-9a-v (5 bits each) from the operating system: ids that nobody else has.
std::string random_id(std::size_t length);

// 64 bits from the operating system.
std::uint64_t random_seed();

// A named stream of one root seed (SplitMix64 seeded by a hash of root, name and index): adding a consumer does not
// shift what the others draw. Not for secrets.
class random_stream {
 public:
  random_stream(std::uint64_t root_seed, std::string_view name, std::uint64_t index = 0);

  std::uint64_t next();
  // Uniform in [0, bound); bound > 0.
  std::uint64_t below(std::uint64_t bound);
  // Uniform in [0, 1).
  double unit();

 private:
  std::uint64_t state_;
};

}  // namespace ordeal::net
