// The payload of every message the fleet sends (interfaces.md):
//   o1.<run>.<sender>.<seq>.<room>.<intended send time, ns>.<crc32c>.<padding>
// ASCII. crc32c is 8 lower-case hex digits over everything before its dot; the padding is 'x' up to the wanted size.
// Sender and room are counted from 1, as in the names that people see ("client-3"), and so is seq.
// Pure functions, callable from any thread; parsing neither allocates nor looks at the locale.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "harness/history/event.h"

namespace ordeal::harness {

inline constexpr std::size_t run_nonce_length = 8;  // base32 characters

// At least `bytes` long when the fields leave room for padding; longer otherwise.
std::string make_envelope(std::string_view run_nonce, const message_id& id, run_time intended,
                          std::size_t bytes);

struct envelope {
  payload_state state = payload_state::not_an_envelope;
  message_id id;  // when intact
  run_time intended{};
};
// The checksum covers the head; padding is checked to be all 'x'.
envelope parse_envelope(std::string_view text, std::string_view run_nonce);

// With the processor's instruction where there is one.
std::uint32_t crc32c(std::string_view bytes);
std::uint32_t crc32c_portable(std::string_view bytes);

}  // namespace ordeal::harness
