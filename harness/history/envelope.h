// The payload of every message the fleet sends (docs/formats.md):
//   o2.<run>.<sender>.<seq>.<room>.<intended send time, ns>.<length of the body, bytes>.<crc32c>.<body>
// The head is ASCII. crc32c is 8 lower-case hex digits over all that stands before it, its dot included, and the whole
// body: a cut, an added or an altered byte anywhere shows. Sender and room are counted from 1, as in the names that
// people see ("client-3"), and so is seq. The body follows from the head and the content alone.
// Pure functions, callable from any thread; parsing neither allocates nor looks at the locale.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "harness/history/event.h"
#include "harness/payload.h"

namespace ordeal::harness {

inline constexpr std::string_view envelope_prefix = "o2.";
inline constexpr std::size_t run_nonce_length = 8;  // base32 characters

// At least `bytes` long, a byte more where no length of the body gives exactly that, longer when the head alone is.
std::string make_envelope(std::string_view run_nonce, const message_id& id, run_time intended,
                          std::size_t bytes, payload_content content = payload_content::ascii);
// Of a message of that run, between the recipe's bounds; the same whenever it is asked for.
std::size_t envelope_bytes(const payload_recipe& recipe, std::string_view run_nonce,
                           const message_id& id);

struct envelope {
  payload_state state = payload_state::not_an_envelope;
  message_id id;  // when intact
  run_time intended{};
};
envelope parse_envelope(std::string_view text, std::string_view run_nonce);

// Whose message it is, from the head of an envelope alone, up to and with its last dot. Nothing vouches for it: the
// checksum is not looked at.
std::optional<message_id> parse_envelope_head(std::string_view head);

// Of the bytes that gave the checksum `before`, and these. With the processor's instruction where there is one.
std::uint32_t crc32c(std::string_view bytes, std::uint32_t before = 0);
std::uint32_t crc32c_portable(std::string_view bytes, std::uint32_t before = 0);

}  // namespace ordeal::harness
