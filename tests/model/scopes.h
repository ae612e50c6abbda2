// What is explored completely: each scope is one question, with bounds small enough to see every order of its steps.
#pragma once

#include <vector>

#include "tests/model/explore.h"

namespace ordeal::chat::model {

std::vector<scope> short_scopes();
std::vector<scope> long_scopes();  // these, with wider bounds

}  // namespace ordeal::chat::model
