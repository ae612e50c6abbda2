#include "net/async/descriptors.h"

#include <sys/resource.h>

#include <filesystem>
#include <iterator>
#include <limits>

namespace ordeal::net {
namespace {

constexpr std::size_t open_at_start = 16;

}  // namespace

std::size_t raise_descriptor_limit() {
  constexpr std::size_t no_limit = std::numeric_limits<std::size_t>::max();
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return no_limit;
  const rlim_t before = limit.rlim_cur;
  limit.rlim_cur = limit.rlim_max;
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) limit.rlim_cur = before;
  return limit.rlim_cur == RLIM_INFINITY ? no_limit : static_cast<std::size_t>(limit.rlim_cur);
}

std::size_t open_descriptor_count() {
  std::error_code ec;
  std::filesystem::directory_iterator each("/proc/self/fd", ec);
  if (ec) return open_at_start;
  return static_cast<std::size_t>(std::distance(begin(each), end(each)));
}

}  // namespace ordeal::net
