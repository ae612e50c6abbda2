#include "net/async/descriptors.h"

#include <sys/resource.h>

#include <filesystem>
#include <iterator>
#include <limits>

namespace ordeal::net {
namespace {

std::size_t open_count() {
  std::error_code ec;
  std::filesystem::directory_iterator each("/proc/self/fd", ec);
  if (ec) return 16;  // no /proc: what a process has at its start, generously
  return static_cast<std::size_t>(std::distance(begin(each), end(each)));
}

}  // namespace

descriptor_usage raise_descriptor_limit() {
  rlimit limit{};
  descriptor_usage usage{std::numeric_limits<std::size_t>::max(), open_count()};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return usage;
  const rlim_t before = limit.rlim_cur;
  limit.rlim_cur = limit.rlim_max;
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) limit.rlim_cur = before;
  if (limit.rlim_cur != RLIM_INFINITY) usage.limit = static_cast<std::size_t>(limit.rlim_cur);
  return usage;
}

}  // namespace ordeal::net
