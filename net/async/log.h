// Structured log lines on stderr: time, level, component, message, key=value pairs. One write(2) a line, so lines of
// several threads never mix; one longer than 4 KiB is cut. It never waits: when stderr is a pipe that nobody reads,
// lines are lost, and the next one that gets through is followed by one that says how many. Callable from any thread.
// Never give it a secret: it does not look.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace ordeal::net {

enum class log_level { debug, info, warn, error, off };

struct log_field {
  std::string_view key;
  std::string value;
};

void set_log_level(log_level level) noexcept;
log_level current_log_level() noexcept;

// Parses "debug", "info", "warn", "error", "off"; false when the word is another.
bool parse_log_level(std::string_view word, log_level& level) noexcept;

void log(log_level level, std::string_view component, std::string_view message,
         std::initializer_list<log_field> fields = {});

}  // namespace ordeal::net
