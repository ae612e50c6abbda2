// The connections of a user, against a slower reading of the same lines.
#include <algorithm>
#include <sstream>

#include "fault-injection/redis/client_list.h"
#include "tests/fuzz/target.h"

namespace ordeal::fuzz {
namespace {

std::vector<std::string> expected(const std::string& list, const std::string& user) {
  std::vector<std::string> ids;
  std::istringstream lines(list);
  for (std::string line; std::getline(lines, line);) {
    std::string id, owner, word;
    std::istringstream words(line);
    while (std::getline(words, word, ' ')) {
      const std::size_t equals = std::min(word.find('='), word.size());
      const std::string value = word.substr(std::min(equals + 1, word.size()));
      if (word.substr(0, equals) == "id") id = value;
      if (word.substr(0, equals) == "user") owner = value;
    }
    if (owner == user && !id.empty()) ids.push_back(id);
  }
  return ids;
}

}  // namespace
}  // namespace ordeal::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace ordeal::fuzz;
  const std::string_view text = text_of(bytes, size);
  ORDEAL_ASSERT(ordeal::fault::connections_of(text, "chat") == expected(std::string(text), "chat"));
  return 0;
}
