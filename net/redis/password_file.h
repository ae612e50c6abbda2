// The password of a connection that is about to be made: read from its file each time, so that a
// rotated password is picked up without a restart. Errors name the file, never what is in it.
#pragma once

#include <string>

#include "net/redis/connection.h"

namespace ordeal::net::redis {

struct password_result {
  std::string password;
  std::string error;  // empty when the password is usable
};
password_result read_password(const credentials& auth);

}  // namespace ordeal::net::redis
