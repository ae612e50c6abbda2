// The limit of open files of this process. Callable from any thread.
#pragma once

#include <cstddef>

namespace ordeal::net {

struct descriptor_usage {
  std::size_t limit = 0;  // the soft one, as it is now
  std::size_t open = 0;
};
// Raises the soft limit to the hard one, which needs no privilege.
descriptor_usage raise_descriptor_limit();

}  // namespace ordeal::net
