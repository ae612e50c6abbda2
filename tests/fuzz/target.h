// What fuzz targets share. A target is one function from bytes to nothing that aborts when something does not hold:
// libFuzzer drives it in the fuzz build, replay.cpp with the corpus in every other one. Inputs are the foreign bytes
// themselves; whatever else a target has to choose, it draws from them, so that corpora stay readable.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "net/async/assert.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size);

namespace ordeal::fuzz {

inline std::string_view text_of(const std::uint8_t* bytes, std::size_t size) {
  return std::string_view(reinterpret_cast<const char*>(bytes), size);
}

// A block of its own for a piece of the input, with nothing behind it: a read past the end is an error that
// AddressSanitizer sees, and a view that is kept too long is one, too.
class exact_copy {
 public:
  explicit exact_copy(std::string_view of);
  std::string_view view() const { return std::string_view(bytes_.get(), size_); }

 private:
  std::unique_ptr<char[]> bytes_;
  std::size_t size_;
};

// How a stream of bytes arrives.
enum class cut { whole, single_bytes, drawn };

// `drawn` lengths are random, but the same for the same text.
std::vector<std::string_view> pieces_of(std::string_view text, cut how);

}  // namespace ordeal::fuzz
