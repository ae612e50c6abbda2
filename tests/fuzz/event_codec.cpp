// Bytes of a chunk: events up to a problem; and events that were read survive being written and read again.
#include "harness/history/event_codec.h"

#include "harness/history/event_order.h"
#include "tests/fuzz/target.h"

namespace ordeal::fuzz {
namespace {

using namespace ordeal::harness;

constexpr run_time first{1'000};

struct read_events {
  std::vector<event> events;
  bool is_whole = false;
  run_time last{};
};

read_events read(std::string_view bytes) {
  static event_decoder decoder;  // as the reader has it: one for many chunks
  decoder.begin(bytes, first);
  read_events found;
  while (auto what = decoder.next()) {
    ORDEAL_ASSERT(decoder.position() < bytes.size());
    found.events.push_back(std::move(*what));
  }
  ORDEAL_ASSERT(!decoder.next());
  found.is_whole = decoder.problem().empty();
  ORDEAL_ASSERT(found.is_whole == (decoder.position() == bytes.size()) || !found.is_whole);
  found.last = decoder.last_time();
  return found;
}

std::string_view write(const std::vector<event>& events) {
  static event_encoder encoder;
  encoder.begin(first);
  for (const event& what : events) encoder.add(what);
  return encoder.bytes();
}

}  // namespace
}  // namespace ordeal::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace ordeal::fuzz;
  const read_events found = read(text_of(bytes, size));
  const read_events again = read(exact_copy(write(found.events)).view());
  ORDEAL_ASSERT(again.is_whole && again.events.size() == found.events.size());
  for (std::size_t i = 0; i < found.events.size(); ++i)
    ORDEAL_ASSERT(ordeal::harness::is_same(found.events[i], again.events[i]));
  if (!found.events.empty())
    ORDEAL_ASSERT(again.last == ordeal::harness::time_of(found.events.back()));
  return 0;
}
