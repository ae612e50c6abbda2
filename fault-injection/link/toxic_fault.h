// What the faults on links have in common: they change the toxics of every link they act on, leave
// what other faults put there alone, and judge each link by a canary of its own.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "fault-injection/environment.h"
#include "fault-injection/fault.h"
#include "fault-injection/link/canary.h"
#include "fault-injection/link/link.h"

namespace ordeal::fault {

// A canary through a link that works is answered within this.
inline constexpr std::chrono::milliseconds prompt_reply_limit(2'000);

class toxic_fault : public fault {
 public:
  // `env` outlives it. No node in the specification: every link.
  toxic_fault(const fault_spec& spec, environment& env);

  asio::awaitable<step_result> inject() override;
  asio::awaitable<step_result> confirm_active() override;
  asio::awaitable<step_result> heal() override;
  asio::awaitable<step_result> confirm_healed() override;

 protected:
  using step = std::function<asio::awaitable<step_result>(std::size_t node)>;

  // Only the fields this fault is about.
  virtual void poison(toxics& value) const = 0;
  virtual void cure(toxics& value) const = 0;
  virtual asio::awaitable<step_result> inject_link(std::size_t node);
  virtual asio::awaitable<step_result> confirm_link(std::size_t node) = 0;
  // By default: the canary is answered promptly, or as badly as by Redis itself.
  virtual asio::awaitable<step_result> confirm_link_healed(std::size_t node);

  environment& env() { return env_; }
  link& link_of(std::size_t node) { return env_.link_of(node); }

 private:
  // Runs `what` on all links at the same time; ok when all are, with their evidence one after the
  // other.
  asio::awaitable<step_result> on_every_link(step what);
  asio::awaitable<step_result> heal_link(std::size_t node);

  environment& env_;
  std::vector<std::size_t> nodes_;
};

}  // namespace ordeal::fault
