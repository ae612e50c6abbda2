#include "tests/support/redis_server.h"

#include <fcntl.h>
#include <hiredis/hiredis.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <thread>
#include <vector>

#include "net/async/clock.h"
#include "net/async/random.h"

namespace ordeal::test {
namespace {

constexpr std::chrono::seconds start_limit{20};
constexpr std::chrono::milliseconds poll_interval{5};

struct release_context {
  void operator()(redisContext* context) const noexcept { redisFree(context); }
};
using context_ptr = std::unique_ptr<redisContext, release_context>;

bool is_port_free(std::uint16_t port) {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  const int failed = ::bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  ::close(listener);
  return failed == 0;
}

std::filesystem::path make_directory() {
  std::string name = (std::filesystem::temp_directory_path() / "ordeal-redis-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr)
    throw std::runtime_error("cannot make a temporary directory");
  return name;
}

std::string configuration(const redis_server_options& options, std::uint16_t port,
                          const std::filesystem::path& directory) {
  std::string text =
      "bind 127.0.0.1\nport " + std::to_string(port) + "\ndir " + directory.string() + "\n";
  text += "daemonize no\nsave \"\"\nenable-debug-command local\n";
  if (options.keep == persistence::aof_always) text += "appendonly yes\nappendfsync always\n";
  if (!options.password.empty()) text += "requirepass " + options.password + "\n";
  return text + options.extra_config;
}

// Only calls that are allowed between fork and exec.
[[noreturn]] void become_redis(int config, int log_file) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::dup2(config, STDIN_FILENO);
  ::dup2(log_file, STDOUT_FILENO);
  ::dup2(log_file, STDERR_FILENO);
  ::execlp("redis-server", "redis-server", "-", nullptr);
  ::_exit(127);
}

pid_t spawn_redis(const std::string& config, const std::filesystem::path& log_path) {
  int pipe_ends[2];
  if (::pipe2(pipe_ends, O_CLOEXEC) != 0) throw std::runtime_error("cannot make a pipe");
  const int log_file = ::open(log_path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  const pid_t pid = ::fork();
  if (pid == 0) become_redis(pipe_ends[0], log_file);
  ::close(pipe_ends[0]);
  ::close(log_file);
  const ssize_t written = ::write(pipe_ends[1], config.data(), config.size());
  ::close(pipe_ends[1]);
  if (pid < 0) throw std::runtime_error("cannot fork");
  if (written != static_cast<ssize_t>(config.size()))
    throw std::runtime_error("redis-server took no configuration");
  return pid;
}

std::string contents(const std::filesystem::path& path) {
  std::ifstream file(path);
  return std::string(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
}

net::redis::reply run(redisContext* context, std::span<const std::string_view> arguments) {
  std::vector<const char*> texts;
  std::vector<std::size_t> sizes;
  for (const std::string_view argument : arguments) {
    texts.push_back(argument.data());
    sizes.push_back(argument.size());
  }
  void* raw = redisCommandArgv(context, static_cast<int>(texts.size()), texts.data(), sizes.data());
  if (raw == nullptr)
    throw std::runtime_error(std::string("redis command failed: ") + context->errstr);
  return net::redis::reply(static_cast<redisReply*>(raw));
}

}  // namespace

std::uint16_t free_port() {
  net::random_stream draw(net::random_seed(), "port");
  for (int tries = 0; tries < 1'000; ++tries) {
    const auto port = static_cast<std::uint16_t>(10'000 + draw.below(22'000));
    if (is_port_free(port)) return port;
  }
  throw std::runtime_error("no free port");
}

redis_server::redis_server(redis_server_options options)
    : options_(std::move(options)), directory_(make_directory()), port_(free_port()) {
  start();
}

redis_server::~redis_server() {
  if (pid_ > 0) end(SIGKILL);
  std::error_code ignored;  // a left-over directory fails no test
  std::filesystem::remove_all(directory_, ignored);
}

void redis_server::start() {
  if (pid_ > 0) throw std::runtime_error("redis-server runs already");
  const auto log_path = directory_ / "redis.log";
  pid_ = spawn_redis(configuration(options_, port_, directory_), log_path);
  const auto deadline = net::now() + start_limit;
  while (!is_answering()) {
    if (::waitpid(pid_, nullptr, WNOHANG) == pid_) {
      pid_ = -1;
      throw std::runtime_error("redis-server ended at once:\n" + contents(log_path));
    }
    if (net::now() > deadline)
      throw std::runtime_error("redis-server does not answer:\n" + contents(log_path));
    std::this_thread::sleep_for(poll_interval);
  }
}

bool redis_server::is_answering() {
  try {
    const auto pong = command({"PING"});
    return pong.view().text() == "PONG";
  } catch (const std::runtime_error&) {
    return false;  // not listening yet
  }
}

void redis_server::end(int signal_number) {
  ::kill(pid_, signal_number);
  if (signal_number == SIGTERM) ::kill(pid_, SIGCONT);
  ::waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

void redis_server::kill() {
  end(SIGKILL);
}
void redis_server::stop() {
  end(SIGTERM);
}
void redis_server::pause() {
  ::kill(pid_, SIGSTOP);
}
void redis_server::resume() {
  ::kill(pid_, SIGCONT);
}

net::redis::reply redis_server::command(std::initializer_list<std::string_view> arguments) {
  return command(std::span<const std::string_view>(arguments.begin(), arguments.size()));
}

net::redis::reply redis_server::command(std::span<const std::string_view> arguments) {
  const timeval limit{10, 0};
  const context_ptr context(redisConnectWithTimeout("127.0.0.1", port_, limit));
  if (context == nullptr || context->err != 0)
    throw std::runtime_error("cannot connect to redis-server");
  redisSetTimeout(context.get(), limit);
  if (!options_.password.empty()) {
    const std::array<std::string_view, 2> words{"AUTH", options_.password};
    const auto login = run(context.get(), words);
    if (login.view().is_error()) throw std::runtime_error(std::string(login.view().text()));
  }
  return run(context.get(), arguments);
}

void redis_server::set_password(std::string password) {
  const auto done = command({"CONFIG", "SET", "requirepass", password});
  if (done.view().is_error()) throw std::runtime_error(std::string(done.view().text()));
  options_.password = std::move(password);
}

net::redis::connection_options redis_server::connection() const {
  net::redis::connection_options result;
  result.port = port_;
  result.auth.password = options_.password;
  return result;
}

}  // namespace ordeal::test
