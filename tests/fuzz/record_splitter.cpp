// However the bytes arrive, the splitter cuts the same records, and together they are what arrived.
#include <algorithm>
#include <string>

#include "net/hub/codec.h"
#include "tests/fuzz/target.h"

namespace ordeal::fuzz {
namespace {

constexpr std::size_t record_bytes_max =
    64;  // small, so that records of both sides of it are usual

struct split_text {
  std::vector<std::string> records;
  bool is_overflown = false;
  friend bool operator==(const split_text&, const split_text&) = default;
};

split_text split(std::string_view text, cut how) {
  split_text found;
  net::hub::record_splitter splitter(record_bytes_max);
  for (const std::string_view piece : pieces_of(text, how)) {
    const exact_copy frame(piece);
    splitter.feed(frame.view());
    while (const auto record = splitter.take()) found.records.emplace_back(*record);
  }
  found.is_overflown = splitter.is_overflown();
  return found;
}

// The same, as one would write it down.
split_text expected(std::string_view text) {
  split_text found;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(net::hub::record_separator), text.size());
    found.is_overflown = end > record_bytes_max;
    if (found.is_overflown || end == text.size()) break;
    found.records.emplace_back(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  return found;
}

}  // namespace
}  // namespace ordeal::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace ordeal::fuzz;
  const std::string_view text = text_of(bytes, size);
  const split_text wanted = expected(text);
  for (const cut how : {cut::whole, cut::single_bytes, cut::drawn}) {
    ORDEAL_ASSERT(split(text, how) == wanted);
  }
  return 0;
}
