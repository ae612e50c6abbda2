// A JSON value as text for people too: numbers as they are usually written (Boost.JSON prints 5.01
// as 5.01E0), an optional indentation, and only valid UTF-8, whatever the strings hold.
#pragma once

#include <boost/json/value.hpp>
#include <string>

namespace ordeal::report {

// On one line.
std::string json_text(const boost::json::value& value);
// Indented; arrays of plain values and small objects stay on one line.
std::string json_page(const boost::json::value& value);

}  // namespace ordeal::report
