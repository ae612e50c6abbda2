#include "net/async/log.h"

#include <limits.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <mutex>

#include "net/async/clock.h"

namespace ordeal::net {
namespace {

constexpr std::array<std::string_view, 5> level_words{"debug", "info", "warn", "error", "off"};
std::atomic<log_level> level_{log_level::info};

void append_value(std::string& line, std::string_view value) {
  const bool is_plain =
      !value.empty() && value.find_first_of(" \t\r\n\"=") == std::string_view::npos;
  if (is_plain) {
    line += value;
    return;
  }
  line += '"';
  for (const char c : value) {
    if (c == '"' || c == '\\') line += '\\';
    line += (c == '\n' || c == '\r') ? ' ' : c;
  }
  line += '"';
}

// A pipe that poll(2) finds writable takes PIPE_BUF bytes without waiting.
bool write_at_once(std::string line) {
  pollfd stderr_now{STDERR_FILENO, POLLOUT, 0};
  if (::poll(&stderr_now, 1, 0) != 1 || (stderr_now.revents & POLLOUT) == 0) return false;
  if (line.size() > PIPE_BUF) line.replace(PIPE_BUF - 4, std::string::npos, "...\n");
  // A log line that cannot be written has nowhere to be reported.
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line.data(), line.size());
  return true;
}

std::string head_of(log_level level, std::string_view component) {
  std::string line = wall_time_iso8601();
  line += ' ';
  line += level_words[static_cast<std::size_t>(level)];
  line += ' ';
  line += component;
  line += ": ";
  return line;
}

void write_line(std::string line) {
  static std::mutex mutex;
  static std::uint64_t lost = 0;
  const std::lock_guard lock(mutex);
  if (!write_at_once(std::move(line))) {
    ++lost;
    return;
  }
  if (lost == 0) return;
  const std::string count = std::to_string(lost);
  if (write_at_once(head_of(log_level::warn, "log") +
                    "nobody read stderr: lines before this one were lost, lines=" + count + "\n"))
    lost = 0;
}

}  // namespace

void set_log_level(log_level level) noexcept {
  level_ = level;
}
log_level current_log_level() noexcept {
  return level_;
}

bool parse_log_level(std::string_view word, log_level& level) noexcept {
  for (std::size_t i = 0; i < level_words.size(); ++i) {
    if (level_words[i] != word) continue;
    level = static_cast<log_level>(i);
    return true;
  }
  return false;
}

void log(log_level level, std::string_view component, std::string_view message,
         std::initializer_list<log_field> fields) {
  if (level < level_.load(std::memory_order_relaxed) || level == log_level::off) return;
  std::string line = head_of(level, component);
  line += message;
  for (const log_field& field : fields) {
    line += ' ';
    line += field.key;
    line += '=';
    append_value(line, field.value);
  }
  line += '\n';
  write_line(std::move(line));
}

}  // namespace ordeal::net
