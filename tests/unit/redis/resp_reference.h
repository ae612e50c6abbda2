// What a stream of RESP holds, told twice: by a plain recursive parser of the whole stream, and by a scanner that was
// fed with pieces of it. Both tell it as the same text, so that tests can compare.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "net/redis/resp_scanner.h"

namespace ordeal::test {

struct told_stream {
  std::vector<std::string>
      frames;  // "bulk word=ABC argument= size=0 integer=0 texts=[abc] errors=[]"
  bool is_lost = false;
  friend bool operator==(const told_stream&, const told_stream&) = default;
};
std::ostream& operator<<(std::ostream& out, const told_stream& what);

// By recursion, with copies of everything.
told_stream parse_whole(net::redis::resp_side side, std::string_view stream);

// By the scanner, fed with pieces that end at `ends` (ascending) and at the end of the stream.
told_stream scan_pieces(net::redis::resp_side side, std::string_view stream,
                        const std::vector<std::size_t>& ends);

}  // namespace ordeal::test
