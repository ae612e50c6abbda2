// Two judgements of one run, as their summary.json pages say them: do they come to the same? Pure functions.
#pragma once

#include <boost/json/value.hpp>
#include <string>
#include <vector>

namespace ordeal::harness {

// Verdict, checks, findings and totals that differ, a sentence each: "check order: recorded pass, now fail". Words of
// details and measured times do not count. Throws when a page is none.
std::vector<std::string> differences(const boost::json::value& recorded,
                                     const boost::json::value& now);

}  // namespace ordeal::harness
