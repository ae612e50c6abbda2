// junit.xml in Jenkins' dialect, as GitLab, Jenkins and the GitHub actions read it: a suite for
// each scenario, a case for each check. Inconclusive is an error, so it is never green.
#pragma once

#include <string>
#include <vector>

#include "reports/record.h"

namespace ordeal::report {

std::string junit_xml(const std::vector<run_record>& runs);
inline std::string junit_xml(const run_record& run) {
  return junit_xml(std::vector<run_record>{run});
}

}  // namespace ordeal::report
