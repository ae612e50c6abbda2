// The header of a history: terms, or an error that says so; terms that can be read survive being stored again.
#include "harness/scenario/terms.h"

#include <stdexcept>

#include "tests/fuzz/target.h"

namespace ordeal::fuzz {
namespace {

std::optional<harness::terms> read(std::string_view text) {
  try {
    return harness::parse_terms(text);
  } catch (const std::runtime_error& error) {
    ORDEAL_ASSERT(std::string_view(error.what()).starts_with("the terms of this history"));
    return std::nullopt;
  }
}

}  // namespace
}  // namespace ordeal::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace ordeal;
  const auto found = fuzz::read(fuzz::text_of(bytes, size));
  if (!found) return 0;
  for (const harness::seat_terms& client : found->clients) {
    ORDEAL_ASSERT(index_of(client.home) < found->nodes);
    for (const harness::room_id room : client.rooms)
      ORDEAL_ASSERT(index_of(room) < found->rooms.size());
  }
  const std::string stored = harness::to_json(*found);
  const auto again = fuzz::read(stored);
  ORDEAL_ASSERT(again && again->clients.size() == found->clients.size());
  // Bounds are fractions, whose last bit may change once when they are read (see hub_codec).
  const std::string stored_again = harness::to_json(*again);
  ORDEAL_ASSERT(fuzz::read(stored_again)->seed == found->seed);
  if (found->expectations.empty()) ORDEAL_ASSERT(stored_again == stored);
  return 0;
}
