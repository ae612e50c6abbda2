#include "tests/fuzz/target.h"

#include <algorithm>

#include "net/async/random.h"

namespace ordeal::fuzz {

exact_copy::exact_copy(std::string_view of) : bytes_(new char[of.size()]), size_(of.size()) {
  std::copy(of.begin(), of.end(), bytes_.get());
}

std::vector<std::string_view> pieces_of(std::string_view text, cut how) {
  net::random_stream lengths(0, text);
  std::vector<std::string_view> pieces;
  while (!text.empty()) {
    std::size_t length = text.size();
    if (how == cut::single_bytes) length = 1;
    if (how == cut::drawn) {
      // Short ones and long ones alike.
      const std::size_t longest = std::size_t{1} << lengths.below(9);
      length = std::min(text.size(), 1 + lengths.below(longest));
    }
    pieces.push_back(text.substr(0, length));
    text.remove_prefix(length);
  }
  return pieces;
}

}  // namespace ordeal::fuzz
