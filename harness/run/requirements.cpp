#include "harness/run/requirements.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "fault-injection/fault.h"

namespace ordeal::harness {
namespace {

bool is_on_path(const std::string& program) {
  const char* path = std::getenv("PATH");
  std::string folders = path != nullptr ? path : "/usr/bin:/bin";
  while (!folders.empty()) {
    const std::size_t colon = folders.find(':');
    const std::filesystem::path candidate =
        std::filesystem::path(folders.substr(0, colon)) / program;
    if (::access(candidate.c_str(), X_OK) == 0) return true;
    folders = colon == std::string::npos ? "" : folders.substr(colon + 1);
  }
  return false;
}

}  // namespace

std::optional<std::string> why_refused(const scenario& what) {
  if (what.redis.mode == redis_mode::managed) return std::nullopt;
  for (const fault_recipe& each : what.faults) {
    const fault::fault_kind& kind = *fault::find_kind(each.kind);
    if (kind.target == fault::target_kind::redis) {
      return "fault '" + each.name + "' (" + each.kind +
             ") acts on the Redis server itself, and this Redis is an external one; use link_* " +
             "and node_* faults there, or a managed Redis";
    }
    const auto& allowed = what.redis.allowed_faults;
    if (std::find(allowed.begin(), allowed.end(), kind.klass) == allowed.end()) {
      return "fault '" + each.name + "' is of class " + fault::name_of(kind.klass) +
             ", which backplane.redis.allow_faults of this scenario does not list";
    }
  }
  return std::nullopt;
}

std::optional<std::string> why_skipped(const scenario& what, const target& with) {
  if (!what.required_capabilities.empty()) {
    return "it requires the capability '" + what.required_capabilities.front() +
           "', which this version does not have";
  }
  if (!with.launch)
    return "the target is attached, not launched; this version launches targets only";
  for (const std::string& program : with.launch->required_programs) {
    if (!is_on_path(program))
      return "the target needs the program '" + program + "', which is not on PATH";
  }
  return std::nullopt;
}

}  // namespace ordeal::harness
