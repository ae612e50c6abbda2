#include "harness/target/contract.h"

#include "harness/scenario/values.h"
#include "harness/target/target_schema.h"

namespace ordeal::harness {
namespace {

// The words stand in the schema, in the order of the enumerators.
template <class Enum>
std::string word(std::string_view key, Enum value) {
  const schema_row* row = find_row(target_schema(), "contract." + std::string(key));
  return allowed_values(*row).at(static_cast<std::size_t>(value));
}

template <class Enum>
std::string item(std::string_view key, Enum value) {
  return std::string(key) + " " + word(key, value) + ", ";
}

}  // namespace

contract strict_contract() {
  return {};
}

std::string word_of(delivery_promise value) {
  return word("delivery", value);
}

std::string word_of(order_promise value) {
  return word("order", value);
}

std::string word_of(duplicates_promise value) {
  return word("duplicates", value);
}

std::string describe(const contract& promises) {
  return item("delivery", promises.delivery) + item("order", promises.order) +
         item("duplicates", promises.duplicates) + item("ack", promises.ack) + "resume " +
         (promises.resume ? "true" : "false") + ", recovery " + format_duration(promises.recovery);
}

}  // namespace ordeal::harness
