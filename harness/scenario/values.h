// Scalars of user files: text to number and back. Strict: units are required, decimal digits only,
// no sign, no underscore, no leading zero, true and false only. Pure functions.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ordeal::harness {

// A value, or why there is none: a predicate that fits after the quoted text ("has no unit").
template <class T>
struct parsed {
  std::optional<T> value;
  std::string problem;
};

parsed<std::int64_t> parse_integer(std::string_view text);
parsed<bool> parse_boolean(std::string_view text);
parsed<std::chrono::nanoseconds> parse_duration(std::string_view text);  // 250ms, 1m30s, 2h
parsed<std::int64_t> parse_size(std::string_view text);                  // bytes: 128B, 64KiB, 64kB
// Bytes a second: bits as lines are sold, 256kbit/s (k is 1000), or bytes, 32kB/s, 32KB/s, 32KiB/s.
parsed<std::int64_t> parse_bandwidth(std::string_view text);
parsed<std::chrono::nanoseconds> parse_rate(
    std::string_view text);                           // 200/s, 30/m: the period of one
parsed<double> parse_percent(std::string_view text);  // 0.1% is 0.001
// Starts with a letter or digit; then letters, digits, '-', '_' and '.'; at most 64 characters.
bool is_identifier(std::string_view text);

// The shortest text that parses back to the same value: "1m30s", "250ms", "0s".
std::string format_duration(std::chrono::nanoseconds value);
std::string format_size(std::int64_t bytes);                  // "64KiB", "100B"
std::string format_bandwidth(std::int64_t bytes_per_second);  // "32kB/s", "1500B/s"
std::string format_rate(
    std::chrono::nanoseconds period);  // "200/s", rounded to a whole number where it is close

}  // namespace ordeal::harness
