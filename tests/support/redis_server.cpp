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

std::string tls_lines(const redis_server_tls& tls, std::uint16_t port) {
  std::string text = "tls-port " + std::to_string(port) + "\n";
  text += "tls-cert-file " + tls.own.certificate.string() + "\n";
  text += "tls-key-file " + tls.own.key.string() + "\n";
  text += "tls-ca-cert-file " + tls.ca_file.string() + "\n";
  text += std::string("tls-auth-clients ") + (tls.wants_client_certificate ? "yes" : "no") + "\n";
  return text;
}

std::string configuration(const redis_server_options& options, std::uint16_t port,
                          std::uint16_t tls_port, const std::filesystem::path& directory) {
  std::string text =
      "bind 127.0.0.1\nport " + std::to_string(port) + "\ndir " + directory.string() + "\n";
  text += "daemonize no\nsave \"\"\nenable-debug-command local\n";
  if (options.keep == persistence::aof_always) text += "appendonly yes\nappendfsync always\n";
  if (!options.password.empty()) text += "requirepass " + options.password + "\n";
  if (options.tls) text += tls_lines(*options.tls, tls_port);
  // Its bus would otherwise be at a port that an outgoing connection may have.
  if (options.is_cluster)
    text += "cluster-enabled yes\ncluster-port " + std::to_string(free_port()) + "\n";
  return text + options.extra_config;
}

// A sentinel writes its state into its configuration, which must be a file.
void write_configuration(const redis_sentinel_options& options, std::uint16_t port,
                         std::uint16_t tls_port, const std::filesystem::path& directory) {
  const std::string& name = options.master_name;
  std::ofstream file(directory / "sentinel.conf");
  file << "bind 127.0.0.1\nport " << port << "\ndir " << directory.string() << "\n";
  if (!options.password.empty()) file << "requirepass " << options.password << "\n";
  if (options.tls) file << tls_lines(*options.tls, tls_port);
  file << "sentinel monitor " << name << " 127.0.0.1 " << options.master_port << " "
       << options.quorum << "\n";
  if (!options.master_user.empty())
    file << "sentinel auth-user " << name << " " << options.master_user << "\n";
  if (!options.master_password.empty())
    file << "sentinel auth-pass " << name << " " << options.master_password << "\n";
  file << "sentinel down-after-milliseconds " << name << " 1000\n";
  file << "sentinel failover-timeout " << name << " 5000\n" << options.extra_config;
}

// Only calls that are allowed between fork and exec. Without a file the configuration is on stdin.
[[noreturn]] void become_redis(int config, int log_file, const char* sentinel_file) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::dup2(config, STDIN_FILENO);
  ::dup2(log_file, STDOUT_FILENO);
  ::dup2(log_file, STDERR_FILENO);
  if (sentinel_file == nullptr) ::execlp("redis-server", "redis-server", "-", nullptr);
  ::execlp("redis-server", "redis-server", sentinel_file, "--sentinel", nullptr);
  ::_exit(127);
}

pid_t spawn_redis(const std::string& config, const std::filesystem::path& log_path,
                  const char* sentinel_file = nullptr) {
  int pipe_ends[2];
  if (::pipe2(pipe_ends, O_CLOEXEC) != 0) throw std::runtime_error("cannot make a pipe");
  const int log_file = ::open(log_path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  const pid_t pid = ::fork();
  if (pid == 0) become_redis(pipe_ends[0], log_file, sentinel_file);
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

// One command on a connection of its own.
net::redis::reply ask(std::uint16_t port, const std::string& password,
                      std::span<const std::string_view> arguments) {
  const timeval limit{10, 0};
  const context_ptr context(redisConnectWithTimeout("127.0.0.1", port, limit));
  if (context == nullptr || context->err != 0)
    throw std::runtime_error("cannot connect to redis-server");
  redisSetTimeout(context.get(), limit);
  if (!password.empty()) {
    const std::array<std::string_view, 2> words{"AUTH", password};
    const auto login = run(context.get(), words);
    if (login.view().is_error()) throw std::runtime_error(std::string(login.view().text()));
  }
  return run(context.get(), arguments);
}

bool is_answering(std::uint16_t port, const std::string& password) {
  const std::array<std::string_view, 1> ping{"PING"};
  try {
    return ask(port, password, ping).view().text() == "PONG";
  } catch (const std::runtime_error&) {
    return false;  // not listening yet
  }
}

// Throws when it ends, or does not answer in time; pid is then of a process that is gone.
void wait_until_answering(pid_t& pid, std::uint16_t port, const std::string& password,
                          const std::filesystem::path& log_path) {
  const auto deadline = net::now() + start_limit;
  while (!is_answering(port, password)) {
    if (::waitpid(pid, nullptr, WNOHANG) == pid) {
      pid = -1;
      throw std::runtime_error("redis-server ended at once:\n" + contents(log_path));
    }
    if (net::now() > deadline)
      throw std::runtime_error("redis-server does not answer:\n" + contents(log_path));
    std::this_thread::sleep_for(poll_interval);
  }
}

void end_process(pid_t& pid, int signal_number) {
  ::kill(pid, signal_number);
  if (signal_number == SIGTERM) ::kill(pid, SIGCONT);
  ::waitpid(pid, nullptr, 0);
  pid = -1;
}

void remove_directory(const std::filesystem::path& directory) {
  std::error_code ignored;  // a left-over directory fails no test
  std::filesystem::remove_all(directory, ignored);
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
  if (options_.tls) tls_port_ = free_port();
  start();
}

redis_server::~redis_server() {
  if (pid_ > 0) end_process(pid_, SIGKILL);
  remove_directory(directory_);
}

void redis_server::start() {
  if (pid_ > 0) throw std::runtime_error("redis-server runs already");
  const auto log_path = directory_ / "redis.log";
  pid_ = spawn_redis(configuration(options_, port_, tls_port_, directory_), log_path);
  wait_until_answering(pid_, port_, options_.password, log_path);
}

void redis_server::kill() {
  end_process(pid_, SIGKILL);
}
void redis_server::stop() {
  end_process(pid_, SIGTERM);
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
  return ask(port_, options_.password, arguments);
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

net::redis::connection_options redis_server::tls_connection() const {
  net::redis::connection_options result = connection();
  result.port = tls_port_;
  result.tls.is_on = true;
  result.tls.ca_file = options_.tls->ca_file;
  return result;
}

redis_sentinel::redis_sentinel(redis_sentinel_options options)
    : options_(std::move(options)), directory_(make_directory()), port_(free_port()) {
  if (options_.tls) tls_port_ = free_port();
  write_configuration(options_, port_, tls_port_, directory_);
  const auto log_path = directory_ / "sentinel.log";
  const std::string file = (directory_ / "sentinel.conf").string();
  pid_ = spawn_redis("", log_path, file.c_str());
  wait_until_answering(pid_, port_, options_.password, log_path);
}

redis_sentinel::~redis_sentinel() {
  if (pid_ > 0) end_process(pid_, SIGKILL);
  remove_directory(directory_);
}

void redis_sentinel::kill() {
  end_process(pid_, SIGKILL);
}
void redis_sentinel::pause() {
  ::kill(pid_, SIGSTOP);
}
void redis_sentinel::resume() {
  ::kill(pid_, SIGCONT);
}

net::redis::reply redis_sentinel::command(std::initializer_list<std::string_view> arguments) {
  const std::span<const std::string_view> words(arguments.begin(), arguments.size());
  return ask(port_, options_.password, words);
}

}  // namespace ordeal::test
