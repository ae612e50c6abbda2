// Whatever a server says about itself or a sentinel about others: an address that is taken can be
// dialled and printed.
#include "net/redis/greeting.h"
#include "net/redis/reply_reader.h"
#include "net/redis/sentinel.h"
#include "tests/fuzz/target.h"

namespace ordeal::fuzz {
namespace {

using namespace ordeal::net::redis;

void expect_usable(const server_address& at) {
  ORDEAL_ASSERT(at.port > 0 && !at.host.empty() && at.host.size() <= 255);
  for (const char c : at.host) ORDEAL_ASSERT(c > ' ' && c < '\x7f');
  ORDEAL_ASSERT(to_text(at).find('\n') == std::string::npos);
}

void look_at(reply_view answer) {
  if (const auto master = parse_master_address(answer)) expect_usable(*master);
  const auto sentinels = parse_sentinels(answer);
  for (const server_address& each : sentinels) expect_usable(each);
  ORDEAL_ASSERT(sentinels.size() <= answer.size());
  sentinel_memory memory({{"given", 1}});
  memory.on_learned(sentinels);
  ORDEAL_ASSERT(memory.order().size() <= 1 + sentinel_memory::learned_max);
  ORDEAL_ASSERT(memory.order().front().host == "given");
  const std::string mode = parse_hello(answer).mode;
  ORDEAL_ASSERT(mode.empty() || answer.is_array());
  (void)not_master_words(answer, answer);
  (void)is_refused_login(answer);
}

}  // namespace
}  // namespace ordeal::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace ordeal::fuzz;
  reply_reader reader;
  reader.feed(text_of(bytes, size));
  while (const auto next = reader.take()) look_at(next->view());
  return 0;
}
