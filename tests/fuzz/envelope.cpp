// An envelope that is found intact can be made again; a changed byte is noticed; both checksums are one.
#include <string>

#include "harness/history/envelope.h"
#include "tests/fuzz/target.h"

namespace ordeal::fuzz {
namespace {

using namespace ordeal::harness;

constexpr std::string_view run_nonce = "abcd2345";

void expect_same(const envelope& one, const envelope& other) {
  ORDEAL_ASSERT(one.state == other.state);
  ORDEAL_ASSERT(one.id == other.id && one.intended == other.intended);
}

// Nothing but the checksum keeps the fuzzer out of what lies behind it: put the right one there.
std::string with_good_checksum(std::string_view text) {
  std::size_t checked = 0;  // up to and with the dot before the length
  for (int dots = 0; dots < 6; ++dots) {
    checked = text.find('.', checked) + 1;
    if (checked == 0) return {};
  }
  std::size_t body = checked;
  for (int dots = 0; dots < 2; ++dots) {
    body = text.find('.', body) + 1;
    if (body == 0) return {};
  }
  const std::string_view rest = text.substr(body);
  std::string result(text.substr(0, checked));
  result += std::to_string(rest.size()) + ".";
  char checksum[16];
  std::snprintf(checksum, sizeof checksum, "%08x.", crc32c(rest, crc32c(result)));
  return result.append(checksum).append(rest);
}

void try_text(std::string_view text) {
  const envelope found = parse_envelope(text, run_nonce);
  if (found.state != payload_state::intact) return;
  const std::string again = make_envelope(run_nonce, found.id, found.intended, text.size());
  expect_same(parse_envelope(again, run_nonce), found);
  ORDEAL_ASSERT(parse_envelope(again, "wxyz2345").state == payload_state::foreign_run);

  std::string damaged(text);
  const std::size_t place = crc32c(text) % damaged.size();
  damaged[place] = static_cast<char>(damaged[place] ^ 1);
  ORDEAL_ASSERT(parse_envelope(damaged, run_nonce).state != payload_state::intact);
}

}  // namespace
}  // namespace ordeal::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace ordeal::fuzz;
  const std::string_view text = text_of(bytes, size);
  ORDEAL_ASSERT(ordeal::harness::crc32c(text) == ordeal::harness::crc32c_portable(text));
  try_text(text);
  const std::string mended = with_good_checksum(text);
  if (!mended.empty()) try_text(exact_copy(mended).view());
  return 0;
}
