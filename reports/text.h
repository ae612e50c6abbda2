// How numbers and foreign text appear in reports. Pure functions, callable from any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ordeal::report {

struct reason_row;

// "4 530 600"
std::string grouped(std::uint64_t value);
// "0.3s", "52.1s", "2m31s", "3h05m"
std::string duration_text(double seconds);
// "1.9ms", "11ms", "3.1s"
std::string latency_text(double milliseconds);
// "+151.2s"
std::string moment_text(double seconds);

// Foreign text that steers nothing: valid UTF-8 without control characters (C0 but tab, newline and
// return, DEL, C1), without those that turn the direction of writing or end a line unseen, and
// without what XML 1.0 forbids. They show as "\u{1b}", broken bytes as U+FFFD.
std::string clean_text(std::string_view text);
// The same for a terminal or a log: a line that a CI service would take for a command of its own
// ("::error ...", "##[group]") gets a backslash into it.
std::string terminal_text(std::string_view text);
// At most about `bytes_max`: head and tail with a note between them, cut between characters.
std::string capped(std::string_view text, std::size_t bytes_max);
// A reason without its text: "768 x send refused by node-1 and node-2, +2.1s to +9.8s".
std::string reason_head(const reason_row& what);
// Characters, as an approximation of columns on a terminal.
std::size_t width_of(std::string_view utf8);
std::string padded(std::string_view utf8, std::size_t width);
std::string truncated(std::string_view utf8, std::size_t width);

}  // namespace ordeal::report
