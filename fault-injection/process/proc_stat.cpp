#include "fault-injection/process/proc_stat.h"

#include <charconv>
#include <fstream>
#include <string>

namespace ordeal::fault {

std::optional<proc_stat> parse_proc_stat(std::string_view line) {
  // The name may hold spaces and brackets: the last bracket ends it.
  const std::size_t name_end = line.rfind(')');
  if (name_end == std::string_view::npos || line.size() < name_end + 5) return std::nullopt;
  const std::string_view rest = line.substr(name_end + 2);
  proc_stat result;
  result.state = rest[0];
  const auto parsed = std::from_chars(rest.data() + 2, rest.data() + rest.size(), result.parent);
  if (parsed.ec != std::errc()) return std::nullopt;
  return result;
}

std::optional<proc_stat> read_proc_stat(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  if (!std::getline(file, line)) return std::nullopt;
  return parse_proc_stat(line);
}

}  // namespace ordeal::fault
