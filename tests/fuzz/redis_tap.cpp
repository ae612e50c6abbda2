// However the bytes of a node's connection to Redis arrive, the tap tells the same sightings. Input: what the node
// sends, a line "---", what Redis answers.
#include "harness/run/tap.h"

#include "tests/fuzz/target.h"

namespace ordeal::fuzz {
namespace {

using namespace ordeal::harness;
using fault::link_way;

void listen(fault::connection_tap& tap, link_way way, std::string_view text, cut how) {
  for (const std::string_view piece : pieces_of(text, how)) {
    const exact_copy bytes(piece);
    tap.on_bytes(way, bytes.view());
  }
}

std::string told_of(std::string_view text, cut how) {
  constexpr std::string_view separator = "---\n";
  const std::size_t end = std::min(text.find(separator), text.size());
  const std::size_t begin = std::min(end + separator.size(), text.size());
  std::string told;
  tap_outlet outlet;
  outlet.on_tapped = [&told](const std::vector<tapped>& batch) {
    for (const tapped& each : batch) {
      ORDEAL_ASSERT(each.node == node_id{3});
      told += std::to_string(static_cast<int>(each.where)) + " " + name_of(each.id) + "\n";
    }
  };
  const auto tap = tap_of(node_id{3}, "abcd2345", outlet)();
  listen(*tap, link_way::up, text.substr(0, end), how);
  listen(*tap, link_way::down, text.substr(begin), how);
  return told;
}

}  // namespace
}  // namespace ordeal::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace ordeal::fuzz;
  const std::string_view text = text_of(bytes, size);
  const std::string wanted = told_of(text, cut::whole);
  ORDEAL_ASSERT(told_of(text, cut::single_bytes) == wanted);
  ORDEAL_ASSERT(told_of(text, cut::drawn) == wanted);
  return 0;
}
