// The words of contracts, for people; the types are in target.h.
#pragma once

#include <string>

#include "harness/target/target.h"

namespace ordeal::harness {

// "delivery every_message, order total, duplicates none, ack appended, resume true, recovery 15s"
std::string describe(const contract& promises);
// As in a target file.
std::string word_of(delivery_promise value);
std::string word_of(order_promise value);
std::string word_of(duplicates_promise value);

}  // namespace ordeal::harness
