// What foreign programs say when something fails, as texts that can be counted, kept and shown: the same trouble gives
// the same short text, whatever numbers and names it quotes, without secrets and without what steers a terminal.
// Pure; one thread.
#pragma once

#include <array>
#include <cstddef>
#include <set>
#include <span>
#include <string>
#include <string_view>

#include "harness/history/event.h"

namespace ordeal::harness {

// "***" in place of each of these.
std::string without_secrets(std::string text, std::span<const std::string> secrets);

// One line of at most 200 characters. Numbers and random names become '#' (but the code of an HTTP answer, a close, an
// exit and the like stays), secrets "***": those given, the password of a URL, and what follows "password=" or the
// like.
// Normalising twice changes nothing.
std::string reason_text(std::string_view raw, std::span<const std::string> secrets = {});

// Does a line of a log speak of trouble?
bool speaks_of_trouble(std::string_view line);

// Bounds how many different texts there are of each kind: those beyond become one.
class reason_bounds {
 public:
  static constexpr std::size_t texts_max = 64;  // of a kind; of logs four times as many
  const std::string& admit(reason_kind kind, const std::string& text);

 private:
  std::array<std::set<std::string>, reason_kind_count> known_;
};

}  // namespace ordeal::harness
