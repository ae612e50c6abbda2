#include "harness/run/descriptors.h"

#include <sys/resource.h>

#include <algorithm>
#include <filesystem>

#include "net/async/descriptors.h"

namespace ordeal::harness {
namespace {

// Of the program: event loops, the history, results, logs, the warden, a fault's canaries.
constexpr std::uint64_t own = 64;
// Of a node: its link's port, which is held twice, and both ends of two connections to Redis.
constexpr std::uint64_t of_a_node = 6;
// So few left are none: one accept or connect more needs a pair.
constexpr std::uint64_t spare = 2;

std::uint64_t limit_in_force() {
  rlimit limit{};
  return ::getrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : 0;
}

std::string remedy(std::uint64_t wanted) {
  return "raise the limit of the system for this user (ulimit -Hn " + std::to_string(wanted) +
         "; LimitNOFILE= of a service, --ulimit nofile= of a container), or use fewer clients";
}

}  // namespace

std::uint64_t descriptors_needed(const scenario& what) {
  const load_recipe& load = what.load;
  const std::size_t deputies =
      load.reconnect_anywhere
          ? std::min(load.clients_per_node, (load.rooms + load.rooms_each - 1) / load.rooms_each)
          : 0;
  return own + what.nodes * (of_a_node + load.clients_per_node + deputies);
}

std::string describe_shortage(std::uint64_t needed, std::uint64_t allowed) {
  return "this run needs at least " + std::to_string(needed) +
         " open files and sockets, a client is one, and Ordeal may have " +
         std::to_string(allowed) + ": " + remedy(needed);
}

std::string provide_descriptors(std::uint64_t needed) {
  std::uint64_t allowed = net::raise_descriptor_limit();
  if (allowed < needed) {
    const rlimit wanted{needed, needed};  // only who is privileged may
    if (::setrlimit(RLIMIT_NOFILE, &wanted) == 0) allowed = needed;
  }
  return allowed < needed ? describe_shortage(needed, allowed) : std::string();
}

std::string why_out_of_descriptors() {
  std::error_code ec;
  std::filesystem::directory_iterator entries("/proc/self/fd", ec);
  const std::uint64_t allowed = limit_in_force();
  const auto used = static_cast<std::uint64_t>(std::distance(begin(entries), end(entries)));
  const bool is_none_left =
      ec == std::errc::too_many_files_open || (!ec && used + spare >= allowed);
  if (!is_none_left) return {};
  return "Ordeal has used up the " + std::to_string(allowed) +
         " open files and sockets that it may have: " + remedy(2 * allowed);
}

}  // namespace ordeal::harness
