#include "net/redis/password_file.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

namespace ordeal::net::redis {

password_result read_password(const credentials& auth) {
  password_result result;
  if (auth.password_file.empty()) {
    result.password = auth.password;
    return result;
  }
  const std::string place = "the password file " + auth.password_file.string();
  std::error_code unknown;  // then opening it fails too
  if (std::filesystem::is_directory(auth.password_file, unknown)) {
    result.error = place + " is a directory";
    return result;
  }
  errno = 0;
  std::ifstream file(auth.password_file, std::ios::binary);
  if (!file) {
    result.error = "cannot read " + place;
    if (errno != 0) result.error += std::string(": ") + std::strerror(errno);
    return result;
  }
  result.password.assign(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  if (result.password.ends_with('\n')) result.password.pop_back();
  if (result.password.ends_with('\r')) result.password.pop_back();
  return result;
}

}  // namespace ordeal::net::redis
