#include "harness/run/observers/redis_observer.h"

#include "fault-injection/redis/client_list.h"
#include "net/async/deadline.h"

namespace ordeal::harness {
namespace asio = net::asio;
namespace {

constexpr std::chrono::milliseconds answer_limit{500};

}  // namespace

asio::awaitable<std::optional<std::uint32_t>> count_connections(fault::managed_redis& redis) {
  std::optional<std::uint32_t> count;
  if (redis.running_process() == nullptr) co_return count;
  net::redis::request list;
  list.add({"CLIENT", "LIST"});
  const auto answer = co_await net::with_deadline(redis.admin(std::move(list)), answer_limit);
  if (!answer || answer->ec || answer->replies.empty()) co_return count;
  const auto reply = answer->replies[0].view();
  if (reply.is_error()) co_return count;
  const std::string user = redis.user().empty() ? "default" : redis.user();
  count = static_cast<std::uint32_t>(fault::connections_of(reply.text(), user).size());
  co_return count;
}

}  // namespace ordeal::harness
