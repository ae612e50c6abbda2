#include "reports/jsonl.h"

#include <fcntl.h>
#include <unistd.h>

#include <boost/json/serialize.hpp>
#include <cerrno>
#include <cstring>

namespace ordeal::report {

jsonl_writer::jsonl_writer(const std::filesystem::path& path)
    : path_(path), file_(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644)) {
  if (file_ < 0) fail();
}

jsonl_writer::~jsonl_writer() {
  if (file_ >= 0) ::close(file_);
}

void jsonl_writer::append(const boost::json::object& line) {
  if (!error_.empty()) return;
  std::string text = boost::json::serialize(line);
  text += '\n';
  std::string_view rest = text;
  while (!rest.empty()) {
    const ssize_t written = ::write(file_, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return fail();
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
}

void jsonl_writer::fail() { error_ = "cannot write " + path_.string() + ": " + std::strerror(errno); }

boost::json::object to_json(const finding_row& row) {
  boost::json::object line{{"kind", row.kind}, {"t", row.at_s}};
  const auto put = [&line](const char* key, const std::string& value) {
    if (!value.empty()) line[key] = value;
  };
  put("client", row.client);
  put("node", row.node);
  put("room", row.room);
  put("message", row.message);
  put("fault", row.fault);
  put("detail", row.detail);
  return line;
}

}  // namespace ordeal::report
