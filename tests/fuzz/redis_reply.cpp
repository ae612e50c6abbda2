// However a reply's bytes arrive, the same replies come out, up to the same error; and every
// element can be looked at.
#include "net/redis/connection.h"
#include "net/redis/reply_reader.h"
#include "tests/fuzz/target.h"

namespace ordeal::fuzz {
namespace {

using namespace ordeal::net::redis;

void describe(reply_view what, std::string& into) {
  if (what.is_nil()) into += "nil";
  if (what.is_error()) into += "error ";
  if (what.is_integer()) into += "integer ";
  into += what.text();
  into += '|' + std::to_string(what.integer());
  ORDEAL_ASSERT(what[what.size()].is_nil());
  if (!what.is_array()) return;
  into += '[';
  for (std::size_t i = 0; i < what.size(); ++i) {
    describe(what[i], into);
    into += ',';
  }
  into += ']';
}

std::string read(std::string_view text, cut how) {
  std::string found;
  reply_reader reader;
  for (const std::string_view piece : pieces_of(text, how)) {
    const exact_copy bytes(piece);
    reader.feed(bytes.view());
    while (const auto next = reader.take()) {
      ORDEAL_ASSERT(!reader.is_broken());
      (void)classify(next->view());
      describe(next->view(), found);
      found += '\n';
    }
  }
  return found + (reader.is_broken() ? "broken" : "");
}

}  // namespace
}  // namespace ordeal::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace ordeal::fuzz;
  const std::string_view text = text_of(bytes, size);
  const std::string wanted = read(text, cut::whole);
  ORDEAL_ASSERT(read(text, cut::single_bytes) == wanted);
  ORDEAL_ASSERT(read(text, cut::drawn) == wanted);
  return 0;
}
