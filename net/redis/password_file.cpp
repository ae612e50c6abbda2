#include "net/redis/password_file.h"

#include <utility>

#include "net/async/regular_file.h"

namespace ordeal::net::redis {
namespace {

constexpr std::size_t file_bytes_max = 64U << 10U;

}  // namespace

password_result read_password(const credentials& auth) {
  password_result result;
  if (auth.password_file.empty()) {
    result.password = auth.password;
    return result;
  }
  const std::string place = "the password file " + auth.password_file.string();
  file_content read = read_regular_file(auth.password_file, file_bytes_max);
  if (!read.problem.empty()) {
    result.error = "cannot read " + place + ": " + read.problem;
    return result;
  }
  result.password = std::move(read.text);
  if (result.password.ends_with('\n')) result.password.pop_back();
  if (result.password.ends_with('\r')) result.password.pop_back();
  return result;
}

}  // namespace ordeal::net::redis
