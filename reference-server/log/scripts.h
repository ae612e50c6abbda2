// The texts of scripts/*.lua, embedded by the build. Each file says what it takes and returns.
#pragma once

#include <string_view>

namespace ordeal::chat::scripts {

extern const std::string_view append;
extern const std::string_view attach;
extern const std::string_view commit;
extern const std::string_view convene;
extern const std::string_view report;
extern const std::string_view restore;
extern const std::string_view truncate;

}  // namespace ordeal::chat::scripts
