// The program ordeal-chat as an operator sees it: a process, its log, its probes. Tests are written
// in one thread: the io_context (gates, clients) runs while a test asks or waits.
//
// Every password in these tests contains `marker`; what nodes say is kept, and the marker must not be in it.
#pragma once

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "net/http.h"
#include "tests/support/command.h"
#include "tests/support/redis_server.h"

namespace ordeal::test {

namespace asio = boost::asio;
using std::chrono::milliseconds;
using std::chrono::seconds;

inline constexpr const char* marker = "m4rker";

// One start of ordeal-chat, listening.
class chat_process {
 public:
  struct options {
    std::string name = "node-1";
    std::uint16_t redis_port = 0;
    std::string redis_user;
    std::filesystem::path password_file;  // empty: no password
    std::uint16_t port = 0;               // 0: any
    std::vector<std::string> flags;
    std::size_t descriptors = 0;  // its limit of open files; 0: as that of the test
  };
  // Output goes to files in `directory`, which must exist and be of its own.
  chat_process(const options& wanted, const std::filesystem::path& directory);

  const std::string& name() const { return name_; }
  asio::ip::tcp::endpoint endpoint() const { return endpoint_; }
  std::string log() const { return program_.err(); }
  std::size_t count_in_log(std::string_view text) const;
  // Bytes of memory that are in RAM.
  std::size_t resident_bytes() const;
  command& program() { return program_; }

 private:
  std::string name_;
  command program_;
  asio::ip::tcp::endpoint endpoint_;
};

class Operations : public testing::Test {
 protected:
  explicit Operations(redis_server_options options = {});
  ~Operations() override;

  // A node of this Redis with quick heartbeats, at `redis_port` if it is not 0.
  chat_process& start_node(std::uint16_t redis_port = 0, std::vector<std::string> flags = {});
  chat_process& start_node(chat_process::options wanted);
  chat_process::options node_options() const;
  // What it has said until now is kept for the marker.
  void forget(chat_process& node);

  // Runs the io_context meanwhile.
  bool until(const std::function<bool()>& condition, milliseconds limit = seconds(20));
  net::http_response get(const chat_process& node, std::string path);

  // "<status> <body without newline>" of /readyz.
  std::string readyz(const chat_process& node);
  // Not ready with a reason that contains `words`, within the limit.
  testing::AssertionResult is_unready(const chat_process& node, std::string_view words,
                                      milliseconds limit = seconds(10));
  testing::AssertionResult is_ready(const chat_process& node, milliseconds limit = seconds(15));
  // Of a metric without labels, or with them as exposed.
  double metric(const chat_process& node, std::string_view sample);

  // The id of the node's connection by its name's end, "reader" or "commands"; empty when there is none.
  std::string connection_id(std::string_view role);
  // Expects success.
  void redis_does(std::initializer_list<std::string_view> words);

  // For the marker: what else was said to somebody.
  void heard(std::string text) { heard_ += text + "\n"; }

  asio::io_context io{1};
  asio::any_io_executor ex = io.get_executor();
  redis_server redis;
  scratch_directory scratch;
  std::filesystem::path password_file;

 private:
  void expect_no_marker();

  std::vector<std::unique_ptr<chat_process>> nodes_;
  std::string heard_;
  int starts_ = 0;
};

redis_server_options with_password();

}  // namespace ordeal::test
