#include "harness/run/fleet_thread.h"

#include <pthread.h>

#include <ctime>

namespace ordeal::harness {
namespace {

std::unique_ptr<history_writer> make_history(const plan& what, const std::filesystem::path& results,
                                             history_mode mode) {
  history_options options;
  options.mode = mode;
  return history_writer::make(results / "history", to_json(terms_of(what)), options);
}

}  // namespace

fleet_thread::fleet_thread(const plan& what, const std::filesystem::path& results,
                           history_mode history, net::time_point run_start)
    : plan_(what),
      run_start_(run_start),
      keep_running_(net::asio::make_work_guard(io_)),
      recorder_(terms_of(what), results, make_history(what, results, history)),
      thread_([this] {
        pthread_setname_np(pthread_self(), "fleet");
        io_.run();
      }) {}

fleet_thread::~fleet_thread() {
  keep_running_.reset();
  thread_.join();
}

void fleet_thread::post(event what) {
  net::asio::post(io_, [this, held = std::move(what)] { recorder_.on(held); });
}

void fleet_thread::post(std::vector<tapped> batch) {
  net::asio::post(io_, [this, held = std::move(batch)] {
    for (const tapped& each : held) recorder_.on(each);
  });
}

net::asio::awaitable<void> fleet_thread::make(std::vector<net::websocket_url> urls) {
  return call([urls = std::move(urls)](fleet_thread& self) {
    fleet_options options;
    options.node_urls = urls;
    options.run_start = self.run_start_;
    self.fleet_ = make_fleet(self.io_.get_executor(), self.plan_, options, self.recorder_);
  });
}

std::chrono::nanoseconds fleet_thread::cpu_time() {
  timespec used{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return std::chrono::seconds(used.tv_sec) + std::chrono::nanoseconds(used.tv_nsec);
}

}  // namespace ordeal::harness
