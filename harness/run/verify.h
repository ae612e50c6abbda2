// Judging a stored history again: what the verb `verify` does once its flags are read. Reads the directory of a run's
// results and writes nothing into it.
#pragma once

#include <filesystem>

#include "harness/run/run.h"

namespace ordeal::harness {

struct verify_options {
  std::filesystem::path run;  // a results directory, or a link to one
  bool is_strict = false;     // --as strict: not by the contract of the run
  color_mode color = color_mode::automatic;
  output_format format = output_format::text;
};

// Prints the same summary as the run did, and how it compares with the one recorded then.
exit_code verify_run(const verify_options& options);

}  // namespace ordeal::harness
