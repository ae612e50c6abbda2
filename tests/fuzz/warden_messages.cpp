// A message that can be decoded is the same after it was encoded and decoded again.
#include "fault-injection/process/warden_messages.h"
#include "tests/fuzz/target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace ordeal::fault;
  const std::string_view text = ordeal::fuzz::text_of(bytes, size);
  if (const auto request = decode_request(text)) {
    const std::string encoded = encode(*request);
    const auto again = decode_request(encoded);
    ORDEAL_ASSERT(again && encode(*again) == encoded);
  }
  if (const auto event = decode_event(text)) {
    const std::string encoded = encode(*event);
    const auto again = decode_event(encoded);
    ORDEAL_ASSERT(again && encode(*again) == encoded);
  }
  return 0;
}
