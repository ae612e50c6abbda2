// The limit of open files of this process. Callable from any thread.
#pragma once

#include <cstddef>

namespace ordeal::net {

// Raises the soft limit to the hard one, which needs no privilege. The limit in force then; the largest number there is
// where it cannot be known, or there is none.
std::size_t raise_descriptor_limit();

// Open now; as many as a process has at its start, generously, where nobody tells.
std::size_t open_descriptor_count();

}  // namespace ordeal::net
