#include "harness/scenario/values.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <span>

namespace ordeal::harness {
namespace {

struct unit {
  std::string_view name;
  std::int64_t factor;
};

constexpr std::array<unit, 7> duration_units{{{"d", 86'400'000'000'000},
                                              {"h", 3'600'000'000'000},
                                              {"m", 60'000'000'000},
                                              {"s", 1'000'000'000},
                                              {"ms", 1'000'000},
                                              {"us", 1'000},
                                              {"ns", 1}}};
constexpr std::array<unit, 7> size_units{{{"GiB", 1LL << 30},
                                          {"GB", 1'000'000'000},
                                          {"MiB", 1LL << 20},
                                          {"MB", 1'000'000},
                                          {"KiB", 1LL << 10},
                                          {"kB", 1'000},
                                          {"B", 1}}};
constexpr std::array<unit, 11> bandwidth_units{{{"Gbit/s", 1'000'000'000},
                                                {"Mbit/s", 1'000'000},
                                                {"kbit/s", 1'000},
                                                {"bit/s", 1},
                                                {"MiB/s", 8LL << 20},
                                                {"MB/s", 8'000'000},
                                                {"KiB/s", 8LL << 10},
                                                {"kB/s", 8'000},
                                                {"KB/s", 8'000},
                                                {"B/s", 8},
                                                {"GB/s", 8'000'000'000}}};
constexpr std::array<unit, 3> rate_units{
    {{"s", 1'000'000'000}, {"m", 60'000'000'000}, {"h", 3'600'000'000'000}}};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

std::string_view take_while(std::string_view& rest, bool (*wanted)(char)) {
  std::size_t size = 0;
  while (size < rest.size() && wanted(rest[size])) ++size;
  const std::string_view taken = rest.substr(0, size);
  rest.remove_prefix(size);
  return taken;
}

// Index of the unit, or the size of `units`.
std::size_t find_unit(std::span<const unit> units, std::string_view name) {
  std::size_t index = 0;
  while (index < units.size() && units[index].name != name) ++index;
  return index;
}

}  // namespace

parsed<std::int64_t> parse_integer(std::string_view text) {
  std::string_view rest = text;
  const std::string_view digits = take_while(rest, is_digit);
  if (digits.empty() || !rest.empty()) return {{}, "is not a whole number"};
  if (digits.size() > 1 && digits[0] == '0') return {{}, "has a leading zero"};
  std::int64_t value = 0;
  const auto [end, ec] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (ec != std::errc()) return {{}, "is too large"};
  return {value, {}};
}

parsed<bool> parse_boolean(std::string_view text) {
  if (text == "true") return {true, {}};
  if (text == "false") return {false, {}};
  return {{}, "is neither true nor false"};
}

parsed<std::chrono::nanoseconds> parse_duration(std::string_view text) {
  if (text.empty()) return {{}, "is not a duration"};
  std::int64_t total = 0;
  std::size_t first_allowed = 0;  // units come in descending order, each at most once
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::string_view digits = take_while(rest, is_digit);
    const std::string_view name = take_while(rest, is_letter);
    if (digits.empty() || (name.empty() && !rest.empty())) return {{}, "is not a duration"};
    if (name.empty()) return {{}, "has no unit"};
    const std::size_t index = find_unit(duration_units, name);
    if (index == duration_units.size()) {
      return {{}, "has the unknown unit '" + std::string(name) + "'"};
    }
    if (index < first_allowed) return {{}, "has its units out of order"};
    first_allowed = index + 1;
    const parsed<std::int64_t> count = parse_integer(digits);
    if (!count.value) return {{}, count.problem};
    std::int64_t part = 0;
    if (__builtin_mul_overflow(*count.value, duration_units[index].factor, &part) ||
        __builtin_add_overflow(total, part, &total)) {
      return {{}, "is too long"};
    }
  }
  return {std::chrono::nanoseconds(total), {}};
}

parsed<std::int64_t> parse_size(std::string_view text) {
  std::string_view rest = text;
  const std::string_view digits = take_while(rest, is_digit);
  if (digits.empty()) return {{}, "is not a size"};
  if (rest.empty()) return {{}, "has no unit"};
  const std::size_t index = find_unit(size_units, rest);
  if (index == size_units.size()) return {{}, "has the unknown unit '" + std::string(rest) + "'"};
  const parsed<std::int64_t> count = parse_integer(digits);
  if (!count.value) return {{}, count.problem};
  std::int64_t bytes = 0;
  if (__builtin_mul_overflow(*count.value, size_units[index].factor, &bytes)) {
    return {{}, "is too large"};
  }
  return {bytes, {}};
}

parsed<std::int64_t> parse_bandwidth(std::string_view text) {
  std::string_view rest = text;
  const std::string_view digits = take_while(rest, is_digit);
  if (digits.empty()) return {{}, "is not a bandwidth"};
  if (rest.empty()) return {{}, "has no unit"};
  const std::size_t index = find_unit(bandwidth_units, rest);
  if (index == bandwidth_units.size())
    return {{}, "has the unknown unit '" + std::string(rest) + "'"};
  const parsed<std::int64_t> count = parse_integer(digits);
  if (!count.value) return {{}, count.problem};
  std::int64_t bits = 0;
  if (__builtin_mul_overflow(*count.value, bandwidth_units[index].factor, &bits))
    return {{}, "is too large"};
  if (bits < 8) return {{}, "is less than a byte a second"};
  return {bits / 8, {}};
}

parsed<std::chrono::nanoseconds> parse_rate(std::string_view text) {
  std::string_view rest = text;
  const std::string_view digits = take_while(rest, is_digit);
  if (digits.empty()) return {{}, "is not a rate"};
  if (rest.empty()) return {{}, "has no unit"};
  const bool has_slash = rest.front() == '/';
  const std::size_t index = has_slash ? find_unit(rate_units, rest.substr(1)) : rate_units.size();
  if (index == rate_units.size()) return {{}, "has the unknown unit '" + std::string(rest) + "'"};
  const parsed<std::int64_t> count = parse_integer(digits);
  if (!count.value) return {{}, count.problem};
  if (*count.value == 0) return {std::chrono::nanoseconds(0), {}};
  const std::int64_t period = rate_units[index].factor / *count.value;
  if (period < 1'000) return {{}, "is more than a million a second"};
  return {std::chrono::nanoseconds(period), {}};
}

parsed<double> parse_percent(std::string_view text) {
  std::string_view rest = text;
  const std::string_view whole = take_while(rest, is_digit);
  std::string_view fraction;
  if (!whole.empty() && rest.starts_with('.')) {
    rest.remove_prefix(1);
    fraction = take_while(rest, is_digit);
    if (fraction.empty()) return {{}, "is not a percentage"};
  }
  if (whole.empty()) return {{}, "is not a percentage"};
  if (rest.empty()) return {{}, "has no unit"};
  if (rest != "%") return {{}, "is not a percentage"};
  const std::string number =
      std::string(whole) + "." + (fraction.empty() ? "0" : std::string(fraction));
  double value = 0;
  const auto [end, ec] = std::from_chars(number.data(), number.data() + number.size(), value);
  // What is out of range leaves the value as it is: of digits like these, too large or next to nothing.
  const bool is_too_large =
      ec != std::errc() && whole.find_first_not_of('0') != std::string_view::npos;
  if (is_too_large || value > 100) return {{}, "is more than 100%"};
  return {value / 100, {}};
}

bool is_identifier(std::string_view text) {
  if (text.empty() || text.size() > 64) return false;
  if (!is_digit(text[0]) && !is_letter(text[0])) return false;
  for (const char c : text) {
    if (!is_digit(c) && !is_letter(c) && c != '-' && c != '_' && c != '.') return false;
  }
  return true;
}

std::string format_duration(std::chrono::nanoseconds value) {
  std::int64_t rest = value.count();
  if (rest <= 0) return rest == 0 ? "0s" : "-" + format_duration(-value);
  std::string text;
  for (const unit& step : duration_units) {
    if (rest < step.factor) continue;
    text += std::to_string(rest / step.factor) + std::string(step.name);
    rest %= step.factor;
  }
  return text;
}

std::string format_size(std::int64_t bytes) {
  for (const unit& step : size_units) {
    if (bytes >= step.factor && bytes % step.factor == 0) {
      return std::to_string(bytes / step.factor) + std::string(step.name);
    }
  }
  return std::to_string(bytes) + "B";
}

std::string format_bandwidth(std::int64_t bytes_per_second) {
  constexpr std::int64_t mega = 1'000'000, kilo = 1'000;
  if (bytes_per_second >= mega && bytes_per_second % mega == 0)
    return std::to_string(bytes_per_second / mega) + "MB/s";
  if (bytes_per_second >= kilo && bytes_per_second % kilo == 0)
    return std::to_string(bytes_per_second / kilo) + "kB/s";
  return std::to_string(bytes_per_second) + "B/s";
}

std::string format_rate(std::chrono::nanoseconds period) {
  if (period.count() <= 0) return "0/s";
  for (const unit& step : rate_units) {
    const double count = static_cast<double>(step.factor) / static_cast<double>(period.count());
    if (count < 0.999) continue;
    const double rounded = std::round(count);
    if (std::abs(count - rounded) < 0.001 * rounded)
      return std::to_string(std::llround(count)) + "/" + std::string(step.name);
  }
  char text[48];
  std::snprintf(text, sizeof text, "%.3f/s", 1e9 / static_cast<double>(period.count()));
  return text;
}

}  // namespace ordeal::harness
