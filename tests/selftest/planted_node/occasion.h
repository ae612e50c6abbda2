// Now and then: draws that differ from node to node, or all nodes would make the same mistake with
// the same message and agree again. The same in every run.
#pragma once

#include <cstdint>
#include <string_view>

#include "net/async/random.h"

namespace ordeal::planted {

class occasion {
 public:
  explicit occasion(std::string_view node_name) : draws_(seed, node_name) {}

  bool is_now() { return draws_.below(one_in) == 0; }
  std::size_t below(std::size_t bound) { return draws_.below(bound); }

 private:
  static constexpr std::uint64_t seed = 20'260'101;
  static constexpr std::uint64_t one_in = 40;

  net::random_stream draws_;
};

}  // namespace ordeal::planted
