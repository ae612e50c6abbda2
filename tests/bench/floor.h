// The least CPU time that delivering a frame over loopback TCP costs on this machine: a loop that
// writes pre-encoded WebSocket frames to N sockets, and a bare epoll reader. No framework, no
// parsing.
//
// Forks one process for each side, so call it while the program has one thread.
#pragma once

#include <chrono>
#include <cstddef>

namespace ordeal::bench {

inline constexpr std::size_t frame_bytes = 190;

struct floor_options {
  std::size_t socket_count = 200;
  std::size_t messages_per_second = 100;  // each goes to every socket; 0: as fast as possible
  std::size_t frames_per_write = 1;       // so many messages are written together
  std::chrono::milliseconds duration{5'000};
};

struct floor_costs {
  std::size_t frame_count = 0;  // written and read
  double write_cpu_us_per_frame = 0;
  double read_cpu_us_per_frame = 0;
};

// Throws std::system_error when sockets or processes cannot be had, std::runtime_error when a side
// failed.
floor_costs measure_floor(const floor_options& options);

}  // namespace ordeal::bench
