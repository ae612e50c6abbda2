#include "harness/drivers/driver.h"

#include <stdexcept>

#include "harness/drivers/signalr.h"

namespace ordeal::harness {

std::unique_ptr<driver> make_driver(const target& of) {
  if (of.driver == "signalr") return make_signalr_driver(of.protocol);
  throw std::invalid_argument("target '" + of.name + "': there is no driver '" + of.driver + "'");
}

const std::vector<std::string>& driver_names() {
  static const std::vector<std::string> names{"signalr"};
  return names;
}

}  // namespace ordeal::harness
