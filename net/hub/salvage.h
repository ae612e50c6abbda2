// What can still be read of a record that is legal JSON and yet cannot be held: half of a surrogate pair, a number
// or a depth without measure. Enough to answer the one call, instead of ending the connection. Private to the codec.
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/storage_ptr.hpp>
#include <boost/system/error_code.hpp>
#include <optional>
#include <string_view>

namespace ordeal::net::hub {

// What is the matter, in words for the caller; null: it is not of that kind, the record is no JSON.
const char* unusable_part(std::string_view record, const boost::system::error_code& why);

// The members of the object at the top that can be read by themselves; `arguments` is empty when it cannot. nullopt:
// not an object, or not well-formed as far as strings and brackets go.
std::optional<boost::json::object> salvage(std::string_view record,
                                           boost::json::storage_ptr memory);

}  // namespace ordeal::net::hub
