#include "net/async/assert.h"

#include <atomic>
#include <cstdio>
#include <cstdlib>

namespace ordeal::net {
namespace {
std::atomic<assert_handler> handler_{nullptr};
}

void set_assert_handler(assert_handler handler) noexcept {
  handler_ = handler;
}

void assertion_failed(const char* expression, const char* file, int line) noexcept {
  std::fprintf(stderr, "assertion failed: %s\n  --> %s:%d\n", expression, file, line);
  if (const assert_handler handler = handler_.exchange(nullptr)) handler();
  std::abort();
}

}  // namespace ordeal::net
