#include "harness/run/login_watch.h"

namespace ordeal::harness {
namespace {

constexpr std::uint64_t count_min = 3;
constexpr std::chrono::milliseconds lasting_min{1'500};
constexpr std::chrono::seconds silence_max{6};

}  // namespace

void login_watch::on(const reason_heard& what) {
  if (what.text != "WRONGPASS" && what.text != "NOAUTH") return;
  const std::lock_guard lock(mutex_);
  refusals& of_node = nodes_[what.node];
  if (of_node.count == 0) of_node.first = what.at;
  of_node.count += what.count;
  of_node.latest = what.at;
  // Whoever has sent no password is told NOAUTH too, on the way to a wrong one.
  if (of_node.code != "WRONGPASS") of_node.code = what.text;
}

std::string login_watch::trouble(node_id node, run_time now) const {
  const std::lock_guard lock(mutex_);
  const auto found = nodes_.find(node);
  if (found == nodes_.end()) return {};
  const refusals& of_node = found->second;
  if (of_node.count < count_min || of_node.latest - of_node.first < lasting_min) return {};
  if (now - of_node.latest > silence_max) return {};
  const std::string means = of_node.code == "NOAUTH" ? "it logs in without a password"
                                                     : "the user or the password is wrong";
  return "Redis answers " + of_node.code + " to " + name_of(node) + ": " + means +
         "; look at what launch.env and launch.command give it of ${redis.user}, ${redis.password} "
         "and ${redis.password_file}";
}

}  // namespace ordeal::harness
