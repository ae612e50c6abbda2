// The framing of a history file (docs/formats.md): frames of a fixed head and a body, a checksum over both. The first
// frame of every file is its header; each other one is a chunk of events. Pure but for the stream that is read.
#pragma once

#include <cstdint>
#include <istream>
#include <string>
#include <string_view>

#include "harness/history/event.h"
#include "harness/history/history_file.h"

namespace ordeal::harness {

inline constexpr std::size_t frame_head_bytes = 44;
inline constexpr std::uint32_t frame_body_bytes_max = 64 * 1024 * 1024;
inline constexpr unsigned history_version = 2;         // that is written
inline constexpr unsigned history_version_oldest = 1;  // that is read

enum class frame_kind : std::uint8_t { header = 0, events = 1 };

struct frame_head {
  frame_kind kind = frame_kind::header;
  std::uint64_t first_event = 0;  // how many events of the run come before it, written or not
  std::uint32_t event_count = 0;
  run_time first{}, last{};  // times of the first and the last event
};

// Fills in the first `frame_head_bytes` of `frame`, the rest of which is the body.
void seal(std::string& frame, const frame_head& head);

// The whole frame that a file begins with.
std::string header_frame(history_mode mode, std::string_view header);

// Reads one frame after the other; each is checked as a whole before anything in it is believed.
class frame_reader {
 public:
  explicit frame_reader(std::istream& from);

  // false at the end or at damage: then problem() tells which.
  bool next();

  const frame_head& head() const { return head_; }
  std::string_view body() const { return std::string_view(frame_).substr(frame_head_bytes); }
  std::uint64_t offset() const { return offset_; }         // where that frame begins
  const std::string& problem() const { return problem_; }  // empty: none

 private:
  bool fail(std::string what);
  bool read(std::size_t count);
  bool check();

  std::istream& from_;
  std::uint64_t size_ = 0, offset_ = 0, following_ = 0;
  std::string frame_, problem_;
  frame_head head_;
};

}  // namespace ordeal::harness
