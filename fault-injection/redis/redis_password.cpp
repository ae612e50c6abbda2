#include "fault-injection/environment.h"
#include "fault-injection/redis/managed_redis.h"
#include "fault-injection/redis/redis_faults.h"

namespace ordeal::fault {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds login_limit{2'000};

// One step after the other: fails with the first that fails, its evidence is that of all.
void append(step_result& total, const step_result& next) {
  total.is_ok = next.is_ok;
  if (!total.evidence.empty()) total.evidence += "; ";
  total.evidence += next.evidence;
}

class redis_password : public fault {
 public:
  redis_password(const fault_spec& spec, environment& where)
      : redis_(where.redis()), nodes_(where.nodes()), has_kick_(spec.flag("kick")) {}

 protected:
  // After the change: connections that are open would stay logged in.
  asio::awaitable<void> kick_if_wanted(step_result& result) {
    if (!result.is_ok || !has_kick_) co_return;
    const step_result kicked = co_await redis_->kick();
    append(result, kicked);
  }

  managed_redis* redis_;
  node_control& nodes_;

 private:
  bool has_kick_;
};

class password_rotation final : public redis_password {
 public:
  password_rotation(const fault_spec& spec, environment& where)
      : redis_password(spec, where), tell_nodes_after_(spec.duration("tell_nodes_after")) {}

  asio::awaitable<step_result> inject() override {
    if (redis_ == nullptr) co_return no_managed_redis();
    const std::string before = redis_->password();
    step_result result = co_await redis_->set_password(generate_password());
    if (result.is_ok) old_password_ = before;
    co_await kick_if_wanted(result);
    co_return result;
  }

  asio::awaitable<step_result> confirm_active() override {
    if (redis_ == nullptr) co_return no_managed_redis();
    step_result result = co_await redis_->try_login(redis_->password(), login_limit);
    result.evidence = "new password: " + result.evidence;
    if (!result.is_ok) co_return result;
    const std::string old_password = old_password_.value_or(redis_->password());
    step_result old = co_await redis_->try_login(old_password, login_limit);
    old.is_ok = !old.is_ok;
    old.evidence = "old password: " + old.evidence;
    append(result, old);
    co_return result;
  }

  asio::awaitable<step_result> heal() override {
    step_result result;
    if (redis_ == nullptr) co_return no_managed_redis();
    nodes_.tell_password(redis_->password());
    result.is_ok = true;
    result.evidence = "the nodes' password file holds the new password";
    co_return result;
  }

  asio::awaitable<step_result> confirm_healed() override {
    if (redis_ == nullptr) co_return no_managed_redis();
    co_return co_await redis_->try_login(redis_->password(), login_limit);
  }

  std::optional<std::chrono::nanoseconds> hold() const override { return tell_nodes_after_; }

 private:
  std::chrono::nanoseconds tell_nodes_after_;
  std::optional<std::string> old_password_;  // once it was changed
};

class login_revocation final : public redis_password {
 public:
  using redis_password::redis_password;

  asio::awaitable<step_result> inject() override {
    if (redis_ == nullptr) co_return no_managed_redis();
    step_result result = co_await redis_->set_login_enabled(false);
    co_await kick_if_wanted(result);
    co_return result;
  }

  asio::awaitable<step_result> confirm_active() override {
    if (redis_ == nullptr) co_return no_managed_redis();
    step_result result;
    const std::string answer = co_await redis_->ping(login_limit);
    result.is_ok = answer == "PONG";
    result.evidence = "PING as another user: " + (answer.empty() ? "no reply" : answer);
    if (!result.is_ok) co_return result;  // a server that is down refuses logins as well
    step_result login = co_await redis_->try_login(redis_->password(), login_limit);
    login.is_ok = !login.is_ok;
    append(result, login);
    co_return result;
  }

  asio::awaitable<step_result> heal() override {
    if (redis_ == nullptr) co_return no_managed_redis();
    co_return co_await redis_->set_login_enabled(true);
  }

  asio::awaitable<step_result> confirm_healed() override {
    if (redis_ == nullptr) co_return no_managed_redis();
    co_return co_await redis_->try_login(redis_->password(), login_limit);
  }
};

bool is_revocation(const fault_spec& spec) {
  return spec.text("change") == "revoke";
}

std::unique_ptr<fault> make(const fault_spec& spec, environment& where) {
  if (is_revocation(spec)) return std::make_unique<login_revocation>(spec, where);
  return std::make_unique<password_rotation>(spec, where);
}

std::string validate(const fault_spec& spec) {
  if (is_revocation(spec) && !spec.held) return "redis_password with change: revoke needs `for`";
  if (!is_revocation(spec) && spec.held) {
    return "redis_password with change: rotate has no `for`; say with tell_nodes_after when the "
           "nodes get the new password";
  }
  return "";
}

}  // namespace

fault_kind redis_password_kind() {
  fault_kind kind;
  kind.name = "redis_password";
  kind.klass = fault_class::server_admin;
  kind.target = target_kind::redis;
  kind.duration = duration_use::optional;
  kind.parameters = {
      {"change",
       parameter_type::text,
       "rotate",
       {"rotate", "revoke"},
       "rotate gives the application's user a new password; revoke bars its logins for `for`."},
      {"kick",
       parameter_type::boolean,
       "true",
       {},
       "Close the application's open connections as well; Redis itself leaves them logged in, so "
       "that nothing would "
       "happen until the next reconnect."},
      {"tell_nodes_after",
       parameter_type::duration,
       "1s",
       {},
       "rotate: when the new password is written to the nodes' password file; until then they know "
       "only the old one."},
  };
  kind.doc =
      "Changes how the application logs in to Redis, through its ACL user or the default user. "
      "With change: rotate it "
      "gets a new password that the nodes learn only after tell_nodes_after; confirmed when a new "
      "connection is "
      "refused with the old password and accepted with the new one. With change: revoke its logins "
      "are refused for "
      "`for`, whatever the password; confirmed by a refused login while the server still answers "
      "others. With kick "
      "the open connections are closed, confirmed by their absence from CLIENT LIST.";
  kind.make = make;
  kind.validate = validate;
  return kind;
}

}  // namespace ordeal::fault
