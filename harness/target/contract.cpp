#include "harness/target/contract.h"

#include "harness/scenario/values.h"
#include "harness/target/target_schema.h"

namespace ordeal::harness {
namespace {

// The words stand in the schema, in the order of the enumerators.
template <class Enum>
std::string word(std::string_view key, Enum value) {
  const schema_row* row = find_row(target_schema(), "contract." + std::string(key));
  return std::string(key) + " " + allowed_values(*row).at(static_cast<std::size_t>(value)) + ", ";
}

}  // namespace

contract strict_contract() {
  return {};
}

std::string describe(const contract& promises) {
  return word("delivery", promises.delivery) + word("order", promises.order) +
         word("duplicates", promises.duplicates) + word("ack", promises.ack) + "resume " +
         (promises.resume ? "true" : "false") + ", recovery " + format_duration(promises.recovery);
}

}  // namespace ordeal::harness
