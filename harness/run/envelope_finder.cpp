#include "harness/run/envelope_finder.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include "harness/history/envelope.h"

namespace ordeal::harness {
namespace {

constexpr std::size_t dots = 8;  // the last one ends the checksum
// The prefix, the nonce, three numbers of 32 bits, a time, a length, the checksum, and their dots.
constexpr std::size_t head_length_max =
    envelope_prefix.size() + run_nonce_length + 1 + 3 * 11 + 21 + 21 + 8 + 1;

enum class head_state { whole, none, cut_short };

// The envelope's head at the front of `text`, which begins with the needle, up to and with its last dot.
head_state take_head(std::string_view& text) {
  const std::string_view window = text.substr(0, head_length_max);
  std::size_t seen = 0;
  for (std::size_t i = 0; i < window.size(); ++i) {
    if (window[i] == '.' && ++seen == dots) {
      text = window.substr(0, i + 1);
      return head_state::whole;
    }
  }
  return window.size() < head_length_max ? head_state::cut_short : head_state::none;
}

// memmem() leaps over long texts, and is slow to begin.
std::size_t find_needle(std::string_view text, std::string_view needle, std::size_t from) {
  constexpr std::size_t short_bytes = 512;
  if (text.size() - from < short_bytes) return text.find(needle, from);
  const void* found = memmem(text.data() + from, text.size() - from, needle.data(), needle.size());
  if (found == nullptr) return std::string_view::npos;
  return static_cast<std::size_t>(static_cast<const char*>(found) - text.data());
}

// Where the last characters of `text` could be the needle's first; its size when they are not.
std::size_t begun_needle(std::string_view text, std::string_view needle) {
  std::size_t at = text.size() - std::min(text.size(), needle.size() - 1);
  for (; at < text.size(); ++at) {
    if (text[at] != needle.front()) continue;
    if (needle.substr(0, text.size() - at) == text.substr(at)) return at;
  }
  return text.size();
}

}  // namespace

envelope_finder::envelope_finder(std::string_view run_nonce)
    : nonce_(run_nonce), needle_(std::string(envelope_prefix) + nonce_ + ".") {
  carried_.reserve(2 * head_length_max);
}

void envelope_finder::feed(std::string_view piece, bool is_first, std::vector<message_id>& found) {
  if (is_first) carried_.clear();
  if (!carried_.empty()) {
    // What begins in the old piece ends in this much of the new one.
    const std::size_t begin_limit = carried_.size();
    carried_.append(piece.substr(0, head_length_max));
    if (piece.size() < head_length_max) {
      carried_.erase(0, scan(carried_, carried_.size(), found));
      return;
    }
    scan(carried_, begin_limit, found);
    carried_.clear();
  }
  const std::size_t begun = scan(piece, piece.size(), found);
  if (begun < piece.size()) carried_ = piece.substr(begun);
}

std::size_t envelope_finder::scan(std::string_view text, std::size_t begin_limit,
                                  std::vector<message_id>& found) const {
  std::size_t from = 0;
  for (;;) {
    const std::size_t at = find_needle(text, needle_, from);
    if (at == std::string_view::npos) break;
    if (at >= begin_limit) return text.size();
    std::string_view head = text.substr(at);
    const head_state state = take_head(head);
    if (state == head_state::cut_short) return at;
    from = at + needle_.size();
    if (state == head_state::none) continue;
    if (const auto id = parse_envelope_head(head)) found.push_back(*id);
  }
  return from + begun_needle(text.substr(from), needle_);
}

}  // namespace ordeal::harness
