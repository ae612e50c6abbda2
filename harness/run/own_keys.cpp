#include "harness/run/own_keys.h"

#include <vector>

#include "net/async/assert.h"

namespace ordeal::harness {
namespace asio = boost::asio;
namespace redis = net::redis;
namespace {

constexpr std::chrono::milliseconds command_limit{5'000};
constexpr std::size_t rounds_max = 100'000;  // of 1,000 keys looked at

struct scan_step {
  std::string cursor;
  std::size_t removed = 0;
  std::string problem;
};

asio::awaitable<scan_step> remove_some(redis::connection& on, std::string cursor,
                                       std::string pattern) {
  scan_step step;
  redis::request scan;
  scan.add({"SCAN", cursor, "MATCH", pattern, "COUNT", "1000"});
  const redis::exec_result found = co_await on.exec(scan, command_limit);
  if (found.ec || found.replies[0]->is_error()) {
    step.problem = found.ec ? found.ec.message() : std::string(found.replies[0]->text());
    co_return step;
  }
  step.cursor = found.replies[0].view()[0].text();
  const redis::reply_view keys = found.replies[0].view()[1];
  if (keys.size() == 0) co_return step;
  std::vector<std::string_view> unlink{"UNLINK"};
  for (std::size_t i = 0; i < keys.size(); ++i) unlink.push_back(keys[i].text());
  redis::request remove;
  remove.add(unlink);
  const redis::exec_result gone = co_await on.exec(remove, command_limit);
  if (gone.ec || gone.replies[0]->is_error()) {
    step.problem = gone.ec ? gone.ec.message() : std::string(gone.replies[0]->text());
    co_return step;
  }
  step.removed = static_cast<std::size_t>(gone.replies[0]->integer());
  co_return step;
}

}  // namespace

asio::awaitable<fault::step_result> remove_own_keys(redis::connection_options where,
                                                    std::string app) {
  ORDEAL_ASSERT(app.size() > 8);  // the nonce is in it: the pattern can match nothing of others
  const std::string pattern = "*" + app + "*";
  redis::open_result opened = co_await redis::connect(std::move(where));
  fault::step_result result;
  if (opened.ec) {
    result.evidence = opened.ec.message();
    co_return result;
  }
  std::string cursor = "0";
  std::size_t removed = 0;
  for (std::size_t round = 0; round < rounds_max; ++round) {
    const scan_step step = co_await remove_some(*opened.opened, cursor, pattern);
    if (!step.problem.empty()) {
      result.evidence = step.problem;
      co_return result;
    }
    removed += step.removed;
    cursor = step.cursor;
    if (cursor == "0") break;
  }
  result.is_ok = cursor == "0";
  result.evidence = "removed " + std::to_string(removed) + " keys";
  co_return result;
}

}  // namespace ordeal::harness
