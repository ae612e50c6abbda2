#include <algorithm>
#include <array>

#include "harness/run/run.h"

namespace ordeal::harness {

exit_code worst_of(exit_code a, exit_code b) {
  // A proven violation is never masked by an interruption or by an inconclusive run.
  constexpr std::array order{exit_code::internal_error,   exit_code::results_not_written,
                             exit_code::environment,      exit_code::invalid_file,
                             exit_code::refused,          exit_code::violation,
                             exit_code::interrupted,      exit_code::terminated,
                             exit_code::inconclusive,     exit_code::nothing_ran,
                             exit_code::bad_command_line, exit_code::pass};
  const auto rank = [&order](exit_code code) {
    return std::find(order.begin(), order.end(), code);
  };
  return std::min(rank(a), rank(b)) == rank(a) ? a : b;
}

}  // namespace ordeal::harness
