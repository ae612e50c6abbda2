// The bugs as texts: JSON for programs, Markdown for docs/planted-bugs.md.
#pragma once

#include <string>

namespace ordeal::planted {

std::string json_list();
std::string markdown_table();

}  // namespace ordeal::planted
