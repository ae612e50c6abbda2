// Reads the reply of CLIENT LIST: one connection a line, "id=7 addr=127.0.0.1:5000 ... user=chat
// ...". Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ordeal::fault {

// The ids of the connections that are logged in as `user`, in the order of the list.
std::vector<std::string> connections_of(std::string_view client_list, std::string_view user);

}  // namespace ordeal::fault
