// Looking into a stored history: what the verb `history` does once its flags are read. Reads the directory of a run's
// results and writes nothing into it. Also for a run that goes on, up to its last flush.
#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>

#include "harness/run/history_filter.h"
#include "harness/run/run.h"

namespace ordeal::harness {

struct show_history_options {
  std::filesystem::path run;  // a results directory, or a link to one
  filter_words wanted;
  std::uint64_t limit = std::numeric_limits<std::uint64_t>::max();  // of lines
};

// A JSON object a line on stdout; on stderr what is missing from the history. A reader of stdout that has had enough
// (`| head`) ends it without a complaint.
exit_code show_history(const show_history_options& options);

}  // namespace ordeal::harness
