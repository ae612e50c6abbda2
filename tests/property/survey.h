// Many random histories, judged twice: by the checkers as they stream by, and by the oracle that looks at everything.
#pragma once

#include <cstdint>
#include <string>

namespace ordeal::harness {

// What checkers and oracle disagree about in the histories of seeds from 1 on: each subject once, with the first seed
// and a minimised history. Empty: they agree. ORDEAL_HISTORIES and ORDEAL_SEED in the environment override how many,
// and the first seed.
std::string survey_disagreements(std::uint64_t histories);

}  // namespace ordeal::harness
