// How much passes through a link: an observer that shares nothing with it offers more than the link may carry on
// a new connection, and counts what is answered. The lines are commands that no Redis knows, so nothing
// changes there; every line is answered with one. It logs in first: Redis closes a stranger to whom it owes more
// than a kilobyte.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include "fault-injection/environment.h"
#include "net/async/clock.h"

namespace ordeal::fault {

namespace asio = boost::asio;

struct burst {
  std::size_t line_bytes = 3;  // with its end; 3 to 32 KiB
  std::size_t line_count = 1;
  login as;
  std::chrono::milliseconds window{500};  // measured for so long, and until something was answered,
  std::chrono::milliseconds limit{2'000};  // but never longer than this
};

struct burst_report {
  std::uint64_t answered_lines = 0;
  std::uint64_t bytes_up = 0, bytes_down = 0;  // of the answered lines, of the answers
  net::nanoseconds took{};
};

// Connects to the loopback port; leaves with a reset, so that nothing goes on behind it.
asio::awaitable<burst_report> send_burst(std::uint16_t port, burst what);

}  // namespace ordeal::fault
