// ORDEAL_ASSERT states what only a bug in this program can break. It stays in release builds: it prints the
// expression and its place, calls the handler that was set (the harness heals its faults there), and aborts.
#pragma once

namespace ordeal::net {

using assert_handler = void (*)() noexcept;

// Called once before the abort; replaces the earlier one. Null by default.
void set_assert_handler(assert_handler handler) noexcept;

[[noreturn]] void assertion_failed(const char* expression, const char* file, int line) noexcept;

}  // namespace ordeal::net

#define ORDEAL_ASSERT(expression) \
  ((expression) ? void(0) : ::ordeal::net::assertion_failed(#expression, __FILE__, __LINE__))
