#include "harness/run/observers/node_observer.h"

#include <sys/stat.h>
#include <unistd.h>

#include <charconv>
#include <filesystem>
#include <fstream>
#include <string>

#include "fault-injection/process/proc_stat.h"

namespace ordeal::harness {
namespace {

// Kernels before 6.2 tell the number of descriptors only by listing them, at about a microsecond each: a thousand of
// them delay the next listing by a second, so that it costs a thousandth of a core at most.
constexpr std::chrono::milliseconds listing_pause_per_descriptor{1};

std::optional<std::uint64_t> read_resident_bytes(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/statm");
  std::string line;
  if (!std::getline(file, line)) return std::nullopt;
  const auto pages = parse_resident_pages(line);
  if (!pages) return std::nullopt;
  return *pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

struct descriptor_count {
  std::uint32_t count = 0;
  bool was_listed = false;
};

std::optional<descriptor_count> count_descriptors(pid_t pid) {
  const std::string path = "/proc/" + std::to_string(pid) + "/fd";
  struct stat about {};
  if (::stat(path.c_str(), &about) != 0) return std::nullopt;
  if (about.st_size > 0) return descriptor_count{static_cast<std::uint32_t>(about.st_size), false};
  std::error_code ec;
  std::filesystem::directory_iterator entries(path, ec);
  descriptor_count listed{0, true};
  for (; !ec && entries != std::filesystem::directory_iterator(); entries.increment(ec)) {
    ++listed.count;
  }
  if (ec) return std::nullopt;
  return listed;
}

// Of all its threads; zero where the kernel does not tell.
std::chrono::microseconds read_waited(pid_t pid) {
  std::chrono::nanoseconds sum{0};
  std::error_code ec;
  std::filesystem::directory_iterator threads("/proc/" + std::to_string(pid) + "/task", ec);
  for (; !ec && threads != std::filesystem::directory_iterator(); threads.increment(ec)) {
    std::ifstream file(threads->path() / "schedstat");  // "ran waited slices", the first two in ns
    std::int64_t ran = 0, waited = 0;
    if (file >> ran >> waited) sum += std::chrono::nanoseconds(waited);
  }
  return std::chrono::duration_cast<std::chrono::microseconds>(sum);
}

}  // namespace

std::optional<std::uint64_t> parse_resident_pages(std::string_view line) {
  // "size resident shared text lib data dt"
  const std::size_t space = line.find(' ');
  if (space == std::string_view::npos) return std::nullopt;
  const std::string_view rest = line.substr(space + 1);
  std::uint64_t pages = 0;
  const auto parsed = std::from_chars(rest.data(), rest.data() + rest.size(), pages);
  if (parsed.ec != std::errc()) return std::nullopt;
  return pages;
}

node_observer::node_observer(node_set& nodes) : nodes_(nodes), courses_(nodes.node_count()) {}

std::vector<node_usage> node_observer::look(const std::function<run_time()>& now) {
  std::vector<node_usage> samples;
  for (std::size_t index = 0; index < courses_.size(); ++index) {
    const fault::process* const running = nodes_.running_process(index);
    if (running == nullptr) continue;
    if (const auto sample = look_at(index, running->pid(), now)) samples.push_back(*sample);
  }
  return samples;
}

std::optional<node_usage> node_observer::look_at(std::size_t index, pid_t pid,
                                                 const std::function<run_time()>& now) {
  const auto stat = fault::read_proc_stat(pid);
  if (!stat || stat->state == 'T' || stat->state == 'Z') return std::nullopt;
  course& known = courses_[index];
  if (pid != known.pid) known = {pid, known.incarnation + 1, 0, {}};
  if (const run_time at = now(); at >= known.count_again_at) {
    const auto counted = count_descriptors(pid);
    if (!counted) return std::nullopt;
    known.descriptors = counted->count;
    known.count_again_at = at;
    if (counted->was_listed) known.count_again_at += listing_pause_per_descriptor * counted->count;
  }
  const auto resident = read_resident_bytes(pid);
  // Directly one after the other, or the use of longer would be held against the time between two samples.
  const auto cpu = fault::process_cpu_time(pid);
  const run_time at = now();
  // It may have ended between the reads.
  if (!resident || *resident == 0 || cpu.count() == 0) return std::nullopt;
  return node_usage{at,  node_id(index),    *resident,       known.descriptors,
                    cpu, known.incarnation, read_waited(pid)};
}

}  // namespace ordeal::harness
