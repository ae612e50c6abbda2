// What tests of processes share: a warden, an io_context, a launcher, and a directory of its own
// for the test.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <boost/asio/io_context.hpp>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <sstream>
#include <string>

#include "fault-injection/process/process.h"
#include "net/async/clock.h"
#include "net/async/condition.h"
#include "tests/support/run_coro.h"

namespace ordeal::fault {

inline std::string contents_of(const std::filesystem::path& file) {
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

// Whether the process has ended; a zombie that its parent has not collected yet has.
inline bool is_gone(pid_t pid) {
  const auto state = process_state(pid);
  return !state || *state == 'Z' || *state == 'X';
}

// Waits for a condition; a test failure when it does not come true in time.
inline asio::awaitable<bool> comes_true(
    std::string what, std::function<bool()> condition,
    std::chrono::milliseconds limit = std::chrono::seconds(10)) {
  const auto deadline = net::now() + limit;
  while (!condition()) {
    if (net::now() >= deadline) {
      ADD_FAILURE() << "did not come true: " << what;
      co_return false;
    }
    co_await net::sleep_for(std::chrono::milliseconds(2));
  }
  co_return true;
}

class warden_test : public testing::Test {
 protected:
  warden_test()
      : warden_(warden::fork_now()), launcher_(warden_.make_launcher(io_.get_executor())) {}
  ~warden_test() override { std::filesystem::remove_all(directory_); }

  process_spec shell(std::string script) {
    process_spec spec;
    spec.name = "shell";
    spec.command = {"sh", "-c", std::move(script)};
    spec.log_file = log_file();
    return spec;
  }
  std::filesystem::path log_file() const { return directory_ / "log"; }
  std::string log() const { return contents_of(log_file()); }

  // Started, or a test failure and null.
  asio::awaitable<std::unique_ptr<process>> launched(process_spec spec) {
    launch_result result = co_await launcher_->launch(std::move(spec));
    EXPECT_EQ(result.error, "");
    co_return std::move(result.started);
  }

  static std::filesystem::path make_directory() {
    std::string name = (std::filesystem::temp_directory_path() / "ordeal-test-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make " + name);
    return name;
  }

  std::filesystem::path directory_ = make_directory();
  warden warden_;  // before the io_context, as in a program
  asio::io_context io_{1};
  std::unique_ptr<launcher> launcher_;
};

}  // namespace ordeal::fault
