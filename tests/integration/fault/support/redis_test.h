// What tests of a managed Redis share: settings for a private one, and connections of the
// application.
#pragma once

#include <gmock/gmock.h>

#include "fault-injection/redis/managed_redis.h"
#include "tests/integration/fault/support/fake_nodes.h"

namespace ordeal::fault {

class redis_test : public warden_test {
 protected:
  // A Redis whose application is the ACL user chat.
  redis_settings settings() {
    redis_settings result;
    result.user = "chat";
    result.password = generate_password();
    result.data_dir = directory_ / "data";
    result.log_file = log_file();
    std::filesystem::create_directory(result.data_dir);
    return result;
  }

  // Makes it and starts it; a test failure when it does not start.
  asio::awaitable<void> start_redis(redis_settings with) {
    redis_ = make_managed_redis(io_.get_executor(), *launcher_, std::move(with));
    environment_.emplace(io_.get_executor(), redis_.get(), &nodes_);
    const step_result started = co_await redis_->start();
    EXPECT_TRUE(started.is_ok) << started.evidence;
    EXPECT_NE(redis_->running_process(), nullptr);
  }

  // Ends it, so that no work remains on the io_context.
  asio::awaitable<void> stop_redis() {
    co_await redis_->stop(std::chrono::seconds(10));
    EXPECT_EQ(redis_->running_process(), nullptr);
  }

  // A connection as the application has it now.
  asio::awaitable<std::unique_ptr<net::redis::connection>> application() {
    net::redis::connection_options options;
    options.port = redis_->port();
    options.auth.user = redis_->user();
    options.auth.password = redis_->password();
    net::redis::open_result opened = co_await net::redis::connect(std::move(options));
    EXPECT_FALSE(opened.ec) << opened.ec.message() << ' ' << opened.detail;
    co_return std::move(opened.opened);
  }

  // One command's reply as text; "error: ..." when the connection failed.
  static asio::awaitable<std::string> ask(net::redis::connection* on,
                                          std::vector<std::string_view> command) {
    net::redis::request what;
    what.add(command);
    const net::redis::exec_result result = co_await on->exec(what, std::chrono::seconds(5));
    if (result.ec) co_return "error: " + result.ec.message();
    co_return std::string(result.replies[0].view().text());
  }

  std::unique_ptr<managed_redis> redis_;
  fake_nodes nodes_{launcher_.get()};
  std::optional<fake_environment> environment_;
};

}  // namespace ordeal::fault
