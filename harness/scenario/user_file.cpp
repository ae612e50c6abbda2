#include "harness/scenario/user_file.h"

#include <filesystem>

#include "net/async/regular_file.h"

namespace ordeal::harness {
namespace {

constexpr std::size_t text_bytes_max = 1U << 20U;

}  // namespace

std::optional<std::string> read_user_file(const std::string& path, problem_list& problems) {
  net::file_content read = net::read_regular_file(path, text_bytes_max);
  if (read.problem.empty()) return std::move(read.text);
  diagnostic problem;
  problem.where.file = path;
  problem.message =
      "cannot read '" + path + "': " + (read.is_missing ? "there is no such file" : read.problem);
  problem.code = "E201";
  std::error_code ec;
  const bool has_suffix = path.ends_with(".yaml") || path.ends_with(".yml");
  if (std::filesystem::is_directory(path, ec)) {
    problem.remedy = "name one *.yaml file in it";
  } else if (!has_suffix) {
    problem.remedy = "write the path of a *.yaml file, or an id that `ordeal list scenarios` shows";
  }
  problems.add(std::move(problem));
  return {};
}

}  // namespace ordeal::harness
