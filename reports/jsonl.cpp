#include "reports/jsonl.h"

#include <fcntl.h>
#include <unistd.h>

#include <boost/json/array.hpp>
#include <cerrno>
#include <cstring>
#include <utility>

#include "reports/json_text.h"

namespace ordeal::report {

jsonl_writer::jsonl_writer(std::filesystem::path file) : file_(std::move(file)) {
  fd_ = ::open(file_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (fd_ < 0) fail("cannot open", errno);
}

jsonl_writer::~jsonl_writer() {
  if (fd_ >= 0) ::close(fd_);
}

jsonl_writer::jsonl_writer(jsonl_writer&& other) noexcept
    : file_(std::move(other.file_)),
      fd_(std::exchange(other.fd_, -1)),
      error_(std::move(other.error_)) {}

void jsonl_writer::append(const boost::json::object& line) {
  if (fd_ < 0) return;
  const std::string text = json_text(line) + "\n";
  std::size_t done = 0;
  while (done < text.size()) {
    const ssize_t n = ::write(fd_, text.data() + done, text.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail("cannot write", errno);
    done += static_cast<std::size_t>(n);
  }
}

void jsonl_writer::fail(const char* what, int error_number) {
  error_ = std::string(what) + " " + file_.string() + ": " + std::strerror(error_number);
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

namespace {

boost::json::object to_json(const finding_row::neighbour_row& near) {
  return {{"message", near.message},
          {"sent_s", near.sent_s},
          {"node", near.node},
          {"outcome", near.outcome},
          {"has_arrived", near.has_arrived}};
}

boost::json::object around_of(const finding_row& found) {
  boost::json::object around;
  if (found.window_begins_s) {
    boost::json::object window{{"begins_s", *found.window_begins_s}};
    if (found.window_ends_s) window["ends_s"] = *found.window_ends_s;
    around["window"] = std::move(window);
  }
  boost::json::array neighbours, deliveries;
  for (const auto& near : found.neighbours) neighbours.push_back(to_json(near));
  for (const auto& [at_s, message] : found.last_deliveries)
    deliveries.push_back(boost::json::object{{"t", at_s}, {"message", message}});
  boost::json::array log;
  for (const auto& line : found.log)
    log.push_back(
        boost::json::object{{"t", line.at_s}, {"count", line.count}, {"text", line.text}});
  if (!log.empty()) around["log"] = std::move(log);
  if (!neighbours.empty()) around["neighbours"] = std::move(neighbours);
  if (!deliveries.empty()) around["last_deliveries"] = std::move(deliveries);
  return around;
}

}  // namespace

boost::json::object to_json(const finding_row& found) {
  boost::json::object line;
  line["t"] = found.at_s;
  line["kind"] = found.kind;
  const auto put = [&line](const char* key, const std::string& value) {
    if (!value.empty()) line[key] = value;
  };
  put("client", found.client);
  put("node", found.node);
  put("room", found.room);
  put("message", found.message);
  put("fault", found.fault);
  put("detail", found.detail);
  put("hop", found.hop);
  if (found.messages > 0) line["messages"] = found.messages;
  if (auto around = around_of(found); !around.empty()) line["around"] = std::move(around);
  return line;
}

}  // namespace ordeal::report
