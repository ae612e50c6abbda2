#include "net/async/clock.h"

#include <array>
#include <cstdio>
#include <ctime>

namespace ordeal::net {
namespace {

struct wall_time {
  std::tm utc{};
  int milliseconds = 0;
};

wall_time read_wall_clock() {
  const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
  const auto milliseconds =
      std::chrono::duration_cast<std::chrono::milliseconds>(since_epoch).count();
  const std::time_t seconds = static_cast<std::time_t>(milliseconds / 1000);
  wall_time result;
  gmtime_r(&seconds, &result.utc);
  result.milliseconds = static_cast<int>(milliseconds % 1000);
  return result;
}

}  // namespace

std::string wall_time_iso8601() {
  const wall_time wall = read_wall_clock();
  std::array<char, 32> seconds{};
  std::strftime(seconds.data(), seconds.size(), "%Y-%m-%dT%H:%M:%S", &wall.utc);
  std::array<char, 48> text{};
  std::snprintf(text.data(), text.size(), "%s.%03dZ", seconds.data(), wall.milliseconds);
  return text.data();
}

std::string wall_time_compact() {
  const wall_time wall = read_wall_clock();
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y%m%dT%H%M%SZ", &wall.utc);
  return text.data();
}

}  // namespace ordeal::net
