// The version of the program, from the build.
#pragma once

#ifndef ORDEAL_VERSION
#error "ORDEAL_VERSION is defined by reference-server/hub/CMakeLists.txt"
#endif

namespace ordeal::chat {

inline constexpr const char* version = ORDEAL_VERSION;

}  // namespace ordeal::chat
