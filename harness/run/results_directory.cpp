#include "harness/run/results_directory.h"

#include <fcntl.h>
#include <unistd.h>

#include <boost/json/serialize.hpp>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "net/async/clock.h"
#include "net/async/random.h"

namespace ordeal::harness {
namespace fs = std::filesystem;
namespace {

[[noreturn]] void fail(const fs::path& path, std::string_view what) {
  throw results_error("cannot " + std::string(what) + " " + path.string() + ": " +
                      std::strerror(errno));
}

void write_whole(int file, std::string_view content, const fs::path& path) {
  while (!content.empty()) {
    const ssize_t written = ::write(file, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      ::close(file);
      fail(path, "write");
    }
    content.remove_prefix(static_cast<std::size_t>(written));
  }
}

// A link is replaced by rename, so that there is always one. A file system without links does without.
void point(const fs::path& link, const std::string& target) {
  std::error_code ec;
  const fs::path temporary = link.string() + ".new";
  fs::remove(temporary, ec);
  fs::create_directory_symlink(target, temporary, ec);
  if (!ec) fs::rename(temporary, link, ec);
}

}  // namespace

results_directory::results_directory(const fs::path& parent)
    : parent_(fs::absolute(parent)),
      run_id_(net::wall_time_compact() + "-" + net::random_id(4)),
      path_(parent_ / run_id_) {
  std::error_code ec;
  fs::create_directories(path_ / "logs", ec);
  if (ec)
    throw results_error("cannot make the results directory " + path_.string() + ": " +
                        ec.message());
  point(parent_ / "current", run_id_);
}

results_directory::~results_directory() {
  std::error_code ec;
  if (fs::read_symlink(parent_ / "current", ec) == run_id_) fs::remove(parent_ / "current", ec);
}

void results_directory::write(const std::string& name, std::string_view content) const {
  const fs::path target = path_ / name;
  const fs::path temporary = target.string() + ".tmp";
  const int file = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (file < 0) fail(temporary, "open");
  write_whole(file, content, temporary);
  ::close(file);
  if (::rename(temporary.c_str(), target.c_str()) != 0) fail(target, "write");
}

void results_directory::describe_run(const boost::json::object& members) {
  for (const auto& member : members) run_[member.key()] = member.value();
  write("run.json", boost::json::serialize(run_) + "\n");
}

void results_directory::record_undo(std::string_view fault, std::string_view intent) const {
  const fs::path path = path_ / "undo.jsonl";
  const boost::json::object line{
      {"at", net::wall_time_iso8601()}, {"fault", fault}, {"intent", intent}};
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (file < 0) fail(path, "open");
  write_whole(file, boost::json::serialize(line) + "\n", path);
  ::fsync(file);
  ::close(file);
}

void results_directory::publish() const {
  point(parent_ / "latest", run_id_);
}

}  // namespace ordeal::harness
