// An append-only file of JSON objects, one a line, each written by one system call: readable up to the last line however
// the run ends. One thread a writer.
#pragma once

#include <boost/json/object.hpp>
#include <filesystem>
#include <string>

#include "reports/record.h"

namespace ordeal::report {

class jsonl_writer {
 public:
  // Creates the file. A failure is remembered, not thrown.
  explicit jsonl_writer(const std::filesystem::path& path);
  jsonl_writer(const jsonl_writer&) = delete;
  jsonl_writer& operator=(const jsonl_writer&) = delete;
  ~jsonl_writer();

  // After a failure nothing more is written.
  void append(const boost::json::object& line);

  // The first failure as a sentence with the path; empty when there was none.
  const std::string& error() const { return error_; }

 private:
  void fail();

  std::filesystem::path path_;
  int file_ = -1;
  std::string error_;
};

// A line of violations.jsonl; members that do not apply are left out.
boost::json::object to_json(const finding_row& row);

}  // namespace ordeal::report
