// What a run's exit code and summary say about the judge: a correct target must be acquitted. No I/O.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace ordeal::acquittal {

enum class standing { passed, inconclusive, failed };

struct outcome {
  standing result = standing::failed;
  std::string why;                   // one line; empty when passed
  std::vector<std::string> reasons;  // inconclusive: the checks that said so
};

// No exit code: the run did not end in time. `summary` is summary.json, empty when there is none.
outcome classify(std::optional<int> exit_code, const std::string& summary);

}  // namespace ordeal::acquittal
