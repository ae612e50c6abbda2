// What /proc/PID/stat says about a process. Callable from any thread.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string_view>

namespace ordeal::fault {

struct proc_stat {
  char state = '?';
  pid_t parent = 0;
};

// The text of the file: "123 (name, any characters) S 1 ...". nullopt when it is no such line.
std::optional<proc_stat> parse_proc_stat(std::string_view line);

// nullopt when there is no such process.
std::optional<proc_stat> read_proc_stat(pid_t pid);

}  // namespace ordeal::fault
