#include <algorithm>
#include <fstream>
#include <stdexcept>

#include "harness/history/event_codec.h"
#include "harness/history/frame.h"
#include "harness/history/history_file.h"
#include "harness/history/history_files.h"

namespace ordeal::harness {
namespace {

class file_reader final : public history_reader {
 public:
  explicit file_reader(const std::filesystem::path& directory) : directory_(directory) {
    file_count_ = count_files();
    if (file_count_ == 0) throw std::runtime_error("there is no history in " + directory.string());
    if (!open_next_file())
      throw std::runtime_error("cannot read " + damage_->file + ": " + damage_->what);
  }

  const std::string& header() const override { return header_; }
  history_mode mode() const override { return mode_; }
  std::optional<history_damage> damage() const override { return damage_; }
  const std::vector<history_hole>& holes() const override { return holes_; }

  std::optional<event> next() override {
    while (!damage_) {
      if (left_in_chunk_ > 0) return next_of_chunk();
      if (!has_chunk_ended_well() || !open_next_chunk()) break;
    }
    return std::nullopt;
  }

 private:
  // The highest number of a file that is there.
  unsigned count_files() const {
    unsigned highest = 0;
    std::error_code ec;
    for (std::filesystem::directory_iterator each(directory_, ec), end; !ec && each != end;
         each.increment(ec)) {
      const std::string name = each->path().filename().string();
      unsigned number = 0;
      for (const char c : name.substr(0, 6)) {
        if (c < '0' || c > '9') break;
        number = 10 * number + static_cast<unsigned>(c - '0');
      }
      if (number > 0 && name == history_file_name(number)) highest = std::max(highest, number);
    }
    return highest;
  }

  bool fail(std::uint64_t offset, const std::string& what) {
    left_in_chunk_ = 0;
    damage_ = history_damage{file_.string(), offset, what};
    return false;
  }

  bool open_next_file() {
    file_ = directory_ / history_file_name(++file_number_);
    frames_.reset();
    stream_ = std::ifstream(file_, std::ios::binary);
    if (!stream_.is_open()) return fail(0, "this file is missing, or may not be read");
    frames_.emplace(stream_);
    if (!frames_->next()) {
      const bool is_empty = frames_->problem().empty();
      return fail(0, is_empty ? "the file is empty" : frames_->problem());
    }
    return read_header();
  }

  bool read_header() {
    const std::string_view body = frames_->body();
    if (frames_->head().kind != frame_kind::header || body.empty())
      return fail(0, "it does not begin with a header");
    const auto mode = static_cast<unsigned char>(body.front());
    if (mode > static_cast<unsigned>(history_mode::violations))
      return fail(0, "there is no history mode " + std::to_string(mode));
    if (file_number_ == 1) {
      mode_ = static_cast<history_mode>(mode);
      header_ = body.substr(1);
    } else if (mode != static_cast<unsigned>(mode_) || header_ != body.substr(1)) {
      return fail(0, "its header is that of another run");
    }
    return true;
  }

  // false: at the end, or damage.
  bool open_next_chunk() {
    while (!frames_->next()) {
      if (!frames_->problem().empty()) {
        const bool is_last = file_number_ == file_count_;
        return fail(frames_->offset(),
                    frames_->problem() + (is_last ? "" : ", and more files follow"));
      }
      if (file_number_ == file_count_ || !open_next_file()) return false;
    }
    const frame_head& head = frames_->head();
    if (head.kind != frame_kind::events) return fail(frames_->offset(), "a second header");
    if (head.first_event < next_event_)
      return fail(frames_->offset(), "a chunk of events that were read already");
    if (head.first_event > next_event_) {
      holes_.push_back({next_event_, head.first_event - next_event_, last_, head.first});
    }
    next_event_ = head.first_event + head.event_count;
    left_in_chunk_ = head.event_count;
    last_ = head.last;
    decoder_.begin(frames_->body(), head.first);
    return true;
  }

  std::optional<event> next_of_chunk() {
    auto what = decoder_.next();
    if (!what) {
      const std::string& problem = decoder_.problem();
      fail(place_in_file(), problem.empty() ? "a chunk has fewer events than it says" : problem);
    }
    if (left_in_chunk_ > 0) --left_in_chunk_;
    return what;
  }

  bool has_chunk_ended_well() {
    if (decoder_.next()) return fail(place_in_file(), "a chunk has more events than it says");
    if (!decoder_.problem().empty()) return fail(place_in_file(), decoder_.problem());
    if (decoder_.last_time() != last_)
      return fail(place_in_file(), "a chunk ends at another time than it says");
    return true;
  }

  std::uint64_t place_in_file() const {
    return frames_->offset() + frame_head_bytes + decoder_.position();
  }

  const std::filesystem::path directory_;
  unsigned file_count_ = 0, file_number_ = 0;
  std::filesystem::path file_;
  std::ifstream stream_;
  std::optional<frame_reader> frames_;
  std::string header_;
  history_mode mode_ = history_mode::full;
  event_decoder decoder_;
  std::uint32_t left_in_chunk_ = 0;
  std::uint64_t next_event_ = 0;
  run_time last_{};
  std::vector<history_hole> holes_;
  std::optional<history_damage> damage_;
};

}  // namespace

std::unique_ptr<history_reader> history_reader::open(const std::filesystem::path& directory) {
  return std::make_unique<file_reader>(directory);
}

}  // namespace ordeal::harness
