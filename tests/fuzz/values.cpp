// Scalars of user files: what is parsed can be written and parsed again, and stays within its bounds. Templates: the
// pieces make the text.
#include <cmath>
#include <cstdlib>
#include <string>

#include "harness/scenario/template_text.h"
#include "harness/scenario/values.h"
#include "tests/fuzz/target.h"

namespace ordeal::fuzz {
namespace {

using namespace ordeal::harness;

template <class T>
bool is_told(const parsed<T>& found) {
  return found.value.has_value() == found.problem.empty();
}

void try_durations(std::string_view text) {
  const auto duration = parse_duration(text);
  ORDEAL_ASSERT(is_told(duration));
  if (duration.value) {
    ORDEAL_ASSERT(duration.value->count() >= 0);
    ORDEAL_ASSERT(parse_duration(format_duration(*duration.value)).value == duration.value);
  }
  const auto period = parse_rate(text);
  ORDEAL_ASSERT(is_told(period));
  if (period.value) {
    ORDEAL_ASSERT(period.value->count() == 0 || period.value->count() >= 1'000);
    ORDEAL_ASSERT(!format_rate(*period.value).empty());
  }
}

void try_numbers(std::string_view text) {
  const auto number = parse_integer(text);
  ORDEAL_ASSERT(is_told(number));
  if (number.value) ORDEAL_ASSERT(std::to_string(*number.value) == text);
  const auto bytes = parse_size(text);
  ORDEAL_ASSERT(is_told(bytes));
  if (bytes.value) ORDEAL_ASSERT(parse_size(format_size(*bytes.value)).value == bytes.value);
  const auto fraction = parse_percent(text);
  ORDEAL_ASSERT(is_told(fraction));
  if (fraction.value) {
    const double wanted = std::strtod(std::string(text).c_str(), nullptr) / 100;
    ORDEAL_ASSERT(wanted <= 1 && std::abs(*fraction.value - wanted) < 1e-12);
  }
  ORDEAL_ASSERT(is_told(parse_boolean(text)));
  ORDEAL_ASSERT(!is_identifier(text) || text.size() <= 64);
}

// The text that a parsed template came from, or another one that means the same.
std::string written(const parsed_template& from) {
  std::string text;
  for (const template_piece& piece : from.pieces) {
    if (piece.is_variable) {
      text += "${" + piece.text + (piece.fallback ? ":-" + *piece.fallback : "") + "}";
      continue;
    }
    for (const char c : piece.text) text += c == '$' ? "$$" : std::string(1, c);
  }
  return text;
}

std::optional<std::string> value_of(const std::string& name) {
  if (name.size() % 2 == 0) return std::nullopt;
  return "<" + name + ">";
}

void try_template(std::string_view text) {
  const parsed_template found = parse_template(text);
  const expansion filled = expand_template(text, value_of);
  ORDEAL_ASSERT(filled.problem == found.problem);
  if (!found.problem.empty()) {
    ORDEAL_ASSERT(filled.text == text);
    return;
  }
  const std::string again = written(found);
  ORDEAL_ASSERT(written(parse_template(again)) == again);
  const expansion filled_again = expand_template(again, value_of);
  ORDEAL_ASSERT(filled_again.text == filled.text && filled_again.unknown == filled.unknown);
  ORDEAL_ASSERT(filled.has_variables || filled.unknown.empty());
}

}  // namespace
}  // namespace ordeal::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace ordeal::fuzz;
  const std::string_view text = text_of(bytes, size);
  try_durations(text);
  try_numbers(text);
  try_template(text);
  return 0;
}
