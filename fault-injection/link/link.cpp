#include "fault-injection/link/link.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <future>
#include <set>
#include <thread>
#include <utility>

#include "fault-injection/link/link_core.h"
#include "net/async/call_on.h"
#include "net/async/condition.h"
#include "net/async/run_main.h"
#include "net/async/task_group.h"

namespace ordeal::fault {
namespace {

// The thread and its context. Links share it with their group, so either may be destroyed first.
class proxy_thread {
 public:
  proxy_thread() : stop_(io_.get_executor()), links_(io_.get_executor()) {
    thread_ = std::thread([this] { net::run_main(io_, serve_links()); });
  }
  ~proxy_thread() { stop(); }

  // Closes every link and joins the thread.
  void stop() {
    if (!thread_.joinable()) return;
    asio::post(io_, [this] { stop_.set(); });
    thread_.join();
  }
  bool is_running() const { return thread_.joinable(); }
  asio::any_io_executor executor() { return io_.get_executor(); }

  std::shared_ptr<link_core> add(asio::ip::tcp::endpoint upstream, std::uint64_t seed,
                                 tap_maker tap) {
    std::packaged_task<std::shared_ptr<link_core>()> make([this, upstream, seed, tap] {
      auto core = std::make_shared<link_core>(io_.get_executor(), upstream, seed, tap);
      cores_.insert(core);
      links_.spawn("link", serve(core));
      return core;
    });
    auto made = make.get_future();
    asio::post(io_, std::move(make));
    return made.get();
  }

 private:
  asio::awaitable<void> serve_links() {
    co_await stop_.wait();
    for (const auto& each : cores_) each->close();
    co_await links_.join();
  }

  asio::awaitable<void> serve(std::shared_ptr<link_core> core) {
    co_await core->run();
    cores_.erase(core);
  }

  asio::io_context io_{1};
  net::stop_event stop_;
  std::set<std::shared_ptr<link_core>> cores_;
  net::task_group links_;
  std::thread thread_;
};

// These run on the proxy thread.
asio::awaitable<void> apply_there(std::shared_ptr<link_core> core, toxics next) {
  core->apply(next);
  co_return;
}

asio::awaitable<std::uint64_t> reset_there(std::shared_ptr<link_core> core) {
  co_return core->reset_connections();
}

asio::awaitable<link_counters> count_there(std::shared_ptr<link_core> core) {
  co_return core->counters();
}

class proxied_link final : public link {
 public:
  proxied_link(std::shared_ptr<proxy_thread> thread, std::shared_ptr<link_core> core)
      : thread_(std::move(thread)), core_(std::move(core)), port_(core_->port()) {}

  ~proxied_link() override {
    if (!thread_->is_running()) return;
    asio::post(thread_->executor(), [core = std::move(core_)] { core->close(); });
  }

  std::uint16_t port() const override { return port_; }
  toxics applied() const override { return applied_; }

  asio::awaitable<void> apply(toxics next) override {
    applied_ = next;
    co_await net::call_on(thread_->executor(), apply_there(core_, next));
  }
  asio::awaitable<std::uint64_t> reset_connections() override {
    co_return co_await net::call_on(thread_->executor(), reset_there(core_));
  }
  asio::awaitable<link_counters> counters() override {
    co_return co_await net::call_on(thread_->executor(), count_there(core_));
  }

 private:
  std::shared_ptr<proxy_thread> thread_;
  std::shared_ptr<link_core> core_;
  std::uint16_t port_;
  toxics applied_;
};

class proxied_link_group final : public link_group {
 public:
  ~proxied_link_group() override { thread_->stop(); }

  std::unique_ptr<link> add(asio::ip::tcp::endpoint upstream, std::uint64_t seed,
                            tap_maker tap) override {
    return std::make_unique<proxied_link>(thread_,
                                          thread_->add(std::move(upstream), seed, std::move(tap)));
  }

 private:
  std::shared_ptr<proxy_thread> thread_ = std::make_shared<proxy_thread>();
};

}  // namespace

std::unique_ptr<link_group> make_link_group() {
  return std::make_unique<proxied_link_group>();
}

}  // namespace ordeal::fault
