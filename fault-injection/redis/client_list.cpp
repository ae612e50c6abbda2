#include "fault-injection/redis/client_list.h"

namespace ordeal::fault {
namespace {

// Cuts the text before `separator` off `rest`.
std::string_view cut(std::string_view& rest, char separator) {
  const std::size_t end = rest.find(separator);
  const std::string_view head = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  return head;
}

}  // namespace

std::vector<std::string> connections_of(std::string_view client_list, std::string_view user) {
  std::vector<std::string> ids;
  while (!client_list.empty()) {
    std::string_view line = cut(client_list, '\n');
    std::string_view id;
    bool is_of_user = false;
    while (!line.empty()) {
      std::string_view value = cut(line, ' ');
      const std::string_view key = cut(value, '=');
      if (key == "id") id = value;
      if (key == "user") is_of_user = value == user;
    }
    if (is_of_user && !id.empty()) ids.emplace_back(id);
  }
  return ids;
}

}  // namespace ordeal::fault
