// Append-only JSON lines: events.jsonl, violations.jsonl, series.jsonl. Each line is one write(2),
// so that a run that is killed leaves whole lines up to its last second. Used from one thread at a
// time; never throws.
#pragma once

#include <boost/json/object.hpp>
#include <filesystem>
#include <string>

#include "reports/record.h"

namespace ordeal::report {

class jsonl_writer {
 public:
  explicit jsonl_writer(std::filesystem::path file);
  ~jsonl_writer();
  jsonl_writer(jsonl_writer&& other) noexcept;
  jsonl_writer& operator=(jsonl_writer&&) = delete;

  // After a failure nothing more is written: a file with a hole in it would mislead.
  void append(const boost::json::object& line);

  // The first failure, as a sentence; empty when there was none.
  const std::string& error() const { return error_; }

 private:
  void fail(const char* what, int error_number);

  std::filesystem::path file_;
  int fd_ = -1;
  std::string error_;
};

// A line of violations.jsonl; what does not apply is left out.
boost::json::object to_json(const finding_row& found);

}  // namespace ordeal::report
