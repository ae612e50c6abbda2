// Finds this run's envelopes in strings that pass in pieces, wherever in a string they stand (inside JSON, say).
// Keeps no more than one envelope's head, and believes it: a body that was damaged or escaped on its way is still that
// message's. What is compressed or encoded as a whole is not found. No I/O; one thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "harness/history/event.h"

namespace ordeal::harness {

class envelope_finder {
 public:
  explicit envelope_finder(std::string_view run_nonce);

  // The next piece of a string, or the first of another one. Appends what is complete to `found`.
  void feed(std::string_view piece, bool is_first, std::vector<message_id>& found);

 private:
  // Envelopes that begin before `begin_limit`. Returns where one begins that `text` is too short for, or its size.
  std::size_t scan(std::string_view text, std::size_t begin_limit,
                   std::vector<message_id>& found) const;

  std::string nonce_;
  std::string needle_;   // "o2.<nonce>."
  std::string carried_;  // the end of the last piece: an envelope may have begun there
};

}  // namespace ordeal::harness
