// What the messages of a run carry beside the envelope's head: `load.publish.payload`.
#pragma once

#include <cstddef>

namespace ordeal::harness {

// The characters of a body, always valid UTF-8.
enum class payload_content {
  ascii,    // letters and digits
  unicode,  // characters of one to four bytes, combined ones too
  hostile  // what parsers, terminals and pages take for something else: quotes, NUL, U+2028, "</script>"
};

struct payload_recipe {
  std::size_t bytes_min = 128,
              bytes_max = 128;  // of the whole envelope; equal: every message has that size
  payload_content content = payload_content::ascii;
};

}  // namespace ordeal::harness
