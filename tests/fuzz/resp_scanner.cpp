// The scanner tells of a stream what a plain recursive parser of the whole stream tells, however
// the bytes arrive, and is lost where that one is.
#include "net/redis/resp_scanner.h"

#include "tests/fuzz/target.h"
#include "tests/unit/redis/resp_reference.h"

namespace ordeal::fuzz {
namespace {

std::vector<std::size_t> ends_of(std::string_view text, cut how) {
  std::vector<std::size_t> ends;
  std::size_t end = 0;
  for (const std::string_view piece : pieces_of(text, how)) ends.push_back(end += piece.size());
  return ends;
}

}  // namespace
}  // namespace ordeal::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace ordeal::fuzz;
  using ordeal::net::redis::resp_side;
  const std::string_view text = text_of(bytes, size);
  for (const resp_side side : {resp_side::requests, resp_side::replies}) {
    const auto wanted = ordeal::test::parse_whole(side, text);
    for (const cut how : {cut::whole, cut::single_bytes, cut::drawn})
      ORDEAL_ASSERT(ordeal::test::scan_pieces(side, text, ends_of(text, how)) == wanted);
  }
  return 0;
}
