// The directory of one run's results (docs/results.md): run.json comes first with state "running",
// append-only files grow while the run goes on, final files appear by rename. Links `latest` and `current` beside it.
#pragma once

#include <boost/json/object.hpp>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>

namespace ordeal::harness {

// Results cannot be written; the text has the path and the reason.
class results_error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class results_directory {
 public:
  // Makes <parent>/<UTC time>-<id>/ with logs/ in it. Throws results_error.
  explicit results_directory(const std::filesystem::path& parent);
  // Takes the `current` link away if it still points here.
  ~results_directory();
  results_directory(const results_directory&) = delete;
  results_directory& operator=(const results_directory&) = delete;

  const std::string& run_id() const { return run_id_; }
  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path log_file(const std::string& name) const {
    return path_ / "logs" / (name + ".log");
  }

  // Whole files, replaced by rename. Throws results_error.
  void write(const std::string& name, std::string_view content) const;

  // run.json: the members so far plus `state`; later calls add to earlier ones.
  void describe_run(const boost::json::object& members);

  // Appends to undo.jsonl and fsyncs before it returns: an intent survives whatever happens next.
  void record_undo(std::string_view fault, std::string_view intent) const;

  // Points `latest` here; call it when the final files are written.
  void publish() const;

 private:
  std::filesystem::path parent_;
  std::string run_id_;
  std::filesystem::path path_;
  boost::json::object run_;
};

}  // namespace ordeal::harness
