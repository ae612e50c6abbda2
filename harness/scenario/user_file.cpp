#include "harness/scenario/user_file.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace ordeal::harness {

std::optional<std::string> read_user_file(const std::string& path, problem_list& problems) {
  std::error_code ec;
  std::string reason;
  const bool is_directory = std::filesystem::is_directory(path, ec);
  if (is_directory) {
    reason = "it is a directory";
  } else {
    errno = 0;
    std::ifstream in(path, std::ios::binary);
    if (in) {
      std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
      if (!in.bad()) return text;
    }
    reason = errno == ENOENT ? "there is no such file" : std::strerror(errno == 0 ? EIO : errno);
  }
  diagnostic problem;
  problem.where.file = path;
  problem.message = "cannot read '" + path + "': " + reason;
  problem.code = "E201";
  const bool has_suffix = path.ends_with(".yaml") || path.ends_with(".yml");
  if (is_directory) {
    problem.remedy = "name one *.yaml file in it";
  } else if (!has_suffix) {
    problem.remedy = "write the path of a *.yaml file, or an id that `ordeal list scenarios` shows";
  }
  problems.add(std::move(problem));
  return {};
}

}  // namespace ordeal::harness
