#include "harness/run/log_file.h"

#include <algorithm>
#include <fstream>

#include "reports/text.h"

namespace ordeal::harness {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t first_lines_shown = 3;
constexpr std::size_t last_lines_shown = 5;
constexpr std::size_t line_bytes_shown = 300;
constexpr std::size_t new_lines_max = 200;  // that are taken at once
constexpr std::size_t piece_bytes = 64U << 10U;

std::uintmax_t size_of(const fs::path& path) {
  std::error_code ec;
  const std::uintmax_t bytes = fs::file_size(path, ec);
  return ec ? 0 : bytes;
}

std::string read_piece(const fs::path& path, std::uintmax_t from, std::size_t bytes) {
  std::ifstream file(path, std::ios::binary);
  file.seekg(static_cast<std::streamoff>(from));
  std::string piece(bytes, '\0');
  file.read(piece.data(), static_cast<std::streamsize>(bytes));
  piece.resize(static_cast<std::size_t>(std::max<std::streamsize>(file.gcount(), 0)));
  return piece;
}

// Those that are not blank; the last one may have no end.
std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    std::string line = text.substr(begin, end - begin);
    while (line.ends_with('\r')) line.pop_back();
    if (line.find_first_not_of(" \t") != std::string::npos) lines.push_back(std::move(line));
    begin = end + 1;
  }
  return lines;
}

std::string shown(const std::string& line) {
  if (line.size() <= line_bytes_shown) return "    " + line + "\n";
  return "    " + report::truncated(line, line_bytes_shown) + " ... (" +
         std::to_string(line.size()) + " bytes)\n";
}

fs::path beside(fs::path log, const char* ending) {
  return log += ending;
}

void copy_piece(const fs::path& log, std::uintmax_t from, const fs::path& to,
                std::uintmax_t bytes) {
  std::ofstream copy(to, std::ios::binary | std::ios::trunc);
  for (std::uintmax_t at = from; at < from + bytes; at += piece_bytes) {
    const auto wanted =
        static_cast<std::size_t>(std::min<std::uintmax_t>(piece_bytes, from + bytes - at));
    copy << read_piece(log, at, wanted);
  }
}

}  // namespace

std::string log_excerpt(const fs::path& path) {
  std::error_code ec;
  const fs::path begin = fs::exists(beside(path, ".first"), ec) ? beside(path, ".first") : path;
  const std::uintmax_t bytes = size_of(path);
  if (bytes == 0 && begin == path) return "\n  its log is empty: " + path.string();
  std::vector<std::string> first = lines_of(read_piece(begin, 0, piece_bytes));
  const std::uintmax_t from = bytes > piece_bytes ? bytes - piece_bytes : 0;
  std::vector<std::string> last = lines_of(read_piece(path, from, piece_bytes));
  const bool is_short =
      begin == path && from == 0 && first.size() <= first_lines_shown + last_lines_shown;
  std::string text = "\n  its log, " + path.string() + ":\n";
  for (std::size_t i = 0; i < first.size() && (is_short || i < first_lines_shown); ++i)
    text += shown(first[i]);
  if (is_short) return text;
  text += "    ...\n";
  for (std::size_t i = last.size() - std::min(last_lines_shown, last.size()); i < last.size(); ++i)
    text += shown(last[i]);
  return text;
}

bool log_watch::has_appeared() {
  const std::uintmax_t bytes = size_of(path_);
  if (bytes < read_) read_ = 0;  // it was cut
  while (!has_appeared_ && read_ < bytes) {
    const std::string piece = read_piece(path_, read_, piece_bytes);
    if (piece.empty()) break;
    read_ += piece.size();
    tail_ += piece;
    has_appeared_ = tail_.find(text_) != std::string::npos;
    if (tail_.size() >= text_.size()) tail_.erase(0, tail_.size() - text_.size() + 1);
  }
  return has_appeared_;
}

log_follower::log_follower(fs::path path) : path_(std::move(path)), read_(size_of(path_)) {}

std::vector<std::string> log_follower::take_new() {
  const std::uintmax_t bytes = size_of(path_);
  if (bytes < read_) read_ = 0;  // it was cut
  if (bytes - read_ > piece_bytes) {
    read_ = bytes - piece_bytes;
    begun_.clear();
  }
  const std::string piece = read_piece(path_, read_, static_cast<std::size_t>(bytes - read_));
  read_ += piece.size();
  const std::size_t end = piece.rfind('\n');
  if (end == std::string::npos) {
    begun_ = (begun_ + piece).substr(0, piece_bytes);
    return {};
  }
  std::vector<std::string> lines = lines_of(begun_ + piece.substr(0, end));
  begun_ = piece.substr(end + 1);
  if (lines.size() > new_lines_max)
    lines.erase(lines.begin(), lines.end() - std::ptrdiff_t{new_lines_max});
  return lines;
}

void log_keeper::tick() {
  std::error_code ec;
  for (fs::directory_iterator each(directory_, ec), end; !ec && each != end; each.increment(ec)) {
    const fs::path& path = each->path();
    if (path.extension() == ".log" && size_of(path) > bytes_max_) cut(path);
  }
}

void log_keeper::cut(const fs::path& log) const {
  std::error_code ec;
  const fs::path first = beside(log, ".first");
  if (!fs::exists(first, ec)) copy_piece(log, 0, first, bytes_max_ / 8);
  const std::uintmax_t bytes = size_of(log);
  const std::uintmax_t kept = bytes_max_ / 2;
  copy_piece(log, bytes > kept ? bytes - kept : 0, beside(log, ".previous"), kept);
  fs::resize_file(log, 0, ec);  // what cannot be cut goes on growing: nothing else would be better
}

}  // namespace ordeal::harness
