#include "harness/history/frame.h"

#include "harness/history/envelope.h"

namespace ordeal::harness {
namespace {

constexpr std::string_view magic = "OrdH";
// Where what stands in a frame. Of these, magic, checksum, version and body size stay where they
// are in every version.
constexpr std::size_t checksum_at = 4, version_at = 8, kind_at = 9, zero_at = 10, body_size_at = 12,
                      first_event_at = 16, event_count_at = 24, first_at = 28, last_at = 36;
constexpr std::size_t short_head_bytes = 16;

template <class Number>
void put(std::string& frame, std::size_t at, Number value) {
  auto bits = static_cast<std::uint64_t>(value);
  for (std::size_t i = 0; i < sizeof value; ++i, bits >>= 8)
    frame[at + i] = static_cast<char>(bits & 0xff);
}

template <class Number>
Number get(std::string_view frame, std::size_t at) {
  std::uint64_t bits = 0;
  for (std::size_t i = sizeof(Number); i > 0; --i)
    bits = bits << 8 | static_cast<unsigned char>(frame[at + i - 1]);
  return static_cast<Number>(bits);
}

std::uint32_t checksum_of(std::string_view frame) {
  return crc32c(frame.substr(version_at));
}

}  // namespace

void seal(std::string& frame, const frame_head& head) {
  frame.replace(0, magic.size(), magic);
  put(frame, version_at, static_cast<std::uint8_t>(history_version));
  put(frame, kind_at, static_cast<std::uint8_t>(head.kind));
  put(frame, zero_at, std::uint16_t{0});
  put(frame, body_size_at, static_cast<std::uint32_t>(frame.size() - frame_head_bytes));
  put(frame, first_event_at, head.first_event);
  put(frame, event_count_at, head.event_count);
  put(frame, first_at, std::int64_t{head.first.count()});
  put(frame, last_at, std::int64_t{head.last.count()});
  put(frame, checksum_at, checksum_of(frame));
}

std::string header_frame(history_mode mode, std::string_view header) {
  std::string frame(frame_head_bytes, '\0');
  frame += static_cast<char>(mode);
  frame += header;
  seal(frame, frame_head{});
  return frame;
}

frame_reader::frame_reader(std::istream& from) : from_(from) {
  from_.seekg(0, std::ios::end);
  const auto end = from_.tellg();
  if (end > 0) size_ = static_cast<std::uint64_t>(end);
  from_.seekg(0);
}

bool frame_reader::fail(std::string what) {
  problem_ = std::move(what);
  return false;
}

// Appends to the frame; what the file does not hold is not asked for.
bool frame_reader::read(std::size_t count) {
  const std::size_t before = frame_.size();
  frame_.resize(before + count);
  from_.read(frame_.data() + before, static_cast<std::streamsize>(count));
  return from_.good() || fail("cannot read " + std::to_string(count) + " bytes");
}

bool frame_reader::next() {
  if (!problem_.empty()) return false;
  offset_ = following_;
  const std::uint64_t left = size_ - offset_;
  if (left == 0) return false;
  frame_.clear();
  if (left < short_head_bytes)
    return fail("the last chunk is torn: " + std::to_string(left) + " bytes of its head");
  if (!read(short_head_bytes)) return false;
  if (frame_.substr(0, magic.size()) != magic) return fail("no chunk begins here");
  const auto body_size = get<std::uint32_t>(frame_, body_size_at);
  if (body_size > frame_body_bytes_max)
    return fail("a chunk of " + std::to_string(body_size) + " bytes is too long");
  const std::uint64_t whole = frame_head_bytes + std::uint64_t{body_size};
  if (whole > left) {
    return fail("the last chunk is torn: " + std::to_string(left) + " of " + std::to_string(whole) +
                " bytes");
  }
  if (!read(static_cast<std::size_t>(whole) - short_head_bytes)) return false;
  following_ = offset_ + whole;
  return check();
}

bool frame_reader::check() {
  if (get<std::uint32_t>(frame_, checksum_at) != checksum_of(frame_))
    return fail("the checksum of a chunk of " + std::to_string(frame_.size()) + " bytes is wrong");
  const unsigned version = get<std::uint8_t>(frame_, version_at);
  if (version < history_version_oldest || version > history_version) {
    return fail("it is of version " + std::to_string(version) +
                " of the format; this program reads versions " +
                std::to_string(history_version_oldest) + " to " + std::to_string(history_version));
  }
  const unsigned kind = get<std::uint8_t>(frame_, kind_at);
  if (kind > static_cast<unsigned>(frame_kind::events) || get<std::uint16_t>(frame_, zero_at) != 0)
    return fail("a chunk is of unknown kind " + std::to_string(kind));
  head_.kind = static_cast<frame_kind>(kind);
  head_.first_event = get<std::uint64_t>(frame_, first_event_at);
  head_.event_count = get<std::uint32_t>(frame_, event_count_at);
  head_.first = run_time(get<std::int64_t>(frame_, first_at));
  head_.last = run_time(get<std::int64_t>(frame_, last_at));
  return true;
}

}  // namespace ordeal::harness
