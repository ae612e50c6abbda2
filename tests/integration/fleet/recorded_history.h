// Keeps every event of a fleet, lets a test wait for something to be in it, and checks what every
// history must hold.
#pragma once

#include <functional>
#include <map>
#include <vector>

#include "harness/history/event.h"
#include "harness/scenario/plan.h"
#include "net/async/condition.h"

namespace ordeal::test {

namespace asio = boost::asio;

class recorded_history final : public harness::event_sink {
 public:
  explicit recorded_history(asio::any_io_executor ex) : changed_(ex) {}

  void on(const harness::event& what) override {
    events_.push_back(what);
    changed_.notify_all();
  }

  // False when it did not come true in time.
  asio::awaitable<bool> wait_until(std::function<bool()> is_true, std::chrono::milliseconds limit);

  const std::vector<harness::event>& events() const { return events_; }

  template <class Event>
  std::vector<Event> all() const {
    std::vector<Event> found;
    for (const harness::event& one : events_) {
      if (const auto* match = std::get_if<Event>(&one)) found.push_back(*match);
    }
    return found;
  }
  template <class Event>
  std::size_t count() const {
    std::size_t found = 0;
    for (const harness::event& one : events_) {
      if (std::holds_alternative<Event>(one)) ++found;
    }
    return found;
  }
  std::map<harness::outcome, std::size_t> outcomes() const;

  // Adds test failures: times that go back, sequence numbers with holes, sends settled twice, never
  // or before they were invoked, joins outside of a connection, deliveries to nobody.
  void expect_well_formed() const;

  // Adds a test failure where a client did not receive exactly `texts_in(room)`, in this order.
  void expect_complete(
      const harness::plan& of,
      const std::function<std::vector<std::string>(const std::string&)>& texts_in) const;

 private:
  void expect_honest_sends() const;
  void expect_honest_connections() const;

  std::vector<harness::event> events_;
  net::condition changed_;
};

}  // namespace ordeal::test
