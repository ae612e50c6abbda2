// The files of a history that is being written: 000001.history and so on, each begun with the same header frame.
// Appends and nothing else; bytes are with the system when write() returns, so that a killed process loses none.
// One thread at a time.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace ordeal::harness {

class history_files {
 public:
  history_files(std::filesystem::path directory, std::string header_frame,
                std::uint64_t file_bytes_max);
  ~history_files();
  history_files(const history_files&) = delete;
  history_files& operator=(const history_files&) = delete;

  // These return what went wrong, with the path; empty: nothing.
  std::string begin();
  std::string write(std::string_view frame);
  std::string close();

 private:
  std::string open_next();
  std::string append(std::string_view bytes);
  std::string failed(const char* doing) const;

  const std::filesystem::path directory_;
  const std::string header_frame_;
  const std::uint64_t file_bytes_max_;
  std::filesystem::path file_;
  unsigned number_ = 0;
  int fd_ = -1;
  std::uint64_t written_ = 0;  // into this file
};

// "000001.history"
std::string history_file_name(unsigned number);

}  // namespace ordeal::harness
